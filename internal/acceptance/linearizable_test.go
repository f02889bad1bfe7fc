package acceptance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// The operations of a recorded history.
const (
	opDeduct = iota
	opReserve
	opCommit
	opRelease
	opBalance
)

// asking is what a client asked of the wallet, and telling what it was told.
type asking struct {
	op          int
	amount      int64
	reservation string
}

type telling struct {
	ok                    bool
	reservation           string
	available, held, used int64 // of a refusal: only what there was
}

// funds is the wallet as a sequence of operations sees it.
type funds struct {
	available, used int64
	held            map[string]int64 // by reservation; never changed in place
}

func (f funds) sum() (sum int64) {
	for _, n := range f.held {
		sum += n
	}
	return sum
}

// step says whether the wallet could have told this, and how it stands afterwards.
func (f funds) step(in asking, out telling) (bool, funds) {
	switch in.op {
	case opBalance:
		return out.available == f.available && out.held == f.sum() && out.used == f.used, f
	case opDeduct, opReserve:
		if !out.ok {
			return f.available < in.amount && out.available == f.available, f
		}
		if f.available < in.amount {
			return false, f
		}
		f.available -= in.amount
		if in.op == opDeduct {
			f.used += in.amount
			return true, f
		}
		_, taken := f.held[out.reservation]
		f.held = with(f.held, out.reservation, in.amount)
		return !taken, f
	}
	held, pending := f.held[in.reservation]
	if !out.ok || !pending {
		return out.ok == pending, f
	}
	f.held = maps.Clone(f.held)
	delete(f.held, in.reservation)
	f.available += held
	if in.op == opCommit {
		f.available -= in.amount
		f.used += in.amount
	}
	return true, f
}

func with(m map[string]int64, key string, n int64) map[string]int64 {
	m = maps.Clone(m)
	m[key] = n
	return m
}

// recorder is one client whose history is written down.
type recorder struct {
	t        *testing.T
	id       int
	ops      v1.Operations
	credit   string
	random   *rand.Rand
	tick     *atomic.Int64
	mu       *sync.Mutex
	open     *[]asking // reservations that any client may close, and their amounts
	recorded []porcupine.Operation
}

func (r *recorder) work(n int) {
	for range n {
		in := r.think()
		call := r.tick.Add(1)
		out, err := r.ask(in)
		ret := r.tick.Add(1)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.recorded = append(r.recorded, porcupine.Operation{ClientId: r.id, Input: in, Call: call, Output: out, Return: ret})
		if in.op == opReserve && out.ok {
			r.mu.Lock()
			*r.open = append(*r.open, asking{amount: in.amount, reservation: out.reservation})
			r.mu.Unlock()
		}
	}
}

// think chooses an operation. Reservations are closed by whoever comes, sometimes by two.
func (r *recorder) think() asking {
	choice := r.random.IntN(10)
	amount := 1 + r.random.Int64N(9)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case choice < 3:
		return asking{op: opDeduct, amount: amount}
	case choice < 6 || choice < 9 && len(*r.open) == 0:
		return asking{op: opReserve, amount: amount}
	case choice == 9:
		return asking{op: opBalance}
	}
	i := r.random.IntN(len(*r.open))
	in := (*r.open)[i]
	if r.random.IntN(3) > 0 { // else somebody may close it again
		*r.open = append((*r.open)[:i:i], (*r.open)[i+1:]...)
	}
	in.op = opRelease
	if choice < 8 {
		in.op, in.amount = opCommit, r.random.Int64N(in.amount+1)
	}
	return in
}

func (r *recorder) ask(in asking) (telling, error) {
	ctx := context.Background()
	c := direct("u", r.credit, units(in.amount))
	switch in.op {
	case opDeduct:
		_, err := r.ops.Deduct(ctx, v1.DeductRequest{Charge: c})
		if short := asShort(err); short != nil {
			return telling{available: whole(r.t, short.Available)}, nil
		}
		return telling{ok: true}, err
	case opReserve:
		d, err := r.ops.Reserve(ctx, v1.ReserveRequest{Charge: c})
		if err != nil || !d.Allowed {
			return telling{available: wholeOr0(r.t, d.Available)}, err
		}
		return telling{ok: true, reservation: d.ReservationID}, nil
	case opCommit:
		amount := units(in.amount)
		_, err := r.ops.Commit(ctx, v1.CommitRequest{ReservationID: in.reservation, Amount: &amount})
		return closed(err)
	case opRelease:
		_, err := r.ops.Release(ctx, v1.ReleaseRequest{ReservationID: in.reservation})
		return closed(err)
	}
	all, err := r.ops.Balances(ctx, "u", r.credit, 0)
	if err != nil {
		return telling{}, err
	}
	b := all.Data[0]
	return telling{available: whole(r.t, b.Available), held: whole(r.t, b.Held), used: whole(r.t, b.Used)}, nil
}

func closed(err error) (telling, error) {
	if fault.CodeOf(err) == fault.CodeReservationNotPending {
		return telling{}, nil
	}
	return telling{ok: err == nil}, err
}

// TestLinearizable records what eight clients of two servers see of one wallet, over HTTP, and
// looks for an order of all their operations that explains every answer and in which nothing
// comes before what had ended when it began.
func TestLinearizable(t *testing.T) {
	random := seeded(t)
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		second := startServer(t, db.open(t), w.options()).serve(t)
		clients := []*client.Client{w.client, second.client(w.secret)}
		for i := range 6 {
			credit := w.plain(fmt.Sprint("Plain ", i))
			const total = 60
			w.give("u", credit, units(total))
			history := record(t, random, clients, credit)
			if found := porcupine.CheckOperationsTimeout(walletOf(total), history, longestWait); found != porcupine.Ok {
				t.Fatalf("history %d: %s\n%s", i, found, toJSON(t, describe(history)))
			}
		}
	})
}

// walletOf is a wallet that begins with some credits.
func walletOf(total int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return funds{available: total, held: map[string]int64{}} },
		Step: func(state, in, out any) (bool, any) {
			ok, next := state.(funds).step(in.(asking), out.(telling))
			return ok, next
		},
		Equal: func(a, b any) bool {
			x, y := a.(funds), b.(funds)
			return x.available == y.available && x.used == y.used && maps.Equal(x.held, y.held)
		},
	}
}

// TestLinearizableCanFail shows histories that no wallet could have: a balance from before what
// had ended, one reservation committed twice, and more spent than there was.
func TestLinearizableCanFail(t *testing.T) {
	op := func(call, ret int64, in asking, out telling) porcupine.Operation {
		return porcupine.Operation{ClientId: int(call), Input: in, Call: call, Output: out, Return: ret}
	}
	spent := op(1, 2, asking{op: opDeduct, amount: 4}, telling{ok: true})
	held := op(1, 2, asking{op: opReserve, amount: 4}, telling{ok: true, reservation: "r"})
	for name, history := range map[string][]porcupine.Operation{
		"an old balance":   {spent, op(3, 4, asking{op: opBalance}, telling{available: 6})},
		"committed twice":  {held, op(3, 5, asking{op: opCommit, reservation: "r"}, telling{ok: true}), op(4, 6, asking{op: opCommit, reservation: "r"}, telling{ok: true})},
		"spent twice":      {spent, op(1, 3, asking{op: opDeduct, amount: 4}, telling{ok: true})},
		"a false refusal":  {op(1, 2, asking{op: opDeduct, amount: 4}, telling{available: 6})},
		"a lost give-back": {held, op(3, 4, asking{op: opRelease, reservation: "r"}, telling{ok: true}), op(5, 6, asking{op: opBalance}, telling{available: 2})},
	} {
		if found := porcupine.CheckOperationsTimeout(walletOf(6), history, longestWait); found != porcupine.Illegal {
			t.Errorf("%s: %s", name, found)
		}
	}
	if found := porcupine.CheckOperationsTimeout(walletOf(6), []porcupine.Operation{held}, longestWait); found != porcupine.Ok {
		t.Errorf("a plain history: %s", found)
	}
}

// record lets eight clients work on a new credit of u.
func record(t *testing.T, random *rand.Rand, clients []*client.Client, credit string) []porcupine.Operation {
	t.Helper()
	var tick atomic.Int64
	var mu sync.Mutex
	var open []asking
	recorders := make([]*recorder, 8)
	for i := range recorders {
		recorders[i] = &recorder{
			t: t, id: i, ops: clients[i%len(clients)], credit: credit, tick: &tick, mu: &mu, open: &open,
			random: rand.New(rand.NewPCG(random.Uint64(), 0)),
		}
	}
	together(len(recorders), func(i int) { recorders[i].work(12) })
	var history []porcupine.Operation
	for _, r := range recorders {
		history = append(history, r.recorded...)
	}
	if t.Failed() {
		t.FailNow()
	}
	return history
}

func describe(history []porcupine.Operation) []string {
	var lines []string
	for _, op := range history {
		lines = append(lines, fmt.Sprintf("client %d, %d to %d: %+v %+v", op.ClientId, op.Call, op.Return, op.Input, op.Output))
	}
	return lines
}

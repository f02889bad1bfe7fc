package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// deed is one request under an idempotency key, and what is known of its fate.
type deed struct {
	key      string
	customer string
	path     string
	body     any
	status   int    // 0: no answer came
	answer   []byte // of an acknowledged request
}

// besieger is one client that works until its server is gone.
type besieger struct {
	name   string // begins its keys and customers
	random *rand.Rand
	credit string
	own    string // a customer of its own
	shared string // a customer that all spend
	deeds  []*deed
	held   []held // reservations that are open, as far as it knows
}

type held struct {
	customer, reservation string
	amount                int64
}

// besiege works until an answer does not come, or it is told to stop.
func (b *besieger) besiege(to *wire, secret string, stop *atomic.Bool) {
	for b.next(to, secret) && !stop.Load() {
	}
}

// next does one thing; false when it got no answer.
func (b *besieger) next(to *wire, secret string) bool {
	d := b.think()
	d.key = fmt.Sprintf("%s-%d", b.name, len(b.deeds))
	b.deeds = append(b.deeds, d)
	if !d.ask(to, secret) {
		return false
	}
	if d.path == "/v1/reserve" {
		var answer v1.Decision
		if json.Unmarshal(d.answer, &answer) == nil && answer.Allowed {
			n, _ := answer.Taken.Units(0)
			b.held = append(b.held, held{d.customer, answer.ReservationID, n})
		}
	}
	return true
}

// think decides what to do next.
func (b *besieger) think() *deed {
	customer := b.own
	if b.random.IntN(3) == 0 {
		customer = b.shared
	}
	if len(b.deeds) == 0 {
		customer = b.own
	}
	n := 1 + b.random.Int64N(20)
	amount := units(n)
	switch choice := b.random.IntN(10); {
	case len(b.deeds) == 0 || choice == 0:
		return &deed{customer: customer, path: "/v1/grants", body: v1.GrantRequest{
			CustomerID: customer, CreditID: b.credit, Amount: units(10 * n), ExternalRef: fmt.Sprintf("%s-%d", b.name, len(b.deeds)),
		}}
	case choice < 5:
		return &deed{customer: customer, path: "/v1/deduct", body: direct(customer, b.credit, amount)}
	case choice < 8 || len(b.held) == 0:
		return &deed{customer: customer, path: "/v1/reserve", body: v1.ReserveRequest{Charge: direct(customer, b.credit, amount), TTLSeconds: 3600}}
	}
	i := b.random.IntN(len(b.held))
	h := b.held[i]
	b.held = slices.Delete(b.held, i, i+1)
	if b.random.IntN(3) == 0 {
		return &deed{customer: h.customer, path: "/v1/release", body: v1.ReleaseRequest{ReservationID: h.reservation}}
	}
	take := units(b.random.Int64N(h.amount + 1))
	return &deed{customer: h.customer, path: "/v1/commit", body: v1.CommitRequest{ReservationID: h.reservation, Amount: &take}}
}

func units(n int64) money.Decimal { return money.Decimal(money.FormatUnits(n, 0)) }

// ask sends the deed and notes its answer; false when none came. That the server or its
// database cannot say is no answer.
func (d *deed) ask(to *wire, secret string) bool {
	status, answer, err := to.try(secret, d)
	if err != nil || status == http.StatusServiceUnavailable {
		return false
	}
	d.status, d.answer = status, answer
	return true
}

// try sends a deed and returns whatever comes back.
func (w *wire) try(secret string, d *deed) (int, []byte, error) {
	body, err := json.Marshal(d.body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.base+d.path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", d.key)
	res, err := w.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// effect is what an answer says its deed did.
type effect struct {
	entries   int // under its key
	available int64
	held      int64
	used      int64
}

// effect reads it out of the answer.
func (d *deed) effect(t *testing.T) effect {
	t.Helper()
	if d.status == http.StatusPaymentRequired && d.path == "/v1/deduct" {
		return effect{}
	}
	if d.status != http.StatusOK {
		t.Fatalf("%s %s (%s) was answered %d %s", d.path, toJSON(t, d.body), d.key, d.status, d.answer)
	}
	r := reply{status: d.status, body: d.answer}
	switch d.path {
	case "/v1/grants":
		g := read[v1.Grants](t, r)
		return effect{entries: len(g.Grants), available: whole(t, g.Grants[0].Amount)}
	case "/v1/deduct":
		n := whole(t, read[v1.Deducted](t, r).Taken)
		return effect{entries: 1, available: -n, used: n}
	case "/v1/reserve":
		a := read[v1.Decision](t, r)
		if !a.Allowed {
			return effect{}
		}
		n := whole(t, a.Taken)
		return effect{entries: 1, available: -n, held: n}
	default:
		a := read[v1.Reservation](t, r)
		reserved, committed := whole(t, a.Reserved), whole(t, a.Committed)
		return effect{entries: len(a.Entries), available: reserved - committed, held: -reserved, used: committed}
	}
}

func whole[T ~string](t testing.TB, amount T) int64 {
	t.Helper()
	n, err := money.Decimal(amount).Units(0)
	noError(t, err)
	return n
}

// settle replays what was not acknowledged, and some of what was, on a server that was started
// since; then every deed must have happened exactly once.
func settle(t *testing.T, to *wire, secret, credit string, besiegers []*besieger) {
	t.Helper()
	ops := to.client(secret)
	before := map[string]int{} // entries under each key, as the crash left them
	asked := byCustomer(besiegers)
	for customer := range asked {
		for _, e := range entries(t, ops, customer) {
			before[e.IdempotencyKey]++
		}
	}
	for _, b := range besiegers {
		last := b.deeds[len(b.deeds)-1]
		for _, d := range []*deed{last, last, b.deeds[b.random.IntN(len(b.deeds))]} {
			replay(t, to, secret, d, before)
		}
	}
	for customer, deeds := range asked {
		exactlyOnce(t, ops, customer, credit, deeds, before)
	}
}

// byCustomer sorts deeds by whom they concern.
func byCustomer(besiegers []*besieger) map[string][]*deed {
	asked := map[string][]*deed{}
	for _, b := range besiegers {
		for _, d := range b.deeds {
			asked[d.customer] = append(asked[d.customer], d)
		}
	}
	return asked
}

// replay asks again: what was answered before is answered the same. What the crash left behind
// of what was not answered is all of it or nothing.
func replay(t *testing.T, to *wire, secret string, d *deed, before map[string]int) {
	t.Helper()
	status, answer, err := to.try(secret, d)
	noError(t, err)
	if d.status != 0 {
		equal(t, "status of "+d.key, status, d.status)
		equal(t, "answer of "+d.key, string(answer), string(d.answer))
		return
	}
	d.status, d.answer = status, answer
	if left := before[d.key]; left != 0 && left != d.effect(t).entries {
		t.Fatalf("%s left %d entries, of %s", d.key, left, answer)
	}
}

// exactlyOnce compares a customer's ledger and balance with what the answers say.
func exactlyOnce(t *testing.T, ops v1.Operations, customer, credit string, deeds []*deed, before map[string]int) {
	t.Helper()
	after := map[string]int{}
	for _, e := range entries(t, ops, customer) {
		after[e.IdempotencyKey]++
	}
	var sum effect
	for _, d := range deeds {
		e := d.effect(t)
		sum.available, sum.held, sum.used = sum.available+e.available, sum.held+e.held, sum.used+e.used
		if after[d.key] != e.entries {
			t.Fatalf("%s has %d entries, but its answer says %d (%d were there after the crash): %s", d.key, after[d.key], e.entries, before[d.key], d.answer)
		}
		delete(after, d.key)
	}
	if len(after) > 0 {
		t.Fatalf("%s has entries that nobody asked for: %v", customer, after)
	}
	b := balance(t, ops, customer, credit)
	equal(t, "available to "+customer, b.Available, units(sum.available))
	equal(t, "held by "+customer, b.Held, units(sum.held))
	equal(t, "used by "+customer, b.Used, units(sum.used))
}

// unacknowledged counts deeds without an answer, and those of them that the crash had let happen.
func unacknowledged(besiegers []*besieger) (n, deeds int) {
	for _, b := range besiegers {
		deeds += len(b.deeds)
		for _, d := range b.deeds {
			if d.status == 0 {
				n++
			}
		}
	}
	return n, deeds
}

func wholeOr0(t testing.TB, amount money.Decimal) int64 {
	if amount == "" {
		return 0
	}
	return whole(t, amount)
}

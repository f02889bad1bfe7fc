package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// historySteps is how long a random history is, and sweptSteps one that is lived twice on the way
// of every balance.
const (
	historySteps = 150
	sweptSteps   = 150
)

// life is the wallet of one history, kept by an engine over a real store.
type life struct {
	t      testing.TB
	db     *database
	key    wallet.Key
	clock  handClock
	engine *engine.Engine
	seen   []wallet.Entry // what View has read of the ledger, which only grows
	once   *onceOnly      // nil: without idempotency keys
	// between runs before every command, with the instants before and after.
	between func(from, to clock.Instant)
	at      clock.Instant
}

// newLife begins a history on an empty database, under definitions with chosen ids.
func newLife(t testing.TB, kind string, key wallet.Key, defs *catalog.Definitions) *life {
	t.Helper()
	l := &life{t: t, db: newDatabase(t, kind), key: key, clock: newClock()}
	noError(t, l.db.store.CreateApp(context.Background(), store.App{ID: key.App, Name: key.App, Version: 1}))
	l.Restart()
	l.Redefine(defs)
	return l
}

// Restart goes on with a new engine, which knows nothing.
func (l *life) Restart() {
	if l.engine != nil {
		noError(l.t, l.engine.Close(context.Background()))
	}
	e := engine.New(l.db.store, engine.Options{Clock: l.clock})
	l.engine = e
	l.t.Cleanup(func() { _ = e.Close(context.Background()) })
}

// Redefine stores definitions as they are now.
func (l *life) Redefine(defs *catalog.Definitions) {
	change := store.Definition{
		Credits: slices.Collect(maps.Values(defs.Credits)), Packs: slices.Collect(maps.Values(defs.Packs)),
	}
	noError(l.t, l.engine.Define(context.Background(), l.key.App, func(*catalog.Definitions) (store.Definition, error) {
		return change, nil
	}))
}

// Do carries a command out at an instant.
func (l *life) Do(at clock.Instant, c wallet.Command) (wallet.Answer, error) {
	if l.between != nil {
		l.between(l.at, at)
	}
	l.clock.Set(at)
	l.at = at
	req := engine.Request{Wallet: l.key, Command: c}
	if l.once != nil && c != nil {
		req.Idempotency = l.once.key()
	}
	res, err := l.engine.Do(context.Background(), req)
	if req.Idempotency != "" {
		l.once.note(req, res, err)
		l.once.again(l)
	}
	return res.Answer, err
}

// onceOnly gives every command of a history an idempotency key, and sends some of them again: soon
// or much later, to an engine that remembers them or to one that never saw them.
type onceOnly struct {
	random  *rand.Rand
	keys    int
	done    []answered
	replays int
}

// answered is a command with what it came to.
type answered struct {
	engine.Request
	answer string
}

func (o *onceOnly) key() string { o.keys++; return fmt.Sprintf("key-%d", o.keys) }

// note keeps what was decided; a refusal decides nothing and is not remembered.
func (o *onceOnly) note(req engine.Request, res engine.Result, err error) {
	if err == nil {
		text, _ := json.Marshal(res.Answer) // as the engine keeps it
		o.done = append(o.done, answered{req, string(text)})
	}
}

// again replays something, or sends something else under its key. Nothing may come of either: the
// model knows nothing of it.
func (o *onceOnly) again(l *life) {
	l.t.Helper()
	if len(o.done) == 0 || o.random.IntN(3) > 0 {
		return
	}
	was := o.done[o.random.IntN(len(o.done))]
	if o.random.IntN(3) == 0 {
		was = o.done[len(o.done)-1]
	}
	o.replays++
	res, err := l.engine.Do(context.Background(), was.Request)
	noError(l.t, err)
	equal(l.t, "replayed", res.Replayed, true)
	equal(l.t, "answer under "+was.Idempotency, string(toJSON(l.t, res.Answer)), was.answer)
	was.Command = &wallet.ResetOverage{Credit: was.Idempotency}
	_, err = l.engine.Do(context.Background(), was.Request)
	wantCode(l.t, err, fault.CodeIdempotencyKeyReused)
}

// View reads everything back from the store.
func (l *life) View() model.View {
	ctx := context.Background()
	var v model.View
	r, err := l.engine.Read(ctx, l.key.ID())
	noError(l.t, err)
	if r == nil {
		return v
	}
	v.Credits = model.ViewCredits(r.State.Credits)
	v.Counters = model.ViewCounters(r.State.Subscription, max(l.at, r.State.LastAt))
	for q := (store.GrantQuery{Wallet: l.key.ID(), Limit: store.MaxPage}); ; {
		page, err := l.db.store.Grants(ctx, q)
		noError(l.t, err)
		for _, g := range page {
			v.Grants = append(v.Grants, model.ViewGrant(g))
			q.After = g.N
		}
		if len(page) < store.MaxPage {
			break
		}
	}
	var needs wallet.Needs
	for n := range r.State.HoldSeq {
		needs.Holds = append(needs.Holds, n+1)
	}
	found, err := l.db.store.Fetch(ctx, l.key.ID(), needs)
	noError(l.t, err)
	for _, h := range found.Holds {
		v.Holds = append(v.Holds, model.ViewHold(h))
	}
	slices.SortFunc(v.Holds, func(a, b model.HoldView) int { return int(a.N - b.N) })
	v.Entries = l.news()
	return v
}

// news is the ledger, of which only what is new is read: a history of a thousand steps would
// otherwise read it a thousand times.
func (l *life) news() []wallet.Entry {
	l.t.Helper()
	const page = 100
	for {
		from := int64(len(l.seen))
		found, err := l.db.store.Entries(context.Background(), store.EntryQuery{Wallet: l.key.ID(), Before: from + page + 1, Limit: page})
		noError(l.t, err)
		for i := len(found) - 1; i >= 0; i-- {
			if found[i].Seq > from {
				l.seen = append(l.seen, found[i])
			}
		}
		if int64(len(l.seen)) < from+page {
			return l.seen
		}
	}
}

// head is the hash of the newest entry.
func (l *life) head() wallet.Hash {
	l.t.Helper()
	sn, err := l.db.store.Snapshot(context.Background(), l.key.ID())
	noError(l.t, err)
	if sn == nil {
		return wallet.Hash{}
	}
	return sn.Head
}

// TestSameHistorySameHash leads wallets on both stores through the same random histories, some
// thousand commands in all, each under an idempotency key and many of them sent again. At every
// step they agree with the model, which knows of no replays, and add up (law 1); in the end they
// agree with one another to the last hash.
func TestSameHistorySameHash(t *testing.T) {
	random := seeded(t)
	for i := range 16 { // many short ones: what a long one holds is looked at whole at every step
		h := model.NewHistory(random.Uint64(), historySteps)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			heads := map[string]wallet.Hash{}
			for _, kind := range kinds {
				var l *life
				subject := func(key wallet.Key, defs *catalog.Definitions) model.Subject {
					l = newLife(t, kind, key, defs)
					l.once = &onceOnly{random: rand.New(rand.NewPCG(h.Seed, 4))}
					return l
				}
				if f := model.Run(h, subject, nil, nil); f != nil {
					t.Fatalf("%s, history %d, step %d: %s", kind, h.Seed, f.Step, f.Problem)
				}
				heads[kind] = l.head()
				if l.once.replays < historySteps/10 {
					t.Errorf("%d replays only", l.once.replays)
				}
				report, err := audit.Run(t.Context(), l.db.store)
				noError(t, err)
				for _, d := range report.Differences {
					t.Errorf("audit, history %d: %s", h.Seed, d)
				}
			}
			if heads["sqlite"] == (wallet.Hash{}) {
				t.Fatal("nothing happened")
			}
			equal(t, "head", heads["postgres"], heads["sqlite"])
		})
	}
}

// moves makes a history concrete, with a clock that never goes back.
func moves(t testing.TB, h model.History) (*catalog.Definitions, []model.Move) {
	t.Helper()
	var first *catalog.Definitions
	var all []model.Move
	bare := func(key wallet.Key, defs *catalog.Definitions) model.Subject {
		first = defs
		return model.NewBare(key, defs)
	}
	var latest clock.Instant
	f := model.Run(h, bare, nil, func(_ int, m model.Move, _ model.Outcome) {
		latest = max(latest, m.At)
		m.At = latest
		all = append(all, m)
	})
	if f != nil {
		t.Fatalf("history %d, step %d: %s", h.Seed, f.Step, f.Problem)
	}
	return first, all
}

// told is what a life was like to those who asked.
type told struct {
	outcomes []string
	balances map[clock.Instant]string // at the end of each instant
	view     string                   // in the end, without what tells when it was written down
}

// live leads a wallet through moves.
func (l *life) live(defs *catalog.Definitions, all []model.Move) told {
	l.t.Helper()
	told := told{balances: map[clock.Instant]string{}}
	session := func() *credits.Session {
		core := &credits.Core{Engine: l.engine, Store: l.db.store, Clock: l.clock}
		return core.As(v1.Caller{App: l.key.App, Mode: l.key.Mode})
	}
	for _, m := range all {
		if m.Restart {
			l.Restart()
		}
		if m.Defs != nil {
			l.Redefine(m.Defs)
		}
		outcome := model.OutcomeOf(l.Do(m.At, m.Command))
		told.outcomes = append(told.outcomes, outcome.String())
		told.balances[m.At] = l.balances(session(), 0)
	}
	for at, then := range told.balances {
		equal(l.t, "balances at "+at.String()+", asked afterwards", l.balances(session(), at), then)
	}
	v := l.View()
	for i := range v.Entries {
		e := &v.Entries[i]
		e.RecordedAt, e.Prev, e.Hash = 0, wallet.Hash{}, wallet.Hash{}
	}
	told.view = string(toJSON(l.t, v))
	return told
}

// balances reads the standing as the API tells it.
func (l *life) balances(session *credits.Session, at clock.Instant) string {
	l.t.Helper()
	b, err := session.Balances(context.Background(), l.key.Customer, "", at)
	noError(l.t, err)
	// A credit without anything is there or not, by whether anything ever was.
	b.Data = slices.DeleteFunc(b.Data, func(b v1.Balance) bool {
		return b.Balance == "0" && b.Overage == "0" && b.Used == "0"
	})
	return string(toJSON(l.t, b.Data))
}

// TestSweepingChangesNothing lives the same histories with the sweep off and with a sweep at
// random instants in between: every decision, every balance at every instant, and every entry
// but for the instant at which it was written down, are the same.
func TestSweepingChangesNothing(t *testing.T) {
	random := seeded(t)
	for i := range 4 {
		h := model.NewHistory(random.Uint64(), sweptSteps)
		sweeps := rand.New(rand.NewPCG(random.Uint64(), 0))
		kind := kinds[i%2]
		t.Run(fmt.Sprint(i, " ", kind), func(t *testing.T) {
			defs, all := moves(t, h)
			lazy := newLife(t, kind, model.Customer, defs)
			swept := newLife(t, kind, model.Customer, defs)
			written := 0
			swept.between = func(from, to clock.Instant) {
				for from < to && from != 0 {
					from += 1 + clock.Instant(sweeps.Int64N(int64(to-from)))
					swept.clock.Set(from)
					n, err := swept.engine.Sweep(context.Background())
					noError(t, err)
					written += n
				}
			}
			without, with := lazy.live(defs, all), swept.live(defs, all)
			for i := range without.outcomes {
				equal(t, fmt.Sprintf("history %d, step %d", h.Seed, i), with.outcomes[i], without.outcomes[i])
			}
			for at, b := range without.balances {
				equal(t, "balances at "+at.String(), with.balances[at], b)
			}
			equal(t, "entries, grants and holds", with.view, without.view)
			if written == 0 {
				t.Log("nothing was due in this history")
			}
		})
	}
}

package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// once is a call that must happen once under its key.
type once struct {
	name   string
	method string
	path   string
	body   any
	status int
	other  any // another request to the same path
}

// everyAction prepares a customer and lists a call for every operation that changes something,
// denials included.
func everyAction(w *wired) []once {
	w.t().Helper()
	w.buy("u", topUp, "cs_1")
	plain := w.plain("Plain")
	w.give("u", plain, "100")
	hold := func() string { return w.reserve("u", gemini, "2").ReservationID }
	commit, release, extend := hold(), hold(), hold()
	revoked := w.give("u", plain, "7")
	spent, err := w.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", plain, "5")})
	noError(w.t(), err)
	spare, ended := w.plain("Spare"), w.plain("Ended")
	w.createPack(v1.CreatePack{ID: "cpk_old", Name: "Old", Items: []v1.PackItem{{CreditID: plain, Amount: "1"}}})
	less := money.Decimal("1")
	return []once{
		{"grant", "POST", "/v1/grants", v1.GrantRequest{CustomerID: "u", CreditID: plain, Amount: "3"}, 200, v1.GrantRequest{CustomerID: "u", CreditID: plain, Amount: "4"}},
		{"grant of a pack", "POST", "/v1/grants", v1.GrantRequest{CustomerID: "u", PackID: bundle}, 200, v1.GrantRequest{CustomerID: "u", PackID: topUp}},
		{"deduct", "POST", "/v1/deduct", tagged(direct("u", plain, "3"), "chat"), 200, tagged(direct("u", plain, "4"), "chat")},
		{"deduct by event", "POST", "/v1/deduct", charge("u", gemini, "3"), 200, charge("u", gemini, "4")},
		{"denied deduct", "POST", "/v1/deduct", direct("u", plain, "1000"), 402, direct("u", plain, "1001")},
		{"reserve", "POST", "/v1/reserve", v1.ReserveRequest{Charge: charge("u", gemini, "3")}, 200, v1.ReserveRequest{Charge: charge("u", gemini, "3"), TTLSeconds: 30}},
		{"denied reserve", "POST", "/v1/reserve", charge("u", gemini, "1000"), 200, charge("u", dalle, "1000")},
		{"commit", "POST", "/v1/commit", v1.CommitRequest{ReservationID: commit, Amount: &less, Response: "r"}, 200, v1.CommitRequest{ReservationID: commit}},
		{"release", "POST", "/v1/release", v1.ReleaseRequest{ReservationID: release}, 200, v1.ReleaseRequest{ReservationID: release, Reason: "x"}},
		{"extend", "POST", "/v1/extend", v1.ExtendRequest{ReservationID: extend, TTLSeconds: 600}, 200, v1.ExtendRequest{ReservationID: extend, TTLSeconds: 601}},
		{"track", "POST", "/v1/track", v1.TrackRequest{Charge: charge("u", gemini, "1"), Response: "r"}, 200, v1.TrackRequest{Charge: charge("u", gemini, "2")}},
		{"track of what nothing accepts", "POST", "/v1/track", charge("u", "audio.whisper", "1"), 200, charge("u", "audio.whisper", "2")},
		{"blocked track", "POST", "/v1/track", charge("u", gemini, "1000"), 429, charge("u", gemini, "1001")},
		{"reverse", "POST", "/v1/entries/" + spent.Entry.ID + "/reverse", v1.ReverseRequest{Amount: &less}, 200, v1.ReverseRequest{}},
		{"revoke", "POST", "/v1/grants/" + revoked + "/revoke", v1.RevokeRequest{Reason: "x"}, 200, v1.RevokeRequest{Reason: "y"}},
		{"adjust up", "POST", "/v1/adjust", v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "5", Reason: "x"}, 200, v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "6", Reason: "x"}},
		{"adjust down", "POST", "/v1/adjust", v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "-5", Reason: "x"}, 200, v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "-6", Reason: "x"}},
		{"denied adjust", "POST", "/v1/adjust", v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "-5000", Reason: "x"}, 402, v1.AdjustRequest{CustomerID: "u", CreditID: plain, Amount: "-5001", Reason: "x"}},
		{"create credit", "POST", "/v1/credits", v1.CreateCredit{Name: "Made", Unit: "x"}, 201, v1.CreateCredit{Name: "Made too", Unit: "x"}},
		{"update credit", "PATCH", "/v1/credits/" + spare, map[string]any{"unit": "y"}, 200, map[string]any{"unit": "z"}},
		{"archive credit", "POST", "/v1/credits/" + ended + "/archive", nil, 200, nil},
		{"create pack", "POST", "/v1/packs", v1.CreatePack{Name: "P", Items: []v1.PackItem{{CreditID: plain, Amount: "1"}}}, 201, v1.CreatePack{Name: "Q", Items: []v1.PackItem{{CreditID: plain, Amount: "1"}}}},
		{"update pack", "PUT", "/v1/packs/cpk_old", v1.CreatePack{Name: "New", Items: []v1.PackItem{{CreditID: plain, Amount: "2"}}}, 200, v1.CreatePack{Name: "Newer", Items: []v1.PackItem{{CreditID: plain, Amount: "2"}}}},
		{"archive pack", "POST", "/v1/packs/" + bundle + "/archive", nil, 200, nil},
	}
}

// tagged is a charge with metadata beside it.
func tagged(c v1.Charge, value string) v1.Charge {
	c.Metadata = v1.Metadata{"feature": value}
	return c
}

// otherMetadata is, by name, what everyAction asks with other metadata and nothing else changed:
// which usage it is belongs to the request.
func otherMetadata(calls []once) map[string]any {
	other := map[string]any{}
	for _, c := range calls {
		switch r := c.body.(type) {
		case v1.Charge:
			other[c.name] = tagged(r, "other")
		case v1.ReserveRequest:
			other[c.name] = v1.ReserveRequest{Charge: tagged(r.Charge, "other"), TTLSeconds: r.TTLSeconds}
		case v1.TrackRequest:
			other[c.name] = v1.TrackRequest{Charge: tagged(r.Charge, "other"), Response: r.Response}
		case v1.GrantRequest:
			r.Metadata = v1.Metadata{"feature": "other"}
			other[c.name] = r
		case v1.AdjustRequest:
			r.Metadata = v1.Metadata{"feature": "other"}
			other[c.name] = r
		}
	}
	return other
}

func (w *wired) t() *testing.T { return w.forge.t }

// plain makes a credit without a scope.
func (f *forge) plain(name string) string {
	f.t.Helper()
	c, err := f.CreateCredit(context.Background(), v1.CreateCredit{Name: name, Unit: "x"})
	noError(f.t, err)
	return c.ID
}

// give grants an amount of a credit and returns the grant's id.
func (f *forge) give(customer, credit string, amount money.Decimal) string {
	f.t.Helper()
	g, err := f.Grant(context.Background(), v1.GrantRequest{CustomerID: customer, CreditID: credit, Amount: amount})
	noError(f.t, err)
	return g.Grants[0].ID
}

func direct(customer, credit string, amount money.Decimal) v1.Charge {
	return v1.Charge{CustomerID: customer, CreditID: credit, Amount: amount}
}

// TestOriginalAnswer asks everything under a key, lets the world move on, and asks again: on the
// same server, and on one that was started since.
func TestOriginalAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		calls := everyAction(w)
		ask := func(via *wire, i int, body any) reply {
			return via.call(w.secret, calls[i].method, calls[i].path, body, "Idempotency-Key", fmt.Sprint("key-", i))
		}
		first := make([]reply, len(calls))
		for i, c := range calls {
			first[i] = ask(w.wire, i, c.body)
			equal(t, "status of "+c.name, first[i].status, c.status)
		}
		w.give("u", w.plain("Later"), "10")
		w.use("u", gemini, "1")
		w.clock.Advance(400 * 24 * time.Hour) // holds lapse, grants expire
		w.use("u", gemini, "1")

		retagged := otherMetadata(calls)
		if len(retagged) < 13 {
			t.Fatalf("other metadata for %d calls only", len(retagged))
		}
		fresh := startServer(t, db.open(t), w.options()).serve(t)
		written := toJSON(t, entries(t, w.ops, "u"))
		for _, via := range []*wire{w.wire, fresh} {
			for i, c := range calls {
				again := ask(via, i, c.body)
				equal(t, "status of "+c.name, again.status, first[i].status)
				equal(t, c.name, string(again.body), string(first[i].body))
				for _, other := range []any{c.other, retagged[c.name]} {
					if other != nil {
						ask(via, i, other).is(t, http.StatusConflict, fault.CodeIdempotencyKeyReused)
					}
				}
			}
		}
		equal(t, "ledger", string(toJSON(t, entries(t, w.ops, "u"))), string(written))
	})
}

// TestKeysAreAWalletsOwn uses one key for two customers, two modes and a definition.
func TestKeysAreAWalletsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		credit := f.plain("Plain")
		key := v1.IdempotencyKey("the-same")
		grant := func(ops *ops, customer string, amount money.Decimal) {
			t.Helper()
			_, err := ops.Grant(t.Context(), v1.GrantRequest{CustomerID: customer, CreditID: credit, Amount: amount}, key)
			noError(t, err)
		}
		sandbox := f.as(f.app, catalog.Test)
		for range 2 {
			grant(f.ops, "a", "1")
			grant(f.ops, "b", "2")
			grant(sandbox, "a", "3")
			_, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Keyed", Unit: "x"}, key)
			noError(t, err)
		}
		equal(t, "a", balance(t, f, "a", credit).Available, "1")
		equal(t, "b", balance(t, f, "b", credit).Available, "2")
		equal(t, "a in test", balance(t, sandbox, "a", credit).Available, "3")
		_, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Another", Unit: "x"}, key)
		refused(t, err, fault.CodeIdempotencyKeyReused, 409)
	})
}

// longestWait is how long a test waits before it gives up: far longer than anything takes on a machine
// that is slow, busy and races.
const longestWait = 5 * time.Minute

// until waits for a condition that something under way brings about.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(longestWait)
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited %s for %s", longestWait, what)
		}
	}
}

// queued is a world whose commands a test lets pile up.
type queued struct {
	*forge
	gate   *gated
	credit string
	// onceQueued runs when all commands wait, before they go on.
	onceQueued func()
}

func newQueued(t *testing.T, db *database) *queued {
	t.Helper()
	gate := newGated(db.store)
	w := newWorldOver(t, db, gate, engine.Options{Shards: 1})
	f := forgeOver(t, w)
	return &queued{forge: f, gate: gate, credit: f.plain("Plain")}
}

// batch runs commands in one transaction, in this order, and returns when all are answered.
func (q *queued) batch(commands ...func()) {
	q.t.Helper()
	q.batchOf(2, commands...)
}

// batchOf is batch, of which so many transactions succeed: one for the command that holds the
// others up, and one for them.
func (q *queued) batchOf(succeed int64, commands ...func()) {
	q.t.Helper()
	var wg sync.WaitGroup
	reopen := q.gate.shut()
	defer reopen()
	wg.Go(func() { // holds the others up
		_, _ = q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("plug", q.credit, "1")})
	})
	<-q.gate.arrived
	for i, command := range commands {
		wg.Go(command)
		until(q.t, "the command to queue", func() bool { return q.engine.Waiting() == i+1 })
	}
	if q.onceQueued != nil {
		q.onceQueued()
	}
	batches := q.engine.Stats().Batches.Load()
	reopen()
	wg.Wait()
	equal(q.t, "transactions", q.engine.Stats().Batches.Load()-batches, succeed)
}

// TestReplayWithinABatch lets fifty identical requests meet in one transaction.
func TestReplayWithinABatch(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		q := newQueued(t, db)
		q.give("u", q.credit, "100")
		answers := make([]string, 50)
		commands := make([]func(), 50)
		for i := range commands {
			commands[i] = func() {
				d, err := q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", q.credit, "10")}, v1.IdempotencyKey("k"))
				answers[i] = fmt.Sprintf("%s %v", toJSON(t, d), err)
			}
		}
		q.batch(commands...)
		for i := range answers {
			equal(t, "answer", answers[i], answers[0])
		}
		equal(t, "available", balance(t, q, "u", q.credit).Available, "90")
		equal(t, "entries", types(entries(t, q, "u")), "credit_added credit_deducted")
	})
}

// TestRivalsWithinABatch lets two bodies meet under one key: the first wins, the other is told.
func TestRivalsWithinABatch(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		q := newQueued(t, db)
		q.give("u", q.credit, "100")
		errs := make([]error, 2)
		deduct := func(i int, amount money.Decimal) func() {
			return func() {
				_, errs[i] = q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", q.credit, amount)}, v1.IdempotencyKey("k"))
			}
		}
		q.batch(deduct(0, "10"), deduct(1, "20"))
		noError(t, errs[0])
		refused(t, errs[1], fault.CodeIdempotencyKeyReused, 409)
		equal(t, "available", balance(t, q, "u", q.credit).Available, "90")
	})
}

// TestLookingBackWithinABatch lets commands look back at what the same transaction has closed.
func TestLookingBackWithinABatch(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		q := newQueued(t, db)
		ctx := context.Background()
		t.Run("a reference whose credits are spent already", func(t *testing.T) {
			var first, again v1.Grants
			q.batch(
				func() {
					first, _ = q.Grant(ctx, v1.GrantRequest{CustomerID: "a", CreditID: q.credit, Amount: "5", ExternalRef: "r"})
				},
				func() { _, _ = q.Deduct(ctx, v1.DeductRequest{Charge: direct("a", q.credit, "5")}) },
				func() {
					again, _ = q.Grant(ctx, v1.GrantRequest{CustomerID: "a", CreditID: q.credit, Amount: "5", ExternalRef: "r"})
				},
			)
			equal(t, "existing", again.Existing, true)
			equal(t, "id", again.Grants[0].ID, first.Grants[0].ID)
			equal(t, "entries", types(entries(t, q, "a")), "credit_added credit_deducted")
		})
		t.Run("a reservation closed twice", func(t *testing.T) {
			q.give("b", q.credit, "10")
			d, err := q.Reserve(ctx, v1.ReserveRequest{Charge: direct("b", q.credit, "10")})
			noError(t, err)
			var errs [3]error
			q.batch(
				func() { _, errs[0] = q.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID}) },
				func() { _, errs[1] = q.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID}) },
				func() { _, errs[2] = q.Release(ctx, v1.ReleaseRequest{ReservationID: d.ReservationID}) },
			)
			noError(t, errs[0])
			wantCode(t, errs[1], fault.CodeReservationNotPending)
			wantCode(t, errs[2], fault.CodeReservationNotPending)
		})
		t.Run("a grant revoked twice, and its charge reversed", func(t *testing.T) {
			id := q.give("c", q.credit, "10")
			spent, err := q.Deduct(ctx, v1.DeductRequest{Charge: direct("c", q.credit, "4")})
			noError(t, err)
			var errs [3]error
			q.batch(
				func() { _, errs[0] = q.RevokeGrant(ctx, id, v1.RevokeRequest{}) },
				func() { _, errs[1] = q.RevokeGrant(ctx, id, v1.RevokeRequest{}) },
				func() { _, errs[2] = q.Reverse(ctx, spent.Entry.ID, v1.ReverseRequest{}) },
			)
			for _, err := range errs {
				noError(t, err)
			}
			// What comes back to a revoked grant is revoked at once.
			equal(t, "entries", types(entries(t, q, "c")), "credit_added credit_deducted revoked refund revoked")
		})
		t.Run("an entry that time is only about to write", func(t *testing.T) {
			_, err := q.Grant(ctx, v1.GrantRequest{CustomerID: "e", CreditID: q.credit, Amount: "10", ExpiresAt: v1.ExpiresAt(q.clock.Now().Add(time.Second))})
			noError(t, err)
			q.clock.Advance(time.Minute)
			ledger := entries(t, q, "e") // reading shows the expiry, which nothing has written yet
			equal(t, "entries", types(ledger), "credit_added credit_expired")
			_, err = q.Reverse(ctx, ledger[1].ID, v1.ReverseRequest{})
			refused(t, err, fault.CodeEntryNotReversible, 400)
		})
		t.Run("a reservation that lapses first", func(t *testing.T) {
			q.give("d", q.credit, "10")
			d, err := q.Reserve(ctx, v1.ReserveRequest{Charge: direct("d", q.credit, "10")})
			noError(t, err)
			q.clock.Advance(time.Minute)
			var errs [2]error
			q.batch(
				func() { _, errs[0] = q.Deduct(ctx, v1.DeductRequest{Charge: direct("d", q.credit, "10")}) },
				func() { _, errs[1] = q.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID}) },
			)
			noError(t, errs[0])
			wantCode(t, errs[1], fault.CodeReservationExpired)
		})
	})
}

// TestRefusalIsNotRemembered sends a request again under its key once what was wrong is right: a
// refusal decided nothing and changed nothing, so it must not stand in the way.
func TestRefusalIsNotRemembered(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		ask := func(body any) reply {
			return w.call(w.secret, "POST", "/v1/grants", body, "Idempotency-Key", "k")
		}
		r := v1.GrantRequest{CustomerID: "u", CreditID: "Later", Amount: "5"}
		ask(r).is(t, 404, fault.CodeCreditNotFound)
		w.plain("Later")
		ask(v1.GrantRequest{CustomerID: "u", CreditID: "Later", Amount: "5.5"}).is(t, 400, fault.CodeAmountTooPrecise)
		first := ask(r)
		equal(t, "status", first.status, 200)
		equal(t, "again", string(ask(r).body), string(first.body))
		equal(t, "entries", types(entries(t, w.client, "u")), "credit_added")
	})
}

// TestDefinedOnce creates one credit from twenty requests at once, on two servers.
func TestDefinedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		second := startServer(t, db.open(t), w.options()).serve(t)
		bodies := make([]string, 20)
		together(len(bodies), func(i int) {
			via := []*wire{w.wire, second}[i%2]
			r := via.call(w.secret, "POST", "/v1/credits", v1.CreateCredit{Name: "Made once", Unit: "x"}, "Idempotency-Key", "k")
			bodies[i] = fmt.Sprint(r.status, " ", string(r.body))
		})
		for _, body := range bodies {
			equal(t, "answer", body, bodies[0])
		}
		all, err := w.ListCredits(t.Context())
		noError(t, err)
		equal(t, "credits", len(all.Data), 2) // the fixture's and this one
	})
}

// TestKeyOfAKey refuses an idempotency key where the answer must not be stored.
func TestKeyOfAKey(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		r := w.call(w.secret, "POST", "/v1/keys", v1.CreateKey{Kind: "secret"}, "Idempotency-Key", "k")
		r.is(t, 400, fault.CodeInvalidRequest)
		keys, err := w.accounts.Keys(t.Context(), w.app.ID)
		noError(t, err)
		equal(t, "keys", len(keys), 1)
		equal(t, "kind", keys[0].Kind, store.Secret)
	})
}

package acceptance

import (
	"context"
	"testing"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// row is one numbered claim of vevee-golivekit-stripe.md sections 2 and 3.
type row[F any] struct {
	name string // begins with the row's number
	run  func(t *testing.T, f F)
}

// runRows runs every row on every store, each in an app of its own.
func runRows[F any](t *testing.T, rows []row[F], fixture func(t *testing.T, db *database) F) {
	onBoth(t, func(t *testing.T, db *database) {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				r.run(t, fixture(t, db))
			})
		}
	})
}

// The events of PixelForge, the app of the Vevee seed.
const (
	gemini = "image.gemini-3-1-flash-image-preview"
	dalle  = "image.dall-e-3"
	veo    = "video.veo-3"
)

// The packs of PixelForge.
const (
	topUp  = "cpk_gemini_topup"
	bundle = "cpk_creator_bundle"
)

// forge is PixelForge: fixture F of section 2.
type forge struct {
	*world
	t *testing.T
	*ops
	renders string // the credit that every pack is made of
}

func newForge(t *testing.T, db *database) *forge {
	t.Helper()
	return forgeOver(t, newWorld(t, db))
}

func forgeOver(t *testing.T, w *world) *forge {
	t.Helper()
	f := &forge{world: w, t: t, ops: w.live()}
	credit, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Renders", Unit: "count"})
	noError(t, err)
	f.renders = credit.ID
	f.createPack(v1.CreatePack{
		ID: topUp, Name: "Gemini Top-Up", Price: 400,
		Items: []v1.PackItem{{ID: "g", CreditID: f.renders, Amount: "50", Scope: only(gemini)}},
	})
	f.createPack(v1.CreatePack{
		ID: bundle, Name: "Creator Bundle", Price: 1500, ExpiresAfterDays: 90,
		Items: []v1.PackItem{
			{ID: "d", CreditID: f.renders, Amount: "10", Scope: only(dalle)},
			{ID: "v", CreditID: f.renders, Amount: "5", Scope: only(veo)},
		},
	})
	f.createPlan(v1.CreatePlan{ID: "free", Name: "Free", Allowances: named("images", images("2", "lifetime", gemini))})
	f.createPlan(v1.CreatePlan{ID: "pro", Name: "Pro", Price: 900, Allowances: named("images", images("40", "monthly", "image.*"))})
	return f
}

// only is the scope of one event or glob.
func only(event string) []v1.Rule { return []v1.Rule{{Event: event}} }

func (f *forge) createPack(p v1.CreatePack) v1.Pack {
	f.t.Helper()
	made, err := f.CreatePack(context.Background(), p)
	noError(f.t, err)
	return made
}

// subscribe gives a customer a plan, or changes what they have of one.
func (f *forge) subscribe(customer, plan string) v1.Subscription {
	f.t.Helper()
	return f.upsert(v1.Subscribe{CustomerID: customer, PlanID: plan})
}

func (f *forge) upsert(r v1.Subscribe) v1.Subscription {
	f.t.Helper()
	sub, err := f.Subscribe(context.Background(), r)
	noError(f.t, err)
	return sub
}

// unsubscribe ends what a customer has, at once.
func (f *forge) unsubscribe(customer string) v1.Subscription {
	f.t.Helper()
	sub, err := f.CancelSubscription(context.Background(), v1.CancelSubscription{CustomerID: customer})
	noError(f.t, err)
	return sub
}

// buy grants a pack as the webhook of its purchase does.
func (f *forge) buy(customer, pack, ref string) []v1.Grant {
	f.t.Helper()
	g, err := f.Grant(context.Background(), v1.GrantRequest{
		CustomerID: customer, PackID: pack, ExternalRef: ref, Source: "purchase", Reason: "bought " + pack,
	})
	noError(f.t, err)
	return g.Grants
}

func (f *forge) reserve(customer, event string, quantity money.Decimal) v1.Decision {
	f.t.Helper()
	d, err := f.Reserve(context.Background(), v1.ReserveRequest{Charge: charge(customer, event, quantity)})
	noError(f.t, err)
	return d
}

func charge(customer, event string, quantity money.Decimal) v1.Charge {
	return v1.Charge{CustomerID: customer, Event: event, Quantity: quantity}
}

// use reserves and commits, and fails the test when that is denied.
func (f *forge) use(customer, event string, quantity money.Decimal) v1.Reservation {
	f.t.Helper()
	d := f.reserve(customer, event, quantity)
	f.allowed(d)
	return f.commit(d.ReservationID)
}

func (f *forge) commit(reservation string) v1.Reservation {
	f.t.Helper()
	r, err := f.Commit(context.Background(), v1.CommitRequest{ReservationID: reservation})
	noError(f.t, err)
	return r
}

func (f *forge) release(reservation string) v1.Reservation {
	f.t.Helper()
	r, err := f.Release(context.Background(), v1.ReleaseRequest{ReservationID: reservation})
	noError(f.t, err)
	return r
}

func (f *forge) allowed(d v1.Decision) {
	f.t.Helper()
	if !d.Allowed || !d.Matched || len(d.Reasons) > 0 {
		f.t.Fatalf("denied: %v (matched %t), want allowed", d.Reasons, d.Matched)
	}
}

// denied fails the test unless a decision is a denial for exactly these reasons.
func (f *forge) denied(d v1.Decision, matched bool, reasons ...string) {
	f.t.Helper()
	if d.Allowed || d.ReservationID != "" {
		f.t.Fatalf("allowed, want %v", reasons)
	}
	same(f.t, "reasons", d.Reasons, reasons)
	equal(f.t, "matched", d.Matched, matched)
}

// grantNow reads a grant afresh.
func (f *forge) grantNow(id string) v1.Grant {
	f.t.Helper()
	g, err := f.GetGrant(context.Background(), id)
	noError(f.t, err)
	return g
}

// has fails the test unless a grant has exactly this much available and held.
func (f *forge) has(id string, available, held money.Decimal) {
	f.t.Helper()
	g := f.grantNow(id)
	equal(f.t, "available in "+g.PackItemID, g.Available, available)
	equal(f.t, "held in "+g.PackItemID, g.Held, held)
}

// counter is how much of the only allowance is used.
func (f *forge) counter(customer string) money.Decimal {
	f.t.Helper()
	u, err := f.Usage(context.Background(), customer, "")
	noError(f.t, err)
	equal(f.t, "number of counters", len(u.Counters), 1)
	return u.Counters[0].Count
}

// days is an instant that many days after the beginning.
func days(n int) clock.Instant { return clock.At(begin.Time().AddDate(0, 0, n)) }

// refused fails the test unless an error is this one, with this status on the wire.
func refused(t *testing.T, err error, code fault.Code, status int) {
	t.Helper()
	wantCode(t, err, code)
	equal(t, "status of "+string(code), statusOf(err), status)
}

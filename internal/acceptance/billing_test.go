package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// office is an app that bills, called over HTTP: basic is 10.00 a month with 100 credits, plus is
// 30.00 with 400.
type office struct {
	*gauge
	calls string // the credit
}

func overOffice(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	overGauge(t, func(t *testing.T, g *gauge) {
		o := &office{gauge: g, calls: g.credit(v1.CreateCredit{Name: "calls"})}
		o.plan(v1.CreatePlan{ID: "basic", Name: "Basic", Price: 1000, Credits: []v1.PlanCredit{{CreditID: "calls", Amount: "100", Prorate: true}}})
		o.plan(v1.CreatePlan{ID: "plus", Name: "Plus", Price: 3000, Credits: []v1.PlanCredit{{CreditID: "calls", Amount: "400", Prorate: true}}})
		test(t, o)
	})
}

func (o *office) plan(p v1.CreatePlan) {
	o.t.Helper()
	_, err := o.CreatePlan(context.Background(), p)
	noError(o.t, err)
}

func (o *office) subscribe(r v1.Subscribe) v1.Subscription {
	o.t.Helper()
	sub, err := o.Subscribe(context.Background(), r)
	noError(o.t, err)
	return sub
}

func (o *office) read(id string) v1.Subscription {
	o.t.Helper()
	sub, err := o.GetSubscription(context.Background(), id)
	noError(o.t, err)
	return sub
}

// history lists what happened to a subscription, oldest first.
func (o *office) history(id string) string {
	o.t.Helper()
	page, err := o.SubscriptionHistory(context.Background(), id, v1.PageQuery{Limit: v1.MaxPage})
	noError(o.t, err)
	var all []string
	for _, e := range slices.Backward(page.Data) {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

// invoices lists a customer's, oldest first.
func (o *office) invoices(customer string) []v1.Invoice {
	o.t.Helper()
	page, err := o.ListInvoices(context.Background(), v1.InvoiceQuery{CustomerID: customer, Limit: v1.MaxPage})
	noError(o.t, err)
	slices.Reverse(page.Data)
	return page.Data
}

// totals are those of a customer's invoices, oldest first.
func (o *office) totals(customer string) string {
	o.t.Helper()
	var all []string
	for _, v := range o.invoices(customer) {
		all = append(all, fmt.Sprintf("%d %s", v.Total, v.Status))
	}
	return strings.Join(all, ", ")
}

// lines are those of an invoice.
func lines(v v1.Invoice) string {
	var all []string
	for _, l := range v.Lines {
		all = append(all, fmt.Sprintf("%s %d", l.Kind, l.Amount))
	}
	return strings.Join(all, ", ")
}

func (o *office) has(customer string, want money.Decimal) {
	o.t.Helper()
	equal(o.t, "credits of "+customer, balance(o.t, o, customer, o.calls).Available, want)
}

func (o *office) spend(customer string, amount money.Decimal) {
	o.t.Helper()
	_, err := o.Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{CustomerID: customer, CreditID: o.calls, Amount: amount, Shortfall: "overage"}})
	noError(o.t, err)
}

func cycle(s v1.Subscription) string { return s.Cycle.Start.String() + " " + s.Cycle.End.String() }

// The cycle that begins with every story here, and the instant at which half of it is over.
const (
	march = "2026-03-01T12:00:00Z 2026-04-01T12:00:00Z"
	april = "2026-04-01T12:00:00Z 2026-05-01T12:00:00Z"
	half  = "2026-03-17T00:00:00Z"
)

// TestUpsertsRepeatNothing sends what was sent before, under the same key and without one.
func TestUpsertsRepeatNothing(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		post := func(path string, body any, key string) reply {
			t.Helper()
			return o.call(o.secret, http.MethodPost, path, body, "Idempotency-Key", key)
		}
		ask := v1.Subscribe{CustomerID: "c", PlanID: "basic", Quantity: 2, Metadata: v1.Metadata{"a": "b"}}
		first := post("/v1/subscriptions", ask, "k1")
		sub := read[v1.Subscription](t, first)
		o.to("2026-03-05T00:00:00Z")
		again := post("/v1/subscriptions", ask, "k1")
		equal(t, "replayed", string(again.body), string(first.body))
		ask.Quantity = 3
		post("/v1/subscriptions", ask, "k1").is(t, 409, fault.CodeIdempotencyKeyReused)
		ask.Quantity = 2
		for range 3 {
			o.to(o.clock.Now().Add(24 * time.Hour).String())
			now := o.subscribe(ask)
			equal(t, "invoiced", len(now.Invoices), 0)
			equal(t, "cycle", cycle(now), march)
		}
		equal(t, "history", o.history(sub.ID), "started")
		equal(t, "invoices", o.totals("c"), "2000 open")
		o.has("c", "200")

		later := v1.Subscribe{CustomerID: "c", PlanID: "plus", When: "cycle_end"}
		for range 3 {
			equal(t, "next plan", o.subscribe(later).Next.PlanID, "plus")
		}
		elsewhere, err := startServer(t, o.store, o.options()).serve(t).client(o.secret).Subscribe(context.Background(), later)
		noError(t, err)
		equal(t, "next plan elsewhere", elsewhere.Next.PlanID, "plus")
		equal(t, "history", o.history(sub.ID), "started plan_change_scheduled")
		for range 2 {
			equal(t, "no next plan", o.subscribe(ask).Next == nil, true)
		}
		ask.Quantity = 4
		for range 2 {
			o.subscribe(ask)
		}
		equal(t, "history", o.history(sub.ID), "started plan_change_scheduled plan_change_unscheduled updated")
		equal(t, "invoices", o.totals("c"), "2000 open")
		o.has("c", "200")

		// A plan that runs for a time ends then, however often it is asked for.
		o.plan(v1.CreatePlan{ID: "season", Name: "Season", RunsFor: &v1.Interval{Count: 3, Unit: "month"}})
		season := o.subscribe(v1.Subscribe{CustomerID: "s", PlanID: "season"})
		ends := clockOf("2026-06-08T00:00:00Z")
		equal(t, "ends", season.EndsAt, ends)
		o.to("2026-04-20T00:00:00Z")
		equal(t, "ends as before", o.subscribe(v1.Subscribe{CustomerID: "s", PlanID: "season"}).EndsAt, ends)
		equal(t, "history", o.history(season.ID), "started renewed")
		o.to(ends.String())
		equal(t, "status", o.read(season.ID).Status, "ended")
	})
}

// TestEndings ends subscriptions in every way, and takes it back while there is time.
func TestEndings(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		cancel := func(r v1.CancelSubscription) v1.Subscription {
			t.Helper()
			sub, err := o.CancelSubscription(ctx, r)
			noError(t, err)
			return sub
		}
		ask := v1.Subscribe{CustomerID: "c", PlanID: "basic"}
		sub := o.subscribe(ask)
		o.to("2026-03-10T00:00:00Z")
		end, other := clockOf("2026-03-20T00:00:00Z"), clockOf("2026-03-25T00:00:00Z")
		for range 2 {
			now := cancel(v1.CancelSubscription{CustomerID: "c", EndsAt: end, Reason: "too dear"})
			equal(t, "ends", now.EndsAt, end)
			equal(t, "status", now.Status, "active")
			equal(t, "reason", now.Reason, "too dear")
		}
		equal(t, "moved", cancel(v1.CancelSubscription{SubscriptionID: sub.ID, EndsAt: other}).EndsAt, other)
		equal(t, "at the cycle's end", cancel(v1.CancelSubscription{CustomerID: "c", AtCycleEnd: true}).EndsAt, sub.Cycle.End)
		equal(t, "reactivated", o.subscribe(ask).EndsAt, 0)
		ask.EndsAt = other
		equal(t, "moved by an upsert", o.subscribe(ask).EndsAt, other)
		keep, err := o.UpdateSubscription(ctx, sub.ID, v1.UpdateSubscription{KeepOn: true})
		noError(t, err)
		equal(t, "kept on", keep.EndsAt, 0)
		equal(t, "history", o.history(sub.ID), "started cancel_scheduled cancel_scheduled cancel_scheduled reactivated cancel_scheduled reactivated updated")

		cancel(v1.CancelSubscription{CustomerID: "c", AtCycleEnd: true})
		o.clock.Set(sub.Cycle.End - 1)
		equal(t, "just before", o.read(sub.ID).Status, "active")
		o.clock.Set(sub.Cycle.End)
		gone := o.read(sub.ID)
		equal(t, "just then", gone.Status, "ended")
		equal(t, "ended", gone.EndsAt, sub.Cycle.End)
		o.has("c", "0") // its credits ended with the cycle
		equal(t, "invoices", o.totals("c"), "1000 open")
		for _, r := range []v1.CancelSubscription{{CustomerID: "c"}, {SubscriptionID: sub.ID}} {
			_, err := o.CancelSubscription(ctx, r)
			refused(t, err, fault.CodeAlreadyCanceled, 409)
		}
		_, err = o.NextInvoice(ctx, sub.ID)
		refused(t, err, fault.CodeSubscriptionNotFound, 404)

		// The next one is another, and the first is still to be read.
		next := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "plus"})
		if next.ID == sub.ID {
			t.Fatal("a subscription that ended has begun again")
		}
		same(t, "the first", o.read(sub.ID), gone)
		_, err = o.CancelSubscription(ctx, v1.CancelSubscription{SubscriptionID: sub.ID})
		refused(t, err, fault.CodeAlreadyCanceled, 409)
		_, err = o.PauseSubscription(ctx, sub.ID, v1.PauseSubscription{})
		refused(t, err, fault.CodeAlreadyCanceled, 409)
		equal(t, "history of the first", strings.HasSuffix(o.history(sub.ID), "cancel_scheduled ended"), true)

		// At once: what was granted lives on to its own end.
		o.spend("c", "30")
		equal(t, "at once", cancel(v1.CancelSubscription{CustomerID: "c"}).Status, "ended")
		o.has("c", "370")
		o.clock.Set(next.Cycle.End)
		o.has("c", "0")
		equal(t, "invoices", o.totals("c"), "1000 open, 3000 open")
		equal(t, "history of the second", o.history(next.ID), "started ended")
	})
}

// TestChangesOfPlan changes the plan when half of the cycle is over, in every way of charging.
// Basic had 100 credits, of which 40 are used: prorated it loses floor(100/2) = 50 of the 60 that
// are left, and plus gives floor(400/2) = 200.
func TestChangesOfPlan(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		begin := func(customer, plan string) v1.Subscription {
			t.Helper()
			sub := o.subscribe(v1.Subscribe{CustomerID: customer, PlanID: plan})
			equal(t, "cycle", cycle(sub), march)
			o.spend(customer, "40")
			return sub
		}
		for _, c := range []struct{ charge, lines, credits, cycle string }{
			{"full", "plan 3000", "400", "2026-03-17T00:00:00Z 2026-04-17T00:00:00Z"},
			{"", "plan 3000", "400", "2026-03-17T00:00:00Z 2026-04-17T00:00:00Z"},
			{"prorated", "proration -500, proration 1500", "210", march},
			{"difference", "proration -1000, proration 3000", "210", march},
			{"none", "", "210", march},
		} {
			o.clock.Set(clockOf("2026-03-01T12:00:00Z"))
			customer := "to plus, " + c.charge
			sub := begin(customer, "basic")
			o.to(half)
			now := o.subscribe(v1.Subscribe{CustomerID: customer, PlanID: "plus", Charge: c.charge})
			equal(t, "subscription", now.ID, sub.ID)
			equal(t, "plan", now.PlanName, "Plus")
			equal(t, "cycle of "+customer, cycle(now), c.cycle)
			o.has(customer, decimal(c.credits))
			all := o.invoices(customer)
			if c.lines == "" {
				equal(t, "invoices of "+customer, len(all), 1)
			} else {
				equal(t, "invoices of "+customer, len(all), 2)
				equal(t, "lines of "+customer, lines(all[1]), c.lines)
				same(t, "what the call told", now.Invoices, all[1:])
			}
			equal(t, "history", o.history(sub.ID), "started plan_changed")
			o.clock.Set(now.Cycle.End)
			o.has(customer, "400")
			all = o.invoices(customer)
			equal(t, "next cycle of "+customer, lines(all[len(all)-1]), "plan 3000")
		}

		// To less: what is too much is kept for the next invoice.
		o.clock.Set(clockOf("2026-03-01T12:00:00Z"))
		sub := begin("to basic", "plus")
		o.to(half)
		now := o.subscribe(v1.Subscribe{CustomerID: "to basic", PlanID: "basic", Charge: "prorated"})
		equal(t, "balance", now.BalanceMinor, 1000)
		equal(t, "lines", lines(now.Invoices[0]), "proration -1500, proration 500, balance 1000")
		equal(t, "status", now.Invoices[0].Status, "paid")
		o.has("to basic", "210") // 400 - 40 - 200 + 50
		o.clock.Set(sub.Cycle.End)
		all := o.invoices("to basic")
		equal(t, "next", lines(all[2]), "plan 1000, balance -1000")
		equal(t, "totals", o.totals("to basic"), "3000 open, 0 paid, 0 paid")
		equal(t, "balance", o.read(sub.ID).BalanceMinor, 0)
		_, err := o.Subscribe(t.Context(), v1.Subscribe{CustomerID: "to basic", PlanID: "plus", When: "cycle_end", Charge: "prorated"})
		noError(t, err)

		// At the end of the cycle: nothing before, everything then.
		o.clock.Set(clockOf("2026-03-01T12:00:00Z"))
		sub = begin("later", "basic")
		o.to(half)
		now = o.subscribe(v1.Subscribe{CustomerID: "later", PlanID: "plus", When: "cycle_end", Quantity: 2})
		same(t, "next plan", now.Next, v1.NextPlan{PlanID: "plus", PlanName: "Plus", Quantity: 2, At: sub.Cycle.End})
		o.has("later", "60")
		equal(t, "invoices", o.totals("later"), "1000 open")
		draft, err := o.NextInvoice(t.Context(), sub.ID)
		noError(t, err)
		equal(t, "draft", lines(draft), "plan 6000")
		o.clock.Set(sub.Cycle.End)
		then := o.read(sub.ID)
		equal(t, "plan then", then.PlanID, "plus")
		equal(t, "cycle then", cycle(then), april)
		equal(t, "quantity then", then.Quantity, 2)
		o.has("later", "800")
		equal(t, "invoices then", o.totals("later"), "1000 open, 6000 open")
	})
}

// TestTrials begins with a trial, free or paid for, and converts.
func TestTrials(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ten := money.Decimal("10")
		o.plan(v1.CreatePlan{
			ID: "trying", Name: "Trying", Price: 1000, TrialDays: 14,
			Credits: []v1.PlanCredit{{CreditID: "calls", Amount: "100", TrialAmount: &ten, TrialExpires: true}},
		})
		o.plan(v1.CreatePlan{ID: "sampling", Name: "Sampling", Price: 1000, TrialDays: 7, TrialPrice: 100})
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "trying"})
		equal(t, "status", sub.Status, "trialing")
		equal(t, "trial ends", sub.TrialEndsAt, days(14))
		equal(t, "cycle", cycle(sub), "2026-03-01T12:00:00Z 2026-03-15T12:00:00Z")
		o.has("c", "10")
		equal(t, "invoices", o.totals("c"), "")
		equal(t, "an upsert changes nothing", o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "trying"}).TrialEndsAt, days(14))
		o.spend("c", "4")
		o.clock.Set(days(14) - 1)
		o.has("c", "6")
		o.clock.Set(days(14))
		o.has("c", "100")
		now := o.read(sub.ID)
		equal(t, "status", now.Status, "active")
		equal(t, "cycle", cycle(now), "2026-03-15T12:00:00Z 2026-04-15T12:00:00Z")
		equal(t, "invoices", o.totals("c"), "1000 open")
		equal(t, "history", o.history(sub.ID), "started trial_converted")

		paid := o.subscribe(v1.Subscribe{CustomerID: "p", PlanID: "sampling"})
		equal(t, "invoices", o.totals("p"), "100 open")
		_, err := o.CancelSubscription(t.Context(), v1.CancelSubscription{CustomerID: "p", AtCycleEnd: true})
		noError(t, err)
		o.clock.Set(paid.Cycle.End)
		equal(t, "not converted", o.read(paid.ID).Status, "ended")
		equal(t, "invoices", o.totals("p"), "100 open")

		none := 0
		at := o.subscribe(v1.Subscribe{CustomerID: "n", PlanID: "trying", TrialDays: &none})
		equal(t, "without a trial", at.Status, "active")
		equal(t, "invoices", o.totals("n"), "1000 open")

		// Moved: the trial ends when it is told to.
		moved := o.subscribe(v1.Subscribe{CustomerID: "m", PlanID: "trying"})
		end := o.clock.Now().Add(48 * time.Hour)
		changed, err := o.UpdateSubscription(t.Context(), moved.ID, v1.UpdateSubscription{NextCycleAt: end})
		noError(t, err)
		equal(t, "trial ends", changed.TrialEndsAt, end)
		o.clock.Set(end)
		equal(t, "converted", o.read(moved.ID).Status, "active")
		o.has("m", "100")
	})
}

// TestPauses pauses over the end of a cycle, of a trial and of the subscription: everything that was
// to come comes as much later.
func TestPauses(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		pause := func(id string) v1.Subscription {
			t.Helper()
			sub, err := o.PauseSubscription(ctx, id, v1.PauseSubscription{Reason: "away"})
			noError(t, err)
			return sub
		}
		resume := func(id string) v1.Subscription {
			t.Helper()
			sub, err := o.ResumeSubscription(ctx, id, v1.PauseSubscription{})
			noError(t, err)
			return sub
		}
		// Thirty-one days, as long as March: this one's grants do not end with the cycle.
		o.plan(v1.CreatePlan{ID: "dated", Name: "Dated", Price: 500, Credits: []v1.PlanCredit{{CreditID: "calls", Amount: "7", ExpiresAfterDays: 31}}})
		ten := money.Decimal("10")
		o.plan(v1.CreatePlan{ID: "trying", Name: "Trying", TrialDays: 14, Credits: []v1.PlanCredit{{
			CreditID: "calls", Amount: "100", TrialAmount: &ten, TrialExpires: true, Expires: "never",
		}}})
		quota := images("5", "monthly", "image.*")
		quota[0].Anchor = "start"
		o.plan(v1.CreatePlan{ID: "counted", Name: "Counted", Allowances: quota})

		c := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic"})
		dated := o.subscribe(v1.Subscribe{CustomerID: "dated", PlanID: "dated"})
		trying := o.subscribe(v1.Subscribe{CustomerID: "trying", PlanID: "trying"})
		counted := o.subscribe(v1.Subscribe{CustomerID: "counted", PlanID: "counted"})
		ending := o.subscribe(v1.Subscribe{CustomerID: "ending", PlanID: "basic", EndsAt: days(20)})
		stopped := o.subscribe(v1.Subscribe{CustomerID: "stopped", PlanID: "basic"})
		for range 3 {
			_, err := o.Track(ctx, v1.TrackRequest{Charge: used("counted", "image.a", "1")})
			noError(t, err)
		}
		o.clock.Set(days(10))
		for _, s := range []v1.Subscription{c, dated, trying, counted, ending, stopped} {
			equal(t, "status", pause(s.ID).Status, "paused")
			equal(t, "status again", pause(s.ID).Status, "paused")
		}
		equal(t, "history", o.history(c.ID), "started paused")
		o.denies(used("counted", "image.a", "1"), "0", "no_subscription")
		o.clock.Set(days(60)) // over every end there was
		for _, s := range []v1.Subscription{c, dated, trying, counted, ending, stopped} {
			equal(t, "status", o.read(s.ID).Status, "paused")
		}
		o.has("c", "100")
		o.has("trying", "10")
		o.has("dated", "0") // after 31 days, whatever the cycle does
		equal(t, "invoices", o.totals("c"), "1000 open")
		_, err := o.Subscribe(ctx, v1.Subscribe{CustomerID: "c", PlanID: "plus"})
		refused(t, err, fault.CodeSubscriptionPaused, 409)

		// Fifty days later than it would have been.
		now := resume(c.ID)
		equal(t, "status", now.Status, "active")
		equal(t, "cycle", cycle(now), "2026-03-01T12:00:00Z 2026-05-21T12:00:00Z")
		equal(t, "history", o.history(c.ID), "started paused resumed")
		equal(t, "resumed again", cycle(resume(c.ID)), cycle(now))
		equal(t, "trial", resume(trying.ID).TrialEndsAt, days(64))
		equal(t, "end", resume(ending.ID).EndsAt, days(70))
		resume(counted.ID)
		o.denies(used("counted", "image.a", "3"), "2", "plan_exhausted") // its month stood still
		// One that is ended while it is paused leaves its credits to the end that they would have.
		_, err = o.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: "stopped"})
		noError(t, err)
		equal(t, "status", o.read(stopped.ID).Status, "ended")
		resume(dated.ID)

		o.clock.Set(days(64))
		o.has("trying", "100")
		o.clock.Set(days(70))
		equal(t, "ended", o.read(ending.ID).Status, "ended")
		o.clock.Set(now.Cycle.End - 1)
		o.has("c", "100")
		o.has("stopped", "100")
		o.spend("c", "99")
		o.clock.Set(now.Cycle.End)
		o.has("c", "100")
		o.has("stopped", "0")
		equal(t, "next cycle", cycle(o.read(c.ID)), "2026-05-21T12:00:00Z 2026-06-21T12:00:00Z")
		equal(t, "invoices", o.totals("c"), "1000 open, 1000 open")
		_, err = o.Track(ctx, v1.TrackRequest{Charge: used("counted", "image.a", "5")})
		noError(t, err)
		o.denies(used("counted", "image.a", "1"), "0", "plan_exhausted")
	})
}

// TestCustomLimits agrees on quotas with one customer: by the allowance's id or label, at the limit
// and one past it.
func TestCustomLimits(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		quota := append(named("img", images("5", "monthly", "image.*")), images("2", "daily", "video.*")...)
		quota[1].Label = "Videos"
		edited := v1.CreatePlan{ID: "both", Name: "Both", Allowances: quota}
		o.plan(edited)
		quotas := func(s v1.Subscription) string { return string(s.Allowances[0].Quota + " " + s.Allowances[1].Quota) }
		ask := v1.Subscribe{CustomerID: "c", PlanID: "both", Limits: v1.Limits{"img": "3", "VIDEOS": "0.5"}}
		sub := o.subscribe(ask)
		equal(t, "quotas", quotas(sub), "3 0.5")
		_, err := o.Track(t.Context(), v1.TrackRequest{Charge: used("c", "image.a", "3")})
		noError(t, err)
		o.denies(used("c", "image.a", "0.000001"), "0", "plan_exhausted")
		_, err = o.Track(t.Context(), v1.TrackRequest{Charge: used("c", "video.a", "0.5")})
		noError(t, err)
		o.denies(used("c", "video.a", "0.000001"), "0", "plan_exhausted")

		// Those that are not named stay; so does what the plan said when it was taken.
		edited.Allowances[1].Quota = "9"
		_, err = o.UpdatePlan(t.Context(), "both", edited)
		noError(t, err)
		equal(t, "no limits", quotas(o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "both"})), "3 0.5")
		equal(t, "one limit", quotas(o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "both", Limits: v1.Limits{"Images": "4"}})), "4 0.5")
		equal(t, "history", o.history(sub.ID), "started updated")
		_, err = o.Track(t.Context(), v1.TrackRequest{Charge: used("c", "image.a", "1")})
		noError(t, err)
		o.denies(used("c", "image.a", "1"), "0", "plan_exhausted")
		_, err = o.Subscribe(t.Context(), v1.Subscribe{CustomerID: "c", PlanID: "both", Limits: v1.Limits{"Sounds": "4"}})
		refused(t, err, fault.CodeInvalidRequest, 400)
		equal(t, "field", fault.As(err).Field, "custom_limits.Sounds")
		o.clock.Set(clockOf("2026-04-02T00:00:00Z"))
		equal(t, "next month", quotas(o.read(sub.ID)), "4 0.5")
		equal(t, "the plan anew", quotas(o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "both", Retake: true})), "5 9")
	})
}

// TestZones keeps the hour on the customer's wall over both changes of the clocks.
func TestZones(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic", Zone: "Europe/Zurich"}) // at 13:00 there
		for _, end := range []string{
			"2026-04-01T11:00:00Z", "2026-05-01T11:00:00Z", "2026-06-01T11:00:00Z", "2026-07-01T11:00:00Z", "2026-08-01T11:00:00Z",
			"2026-09-01T11:00:00Z", "2026-10-01T11:00:00Z", "2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z",
		} {
			equal(t, "end", o.read(sub.ID).Cycle.End, clockOf(end))
			o.clock.Set(clockOf(end) - 1)
			o.spend("c", "1")
			o.has("c", "99")
			o.clock.Set(clockOf(end))
			o.has("c", "100")
		}
		// Another zone later: the same anchor, on another wall.
		moved := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic", Zone: "America/New_York"})
		equal(t, "zone", moved.Zone, "America/New_York")
		equal(t, "end", moved.Cycle.End, clockOf("2027-01-01T12:00:00Z"))
		o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic"})
		equal(t, "zone when none is named", o.read(sub.ID).Zone, "America/New_York")
	})
}

// TestQuantities has several of a plan, and more of it from the next cycle on.
func TestQuantities(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic", Quantity: 3})
		o.has("c", "300")
		equal(t, "quantity", o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic", Quantity: 5}).Quantity, 5)
		o.has("c", "300")
		o.clock.Set(sub.Cycle.End)
		o.has("c", "500")
		equal(t, "invoices", o.totals("c"), "3000 open, 5000 open")
		_, err := o.Subscribe(t.Context(), v1.Subscribe{CustomerID: "c", PlanID: "basic", Quantity: 1_000_001})
		refused(t, err, fault.CodeInvalidRequest, 400)
	})
}

// TestEditsOfPlans edits a plan while customers have it, and a pack between two deliveries of one
// grant: nothing that was agreed or granted changes until it is taken anew.
func TestEditsOfPlans(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic"})
		_, err := o.UpdatePlan(ctx, "basic", v1.CreatePlan{
			Name: "Simple", Price: 2000, Interval: &v1.Interval{Count: 1, Unit: "year"}, OnChange: "keep",
			Credits: []v1.PlanCredit{{CreditID: "calls", Amount: "700", Expires: "never"}},
		})
		noError(t, err)
		unchanged := func(credits money.Decimal) {
			t.Helper()
			now := o.read(sub.ID)
			equal(t, "name and price", fmt.Sprint(now.PlanName, now.Price, now.Interval), fmt.Sprint("Basic", 1000, v1.Interval{Count: 1, Unit: "month"}))
			equal(t, "credit", string(now.Credits[0].Amount)+" "+now.Credits[0].Expires, "100 cycle_end")
			o.has("c", credits)
		}
		unchanged("100")
		o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "simple"})
		unchanged("100")
		o.clock.Set(sub.Cycle.End)
		unchanged("100")
		equal(t, "invoices", o.totals("c"), "1000 open, 1000 open")
		equal(t, "history", o.history(sub.ID), "started renewed")

		taken := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic", Retake: true})
		equal(t, "taken anew", fmt.Sprint(taken.PlanName, taken.Price, taken.Interval.Unit), fmt.Sprint("Simple", 2000, "year"))
		o.has("c", "700")
		equal(t, "invoices", o.totals("c"), "1000 open, 1000 open, 2000 open")
		// With the cycle's end instead.
		later := o.subscribe(v1.Subscribe{CustomerID: "d", PlanID: "plus"})
		_, err = o.UpdatePlan(ctx, "plus", v1.CreatePlan{Name: "Plus", Price: 4000})
		noError(t, err)
		o.subscribe(v1.Subscribe{CustomerID: "d", PlanID: "plus", Retake: true, When: "cycle_end"})
		equal(t, "price until then", o.read(later.ID).Price, 3000)
		o.clock.Set(later.Cycle.End)
		equal(t, "price then", o.read(later.ID).Price, 4000)
		equal(t, "invoices", o.totals("d"), "3000 open, 4000 open")

		// A grant is delivered twice, with an edit of its pack in between.
		pack := v1.CreatePack{ID: "p", Name: "P", Items: []v1.PackItem{{ID: "a", CreditID: "calls", Amount: "10"}}}
		_, err = o.CreatePack(ctx, pack)
		noError(t, err)
		deliver := func() v1.Grants {
			t.Helper()
			g, err := o.Grant(ctx, v1.GrantRequest{CustomerID: "e", PackID: "p", ExternalRef: "cs_1"})
			noError(t, err)
			return g
		}
		first := deliver()
		pack.Items[0].Amount = "99"
		pack.Items = append(pack.Items, v1.PackItem{ID: "b", CreditID: "calls", Amount: "5"})
		_, err = o.UpdatePack(ctx, "p", pack)
		noError(t, err)
		second := deliver()
		equal(t, "existing", second.Existing, true)
		same(t, "delivered again", second.Grants, first.Grants)
		o.has("e", "10")
	})
}

// TestInvoices bills overage, numbers without a gap, and closes.
func TestInvoices(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		on := true
		o.plan(v1.CreatePlan{ID: "billed", Name: "Billed", Price: 1000, Credits: []v1.PlanCredit{{
			CreditID: "calls", Amount: "100",
			Overage: &v1.OverageOverride{Enabled: &on, Behavior: "invoice_at_billing", PricePerUnit: "2.5", Currency: "usd"},
		}}})
		ask := v1.Subscribe{CustomerID: "c", PlanID: "billed"}
		preview, err := o.PreviewSubscription(ctx, ask)
		noError(t, err)
		equal(t, "preview", lines(preview.Invoices[0]), "plan 1000")
		page, err := o.ListSubscriptions(ctx, v1.SubscriptionQuery{})
		noError(t, err)
		equal(t, "subscriptions after a preview", len(page.Data), 0)
		equal(t, "invoices after a preview", len(o.invoices("c")), 0)
		_, err = o.GetCustomer(ctx, "c")
		refused(t, err, fault.CodeCustomerNotFound, 404)

		sub := o.subscribe(ask)
		same(t, "as it was previewed", sub.Invoices[0].Lines, preview.Invoices[0].Lines)
		for month := range 12 {
			over := month * 3
			o.clock.Advance(time.Hour)
			o.spend("c", decimal(fmt.Sprint(100+over)))
			now := o.read(sub.ID)
			draft, err := o.NextInvoice(ctx, sub.ID)
			noError(t, err)
			equal(t, "draft", draft.Status+draft.ID+draft.Number, "draft")
			o.clock.Set(now.Cycle.End)
			all := o.invoices("c")
			equal(t, "invoices", len(all), month+2)
			issued := all[month+1]
			draft.ID, draft.Number, draft.Status = issued.ID, issued.Number, issued.Status
			same(t, "as it was foretold", draft, issued)
			want := "plan 1000"
			if over > 0 {
				want += fmt.Sprintf(", overage %d", (over*5+1)/2) // half up
			}
			equal(t, "lines", lines(issued), want)
			equal(t, "overage", balance(t, o, "c", o.calls).Overage, "0")
			o.has("c", "100")
		}
		first := o.invoices("c")[0]
		prefix, _, _ := strings.Cut(first.Number, "-")
		for i, v := range o.invoices("c") {
			equal(t, "number", v.Number, fmt.Sprintf("%s-%04d", prefix, i+1))
		}

		closes := func(id, how, reference string) reply {
			return o.call(o.secret, http.MethodPost, "/v1/invoices/"+id+"/"+how, v1.CloseInvoice{Reference: reference})
		}
		paid := read[v1.Invoice](t, closes(first.ID, "pay", "ch_1"))
		equal(t, "paid", fmt.Sprint(paid.Status, paid.Reference, paid.ClosedAt), fmt.Sprint("paid", "ch_1", o.clock.Now()))
		o.clock.Advance(time.Hour)
		same(t, "paid again", read[v1.Invoice](t, closes(first.ID, "pay", "ch_2")), paid)
		closes(first.ID, "void", "").is(t, 409, fault.CodeInvoiceClosed)
		void := o.invoices("c")[1].ID
		equal(t, "void", read[v1.Invoice](t, closes(void, "void", "a mistake")).Status, "void")
		closes(void, "pay", "").is(t, 409, fault.CodeInvoiceClosed)
		got, err := o.GetInvoice(ctx, first.ID)
		noError(t, err)
		same(t, "read", got, paid)
		open, err := o.ListInvoices(ctx, v1.InvoiceQuery{CustomerID: "c", Status: "open"})
		noError(t, err)
		equal(t, "open", len(open.Data), 11)

		// The end bills what the last cycle used.
		o.spend("c", "104")
		ended, err := o.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: "c"})
		noError(t, err)
		equal(t, "last", lines(ended.Invoices[0]), "overage 10")
	})
}

// TestTermsOfOneCustomer agrees on other terms of an included credit, from its next grant on.
func TestTermsOfOneCustomer(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic"})
		five := 5
		limit := money.Decimal("20")
		changed, err := o.UpdateSubscription(t.Context(), sub.ID, v1.UpdateSubscription{
			Credits: []v1.CreditTerms{{
				CreditID: "calls", Amount: "150", ExpiresAfterDays: &five,
				Overage: &v1.Overage{Enabled: true, Limit: &limit, Behavior: "invoice_at_billing", PricePerUnit: "3", Currency: "usd"},
			}},
			Metadata: v1.Metadata{"deal": "special"},
		})
		noError(t, err)
		equal(t, "credit", string(changed.Credits[0].Amount)+" "+changed.Credits[0].Expires, "150 after_days")
		o.has("c", "100")
		o.clock.Set(sub.Cycle.End)
		o.has("c", "150")
		o.spend("c", "170")
		_, err = o.Deduct(t.Context(), v1.DeductRequest{Charge: v1.Charge{CustomerID: "c", CreditID: o.calls, Amount: "1", Shortfall: "overage"}})
		wantCode(t, err, fault.CodeOverageLimitReached)
		draft, err := o.NextInvoice(t.Context(), sub.ID)
		noError(t, err)
		equal(t, "draft", lines(draft), "plan 1000, overage 60")
		o.clock.Set(o.read(sub.ID).Cycle.End)
		o.has("c", "150")
		o.clock.Advance(5 * 24 * time.Hour)
		o.has("c", "0")
		equal(t, "history", o.history(sub.ID), "started updated renewed renewed")
		// Nobody else has these terms.
		o.subscribe(v1.Subscribe{CustomerID: "d", PlanID: "basic"})
		o.has("d", "100")
	})
}

// TestBillingLists pages through everything, each once and the newest first, under every filter.
func TestBillingLists(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		for i := range 15 {
			customer := fmt.Sprintf("c%02d", i)
			plan := []string{"basic", "plus"}[i%2]
			sub := o.subscribe(v1.Subscribe{CustomerID: customer, PlanID: plan})
			switch i % 5 {
			case 1:
				_, err := o.PauseSubscription(ctx, sub.ID, v1.PauseSubscription{})
				noError(t, err)
			case 2:
				_, err := o.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: customer})
				noError(t, err)
				_, err = o.VoidInvoice(ctx, sub.Invoices[0].ID, v1.CloseInvoice{})
				noError(t, err)
			case 3:
				_, err := o.PayInvoice(ctx, sub.Invoices[0].ID, v1.CloseInvoice{})
				noError(t, err)
			}
			if i%3 > 0 { // several at one instant
				o.clock.Advance(time.Second)
			}
		}
		subs := func(q v1.SubscriptionQuery) int {
			t.Helper()
			return paged(t, func(limit int, cursor string) (v1.Page[v1.Subscription], error) {
				q.Limit, q.Cursor = limit, cursor
				return o.ListSubscriptions(ctx, q)
			}, func(s v1.Subscription) (string, clock.Instant) { return s.ID, s.StartedAt })
		}
		equal(t, "all", subs(v1.SubscriptionQuery{}), 15)
		equal(t, "active", subs(v1.SubscriptionQuery{Status: "active"}), 9)
		equal(t, "paused", subs(v1.SubscriptionQuery{Status: "paused"}), 3)
		equal(t, "ended", subs(v1.SubscriptionQuery{Status: "ended"}), 3)
		equal(t, "of a plan", subs(v1.SubscriptionQuery{PlanID: "PLUS"}), 7)
		equal(t, "of a customer", subs(v1.SubscriptionQuery{CustomerID: "c03"}), 1)
		equal(t, "of nobody", subs(v1.SubscriptionQuery{CustomerID: "nobody"}), 0)
		_, err := o.ListSubscriptions(ctx, v1.SubscriptionQuery{PlanID: "nothing"})
		refused(t, err, fault.CodePlanNotFound, 404)

		invoices := func(q v1.InvoiceQuery) int {
			t.Helper()
			return paged(t, func(limit int, cursor string) (v1.Page[v1.Invoice], error) {
				q.Limit, q.Cursor = limit, cursor
				return o.ListInvoices(ctx, q)
			}, func(v v1.Invoice) (string, clock.Instant) { return v.ID, v.IssuedAt })
		}
		equal(t, "invoices", invoices(v1.InvoiceQuery{}), 15)
		equal(t, "open", invoices(v1.InvoiceQuery{Status: "open"}), 9)
		equal(t, "paid", invoices(v1.InvoiceQuery{Status: "paid"}), 3)
		equal(t, "void", invoices(v1.InvoiceQuery{Status: "void"}), 3)

		// Of one customer, what time has made and nobody has written yet is there as well, once.
		page, err := o.ListSubscriptions(ctx, v1.SubscriptionQuery{CustomerID: "c00"})
		noError(t, err)
		id := page.Data[0].ID
		o.clock.Set(days(200))
		equal(t, "of a customer", invoices(v1.InvoiceQuery{CustomerID: "c00"}), 7)
		equal(t, "of a subscription", invoices(v1.InvoiceQuery{SubscriptionID: id}), 7)
		equal(t, "history", strings.Count(o.history(id), "renewed"), 6)
		_, err = o.engine.Sweep(ctx)
		noError(t, err)
		equal(t, "of a customer, written", invoices(v1.InvoiceQuery{CustomerID: "c00"}), 7)
		equal(t, "history, written", paged(t, func(limit int, cursor string) (v1.Page[v1.SubscriptionEvent], error) {
			return o.SubscriptionHistory(ctx, id, v1.PageQuery{Limit: limit, Cursor: cursor})
		}, func(e v1.SubscriptionEvent) (string, clock.Instant) { return e.Type + e.At.String(), e.At }), 7)
	})
}

// paged reads a list to its end by pages of several sizes and counts what is in it: each once, the
// newest first.
func paged[T any](t *testing.T, list func(limit int, cursor string) (v1.Page[T], error), of func(T) (string, clock.Instant)) int {
	t.Helper()
	n := -1
	for _, limit := range []int{1, 2, 7, v1.MaxPage} {
		seen := map[string]bool{}
		var last clock.Instant
		cursor := ""
		for {
			page, err := list(limit, cursor)
			noError(t, err)
			if len(page.Data) > limit || page.HasMore != (page.NextCursor != "") {
				t.Fatalf("a page of %d with more %t and the cursor %q", len(page.Data), page.HasMore, page.NextCursor)
			}
			for _, one := range page.Data {
				id, at := of(one)
				if seen[id] || last != 0 && at > last {
					t.Fatalf("%s at %s, after %s", id, at, last)
				}
				seen[id], last = true, at
			}
			if !page.HasMore {
				break
			}
			cursor = page.NextCursor
		}
		if n >= 0 && n != len(seen) {
			t.Fatalf("%d by pages of %d, %d before", len(seen), limit, n)
		}
		n = len(seen)
	}
	return n
}

// TestStrangersSeeNoBilling knocks at a subscription and its invoice with keys of the other mode and
// of another app.
func TestStrangersSeeNoBilling(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		sub := o.subscribe(v1.Subscribe{CustomerID: "c", PlanID: "basic"})
		invoice := sub.Invoices[0].ID
		other, err := o.accounts.App(t.Context(), o.app.Name+" of somebody else")
		noError(t, err)
		for _, who := range []struct {
			app  store.App
			mode catalog.Mode
		}{{o.app, catalog.Test}, {other, catalog.Live}} {
			_, key := o.newKey(t, who.app, who.mode, store.Secret)
			for _, path := range []string{"", "/history", "/next-invoice"} {
				o.call(key, http.MethodGet, "/v1/subscriptions/"+sub.ID+path, nil).is(t, 404, fault.CodeSubscriptionNotFound)
			}
			for _, path := range []string{"/pause", "/resume"} {
				o.call(key, http.MethodPost, "/v1/subscriptions/"+sub.ID+path, "{}").is(t, 404, fault.CodeSubscriptionNotFound)
			}
			o.call(key, http.MethodPatch, "/v1/subscriptions/"+sub.ID, "{}").is(t, 404, fault.CodeSubscriptionNotFound)
			o.call(key, http.MethodPost, "/v1/subscriptions/cancel", v1.CancelSubscription{SubscriptionID: sub.ID}).is(t, 404, fault.CodeSubscriptionNotFound)
			o.call(key, http.MethodGet, "/v1/invoices/"+invoice, nil).is(t, 404, fault.CodeInvoiceNotFound)
			for _, path := range []string{"/pay", "/void"} {
				o.call(key, http.MethodPost, "/v1/invoices/"+invoice+path, "{}").is(t, 404, fault.CodeInvoiceNotFound)
			}
			o.call(key, http.MethodGet, "/v1/invoices?subscription_id="+sub.ID, nil).is(t, 404, fault.CodeSubscriptionNotFound)
			for _, path := range []string{"/v1/subscriptions", "/v1/invoices", "/v1/subscriptions?customer_id=c", "/v1/invoices?customer_id=c"} {
				page := read[v1.Page[map[string]any]](t, o.call(key, http.MethodGet, path, nil))
				equal(t, "listed at "+path, len(page.Data), 0)
			}
		}
		equal(t, "status", o.read(sub.ID).Status, "active")
		equal(t, "invoices", o.totals("c"), "1000 open")
	})
}

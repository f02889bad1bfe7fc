package acceptance

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Plans as customers have them, alone and beside what they bought.
var subscriptionRows = []row[*forge]{
	{"V01 two images for life", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		f.use("u", gemini, "1")
		f.use("u", gemini, "1")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
		for range 13 {
			f.clock.Set(catalog.Interval{Count: 1, Unit: catalog.Month}.After(f.clock.Now()))
			f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
		}
		equal(t, "used", f.counter("u"), "2")
	}},
	{"V02 that model only", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		f.denied(f.reserve("u", dalle, "1"), false, "unmatched_event")
		equal(t, "used", f.counter("u"), "0")
	}},
	{"V03 free costs nothing", func(t *testing.T, f *forge) {
		sub := f.subscribe("u", "free")
		equal(t, "status", sub.Status, "active")
		equal(t, "price", sub.Price, 0)
		equal(t, "invoices", len(sub.Invoices), 0)
		f.clock.Set(days(400))
		page, err := f.ListInvoices(t.Context(), v1.InvoiceQuery{CustomerID: "u"})
		noError(t, err)
		equal(t, "invoices after a year", len(page.Data), 0)
		sub, err = f.GetSubscription(t.Context(), sub.ID)
		noError(t, err)
		equal(t, "status after a year", sub.Status, "active")
	}},
	{"V04 forty a month", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		for range 40 {
			f.use("u", gemini, "1")
		}
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
	}},
	{"V05 the next month has forty again", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.use("u", gemini, "40")
		period := func() string {
			u, err := f.Usage(t.Context(), "u", "")
			noError(t, err)
			return u.Period.Start.String() + " " + u.Period.End.String()
		}
		equal(t, "period", period(), "2026-03-01T00:00:00Z 2026-04-01T00:00:00Z")
		f.clock.Set(clockOf("2026-04-01T00:00:00Z") - 1)
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
		f.clock.Set(clockOf("2026-04-01T00:00:00Z"))
		f.use("u", gemini, "40")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
		equal(t, "next period", period(), "2026-04-01T00:00:00Z 2026-05-01T00:00:00Z")
	}},
	{"V06 any model counts on one counter", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		for _, event := range []string{gemini, dalle, "image.unheard-of"} {
			f.use("u", event, "1")
		}
		equal(t, "used", f.counter("u"), "3")
		f.denied(f.reserve("u", veo, "1"), false, "unmatched_event")
	}},
	{"V08 a top-up never expires", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_1")
		equal(t, "balances", len(g), 1)
		equal(t, "remaining", g[0].Available, "50")
		equal(t, "expires", g[0].ExpiresAt, 0)
		f.clock.Set(clockOf("2036-03-01T12:00:00Z"))
		f.use("u", gemini, "50")
	}},
	{"V09 a bundle is two balances of 90 days", func(t *testing.T, f *forge) {
		g := f.buy("u", bundle, "cs_1")
		equal(t, "balances", len(g), 2)
		for i, amount := range []money.Decimal{"10", "5"} {
			equal(t, "amount", g[i].Available, amount)
			equal(t, "expires", g[i].ExpiresAt, days(90))
		}
		f.clock.Set(days(90) - 1)
		f.allowed(f.reserve("u", dalle, "10"))
	}},
	{"V10 the bundle expires", func(t *testing.T, f *forge) {
		f.buy("u", bundle, "cs_1")
		f.clock.Set(days(90))
		f.denied(f.reserve("u", dalle, "1"), true, "no_subscription", "credits_exhausted")
		u, err := f.Usage(t.Context(), "u", "")
		noError(t, err)
		equal(t, "credits", len(u.Credits), 0)
		equal(t, "ledger", types(entries(t, f, "u")), "credit_added credit_added credit_expired credit_expired")
	}},
	{"V20 a plan that is replaced or taken off sale leaves balances and customers alone", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.buy("u", topUp, "cs_1")
		f.use("u", gemini, "41")
		before := balance(t, f, "u", f.renders)
		_, err := f.UpdatePlan(t.Context(), "pro", v1.CreatePlan{Name: "Pro", Price: 1200, Allowances: named("images", images("1", "monthly", "video.*"))})
		noError(t, err)
		same(t, "balance", balance(t, f, "u", f.renders), before)
		_, err = f.ArchivePlan(t.Context(), "pro")
		noError(t, err)
		same(t, "balance", balance(t, f, "u", f.renders), before)
		f.clock.Set(clockOf("2026-04-01T12:00:00Z"))
		f.use("u", gemini, "40") // under the terms that were agreed, in the next month too
		equal(t, "credits", balance(t, f, "u", f.renders).Available, "49")
		_, err = f.Subscribe(t.Context(), v1.Subscribe{CustomerID: "new", PlanID: "pro"})
		refused(t, err, fault.CodePlanNotFound, 404)
	}},
	{"V21 any user can buy: on free", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		g := f.buy("u", bundle, "cs_1")
		f.use("u", dalle, "1")
		f.has(g[0].ID, "9", "0")
		equal(t, "used of the plan", f.counter("u"), "0")
		f.use("u", dalle, "9")
		f.denied(f.reserve("u", dalle, "1"), true, "credits_exhausted")
	}},
	{"V22 any user can buy: on pro", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		g := f.buy("u", topUp, "cs_1")[0]
		f.use("u", gemini, "5")
		equal(t, "used of the plan", f.counter("u"), "5")
		f.has(g.ID, "50", "0")
	}},
	{"V42 the plan comes first", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		g := f.buy("u", topUp, "cs_1")[0]
		f.allowed(f.reserve("u", gemini, "1"))
		equal(t, "used of the plan", f.counter("u"), "1")
		f.has(g.ID, "50", "0")
	}},
	{"V43 credits when the plan is out", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.use("u", gemini, "40")
		g := f.buy("u", topUp, "cs_1")[0]
		f.allowed(f.reserve("u", gemini, "1"))
		equal(t, "used of the plan", f.counter("u"), "40")
		f.has(g.ID, "49", "1")
	}},
	{"V44 one call is split", func(t *testing.T, f *forge) {
		_, g, d := f.split()
		equal(t, "used of the plan", f.counter("u"), "40")
		f.has(g.ID, "49", "1")
		f.commit(d.ReservationID)
		f.has(g.ID, "49", "0")
		equal(t, "spent", f.grantNow(g.ID).Spent, "1")
	}},
	{"V45 a split that is released", func(t *testing.T, f *forge) {
		_, g, d := f.split()
		f.release(d.ReservationID)
		equal(t, "used of the plan", f.counter("u"), "39")
		f.has(g.ID, "50", "0")
		f.allowed(f.reserve("u", gemini, "51"))
	}},
	{"V58 remaining after three", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		for range 3 {
			f.use("u", gemini, "1")
		}
		u, err := f.Usage(t.Context(), "u", "image.*")
		noError(t, err)
		equal(t, "remaining", u.Counters[0].Remaining, "37")
		equal(t, "count", u.Counters[0].Count, "3")
	}},
	{"V57 V59 usage of a glob", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.buy("u", topUp, "cs_1")
		f.buy("u", bundle, "cs_2")
		u, err := f.Usage(t.Context(), "u", "image.*")
		noError(t, err)
		equal(t, "counters", len(u.Counters), 1)
		equal(t, "label", u.Counters[0].Label, "Images")
		var events []string
		var sum int64
		for _, c := range u.Credits {
			events = append(events, c.Events...)
			n, err := c.Remaining.Units(0)
			noError(t, err)
			sum += n
		}
		slices.Sort(events)
		same(t, "events", events, []string{dalle, gemini})
		equal(t, "sum of what remains", sum, 60)
	}},
	{"V61 a cancelled user keeps what was bought", func(t *testing.T, f *forge) {
		f.fallen()
		equal(t, "left", balance(t, f, "u", f.renders).Available, "80")
	}},
	{"V62 cancelling is going to free", func(t *testing.T, f *forge) {
		pro, free := f.fallen()
		equal(t, "subscription", free.ID, pro.ID)
		equal(t, "plan", free.PlanID, "free")
		page, err := f.SubscriptionHistory(t.Context(), free.ID, v1.PageQuery{})
		noError(t, err)
		last := page.Data[0]
		equal(t, "history", last.Type+" "+last.FromPlanID+" "+last.ToPlanID, "plan_changed pro free")
	}},
	{"V63 counters begin anew", func(t *testing.T, f *forge) {
		f.fallen()
		u, err := f.Usage(t.Context(), "u", "")
		noError(t, err)
		equal(t, "remaining", u.Counters[0].Remaining, "2")
	}},
	{"V64 credits come after the smaller quota", func(t *testing.T, f *forge) {
		f.fallen()
		for i, left := range []money.Decimal{"80", "80", "79"} {
			f.use("u", gemini, "1")
			if got := balance(t, f, "u", f.renders).Available; got != left {
				t.Fatalf("after use %d: %s credits, want %s", i+1, got, left)
			}
		}
	}},
	{"V65 the plan by its plain name", func(t *testing.T, f *forge) {
		for _, name := range []string{"free", "Free", "FREE"} {
			equal(t, "plan", f.subscribe("u", name).PlanID, "free")
		}
		_, err := f.Subscribe(t.Context(), v1.Subscribe{CustomerID: "u", PlanID: "premium"})
		refused(t, err, fault.CodePlanNotFound, 404)
	}},
	{"V73 many items in a pack", func(t *testing.T, f *forge) {
		for _, n := range []int{2, 20} {
			items := make([]v1.PackItem, n)
			for i := range items {
				items[i] = v1.PackItem{CreditID: f.renders, Amount: "10", Scope: only(eventOf(i))}
			}
			p := f.createPack(v1.CreatePack{Name: strings.Repeat("x", n), Items: items})
			user := "u" + p.ID
			made := f.buy(user, p.ID, "cs_1")
			equal(t, "balances", len(made), n)
			f.use(user, eventOf(1), "10")
			f.denied(f.reserve(user, eventOf(1), "1"), true, "no_subscription", "credits_exhausted")
			for i, g := range made {
				f.has(g.ID, map[bool]money.Decimal{true: "0", false: "10"}[i == 1], "0")
			}
		}
	}},
	{"V75 three sizes of one pack", func(t *testing.T, f *forge) {
		for size, amount := range map[string]money.Decimal{"Starter": "10", "Pro pack": "100", "Studio": "1000"} {
			p := f.createPack(v1.CreatePack{Name: size, Items: []v1.PackItem{{CreditID: f.renders, Amount: amount, Scope: only("image.*")}}})
			g := f.buy("buyer of "+size, p.ID, "cs_"+string(amount))
			equal(t, "amount of "+size, g[0].Available, amount)
		}
	}},
	{"V77 pay as you go, as a subscriber to nothing", func(t *testing.T, f *forge) {
		f.createPlan(v1.CreatePlan{ID: "free-0", Name: "Nothing", Allowances: images("0", "lifetime", "image.*")})
		f.subscribe("u", "free-0")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
		f.buy("u", topUp, "cs_1")
		f.use("u", gemini, "50")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_and_credits_exhausted")
	}},
	{"V81 both modes sell the same", func(t *testing.T, f *forge) {
		test := f.as(f.app, catalog.Test)
		for _, o := range []v1.Operations{f.ops, test} {
			sub, err := o.Subscribe(t.Context(), v1.Subscribe{CustomerID: "u", PlanID: "pro"})
			noError(t, err)
			equal(t, "price", sub.Price, 900)
			g, err := o.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: bundle, ExternalRef: "cs_1"})
			noError(t, err)
			equal(t, "grants", len(g.Grants), 2)
		}
		// What either has of it is its own.
		f.use("u", gemini, "40")
		d, err := test.CanUse(t.Context(), v1.CanUseRequest{Charge: charge("u", gemini, "40")})
		noError(t, err)
		f.allowed(d)
	}},
}

func TestVeveeSubscriptions(t *testing.T) { runRows(t, subscriptionRows, newForge) }

func eventOf(i int) string { return "image.model-" + string(rune('a'+i)) }

// split reserves 2 where the plan has 1 left: one call over the plan and a top-up.
func (f *forge) split() (v1.Subscription, v1.Grant, v1.Decision) {
	f.t.Helper()
	sub := f.subscribe("u", "pro")
	f.use("u", gemini, "39")
	g := f.buy("u", topUp, "cs_1")[0]
	d := f.reserve("u", gemini, "2")
	f.allowed(d)
	return sub, g, d
}

// fallen is a user of pro who bought 200, used 120 of them, and went to free.
func (f *forge) fallen() (pro, free v1.Subscription) {
	f.t.Helper()
	f.createPack(v1.CreatePack{ID: "cpk_200", Name: "Two hundred", Items: []v1.PackItem{{CreditID: f.renders, Amount: "200", Scope: only("image.*")}}})
	pro = f.subscribe("u", "pro")
	f.buy("u", "cpk_200", "cs_1")
	f.use("u", gemini, "160")
	f.clock.Set(days(7))
	return pro, f.subscribe("u", "free")
}

// What of the plans is about the wire.
var subscriptionWireRows = []row[*wired]{
	{"V11 a pack knows of no plan", func(t *testing.T, w *wired) {
		r := w.call(w.secret, http.MethodGet, "/v1/packs/"+bundle, nil)
		equal(t, "status", r.status, 200)
		for field := range read[map[string]any](t, r) {
			if strings.Contains(field, "plan") {
				t.Errorf("the pack has a field %s", field)
			}
		}
		equal(t, "items", len(read[v1.Pack](t, r).Items), 2)
	}},
	{"V07 the price of pro", func(t *testing.T, w *wired) {
		p := read[map[string]any](t, w.call(w.secret, http.MethodGet, "/v1/plans/PRO", nil))
		same(t, "price", []any{p["price"], p["currency"], p["interval"]}, []any{900, "usd", map[string]any{"count": 1, "unit": "month"}})
	}},
	{"V24 the browser subscribes nobody", func(t *testing.T, w *wired) {
		sub := w.subscribe("u", "free")
		_, public := w.newKey(t, w.app, catalog.Live, store.Publishable)
		token, err := w.client.MintToken(t.Context(), v1.MintToken{CustomerID: "u"})
		noError(t, err)
		for _, path := range []string{"", "/cancel", "/preview", "/" + sub.ID + "/pause"} {
			body := map[string]any{"customer_id": "u", "plan_id": "pro"}
			for _, headers := range [][]string{nil, {"Scrip-Customer-Token", token.Token}} {
				w.call(public, http.MethodPost, "/v1/subscriptions"+path, body, headers...).is(t, 403, fault.CodeRequiresSecretKey)
			}
		}
		now, err := w.client.GetSubscription(t.Context(), sub.ID)
		noError(t, err)
		equal(t, "plan", now.PlanID, "free")
	}},
	{"V47 what reserve answers", func(t *testing.T, w *wired) {
		w.subscribe("u", "free")
		d := read[map[string]any](t, w.post("/v1/reserve", charge("u", gemini, "2")))
		if id, _ := d["reservation_id"].(string); !strings.HasPrefix(id, "rsv_") || d["allowed"] != true || d["matched"] != true || d["expires_at"] == nil {
			t.Fatalf("answered %v", d)
		}
		same(t, "reasons", d["reasons"], []any{})
		d = read[map[string]any](t, w.post("/v1/reserve", charge("u", gemini, "1")))
		if _, there := d["reservation_id"]; there || d["allowed"] != false {
			t.Fatalf("answered %v", d)
		}
		same(t, "reasons", d["reasons"], []any{"plan_exhausted"})
	}},
	{"V50 the same calls with credits and without", func(t *testing.T, w *wired) {
		w.subscribe("plan", "pro")
		w.buy("credits", topUp, "cs_1")
		for _, user := range []string{"plan", "credits"} {
			d := read[v1.Decision](t, w.post("/v1/reserve", map[string]any{"customer_id": user, "event": gemini, "quantity": 1}))
			w.forge.allowed(d)
			done := w.post("/v1/commit", map[string]any{"reservation_id": d.ReservationID, "response": "https://example.test/cat.png"})
			equal(t, "status", read[v1.Reservation](t, done).Status, "committed")
		}
	}},
	{"V78 a test key sees the same story", func(t *testing.T, w *wired) {
		_, test := w.newKey(t, w.app, catalog.Test, store.Secret)
		live := w.story(w.secret)
		same(t, "the story", w.story(test), live)
		equal(t, "chapters", len(live), 10)
	}},
}

func TestVeveeSubscriptionsOverHTTP(t *testing.T) { runRows(t, subscriptionWireRows, newWired) }

// story is the seed's: free, a bundle, pro, a refund, and the end; told by what is left after each.
func (w *wired) story(key string) []string {
	t := w.forge.t
	t.Helper()
	c := w.wire.client(key)
	ctx := context.Background()
	var told []string
	tell := func(err error) {
		t.Helper()
		noError(t, err)
		u, err := c.Usage(ctx, "hero", "")
		noError(t, err)
		line := ""
		for _, n := range u.Counters {
			line += n.Label + " " + string(n.Remaining) + " "
		}
		for _, g := range u.Credits {
			line += strings.Join(g.Events, ",") + " " + string(g.Remaining) + "/" + string(g.Held) + " "
		}
		told = append(told, line)
	}
	use := func(event string, quantity money.Decimal) error {
		d, err := c.Reserve(ctx, v1.ReserveRequest{Charge: charge("hero", event, quantity)})
		if err == nil && d.Allowed {
			_, err = c.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID})
		}
		return err
	}
	_, err := c.Subscribe(ctx, v1.Subscribe{CustomerID: "hero", PlanID: "free"})
	tell(err)
	tell(use(gemini, "2"))
	bought, err := c.Grant(ctx, v1.GrantRequest{CustomerID: "hero", PackID: bundle, ExternalRef: "cs_1"})
	tell(err)
	_, err = c.Grant(ctx, v1.GrantRequest{CustomerID: "hero", PackID: bundle, ExternalRef: "cs_1"})
	tell(err)
	tell(use(dalle, "3"))
	_, err = c.Subscribe(ctx, v1.Subscribe{CustomerID: "hero", PlanID: "pro"})
	tell(err)
	tell(use(dalle, "41"))
	_, err = c.Reserve(ctx, v1.ReserveRequest{Charge: charge("hero", veo, "2")})
	tell(err)
	_, err = c.RevokeGrant(ctx, bought.Grants[0].ID, v1.RevokeRequest{Reason: "refunded"})
	tell(err)
	_, err = c.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: "hero"})
	tell(err)
	return told
}

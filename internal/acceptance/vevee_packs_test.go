package acceptance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// Packs and granting: what is sold, and what becomes of it when the webhook comes once, twice
// or fifty times.
var packRows = []row[*forge]{
	{"V13 an item may target one model", func(t *testing.T, f *forge) {
		f.buy("u", topUp, "cs_1")
		f.allowed(f.reserve("u", gemini, "1"))
		for _, event := range []string{gemini + "-2", "image", dalle, veo} {
			f.denied(f.reserve("u", event, "1"), false, "no_subscription")
		}
	}},
	{"V14 an item may target a category", func(t *testing.T, f *forge) {
		f.createPack(v1.CreatePack{
			ID: "cpk_images", Name: "Images",
			Items: []v1.PackItem{{CreditID: f.renders, Amount: "10", Scope: only("image.*")}},
		})
		f.buy("u", "cpk_images", "cs_1")
		for _, event := range []string{gemini, dalle, "image.gemini-3.1-flash"} {
			f.allowed(f.reserve("u", event, "1"))
		}
		for _, event := range []string{veo, "image", "imagery.dall-e-3"} {
			f.denied(f.reserve("u", event, "1"), false, "no_subscription")
		}
	}},
	{"V16 default expiry and price per pack", func(t *testing.T, f *forge) {
		for _, want := range []struct {
			id    string
			price int64
			days  int
		}{{topUp, 400, 0}, {bundle, 1500, 90}} {
			p, err := f.GetPack(t.Context(), want.id)
			noError(t, err)
			equal(t, "price", p.Price, want.price)
			equal(t, "currency", p.Currency, "usd")
			equal(t, "days", p.ExpiresAfterDays, want.days)
		}
		never := f.buy("u", topUp, "cs_1")[0]
		for _, g := range f.buy("u", bundle, "cs_2") {
			equal(t, "expiry of the bundle", g.ExpiresAt, days(90))
		}
		equal(t, "expiry of the top-up", never.ExpiresAt, 0)
		f.clock.Set(days(90))
		f.denied(f.reserve("u", dalle, "1"), true, "no_subscription", "credits_exhausted")
		ledger := entries(t, f, "u")
		equal(t, "entries", types(ledger), strings.Repeat("credit_added ", 3)+"credit_expired credit_expired")
		f.clock.Set(days(3650))
		f.allowed(f.reserve("u", gemini, "50"))
	}},
	{"V17 each item becomes a bucket of its own", func(t *testing.T, f *forge) {
		grants := f.buy("u", bundle, "cs_1")
		equal(t, "grants", len(grants), 2)
		if grants[0].ID == grants[1].ID {
			t.Fatal("both items share a grant")
		}
		equal(t, "first item", grants[0].PackItemID, "d")
		equal(t, "second item", grants[1].PackItemID, "v")
		for _, g := range grants {
			equal(t, "pack", g.PackID, bundle)
		}
	}},
	{"V17 two items of one pack never share an id", func(t *testing.T, f *forge) {
		for _, ids := range [][2]string{{"same", "same"}, {"", "cpk_twins.1"}} {
			_, err := f.CreatePack(t.Context(), v1.CreatePack{ID: "cpk_twins", Name: "Twins", Items: []v1.PackItem{
				{ID: ids[0], CreditID: f.renders, Amount: "1"}, {ID: ids[1], CreditID: f.renders, Amount: "2"},
			}})
			refused(t, err, fault.CodeInvalidID, 400)
		}
	}},
	{"V18 video does not drain image credits", func(t *testing.T, f *forge) {
		grants := f.buy("u", bundle, "cs_1")
		f.use("u", veo, "5")
		f.denied(f.reserve("u", veo, "1"), true, "no_subscription", "credits_exhausted")
		f.has(grants[0].ID, "10", "0")
		f.has(grants[1].ID, "0", "0")
	}},
	{"V19 images do not drain video credits", func(t *testing.T, f *forge) {
		grants := f.buy("u", bundle, "cs_1")
		f.use("u", dalle, "10")
		f.denied(f.reserve("u", dalle, "1"), true, "no_subscription", "credits_exhausted")
		f.has(grants[0].ID, "0", "0")
		f.has(grants[1].ID, "5", "0")
	}},
	{"V20 packs are peers of plans", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		g := f.buy("u", topUp, "cs_1")[0]
		before := balance(t, f, "u", f.renders)
		f.subscribe("u", "pro")
		f.unsubscribe("u")
		_, err := f.ArchivePack(t.Context(), topUp)
		noError(t, err)
		same(t, "balance", balance(t, f, "u", f.renders), before)
		f.has(g.ID, "50", "0")
		f.allowed(f.reserve("u", gemini, "50"))
	}},
	{"V23 a user nobody has seen can buy", func(t *testing.T, f *forge) {
		if _, err := f.GetCustomer(t.Context(), "new"); err == nil {
			t.Fatal("the customer is there before it was seen")
		}
		f.buy("new", topUp, "cs_1")
		f.allowed(f.reserve("new", gemini, "1"))
		c, err := f.GetCustomer(t.Context(), "new")
		noError(t, err)
		equal(t, "customer", c.ID, "new")
	}},
	{"V34 a pack is granted without a quantity", func(t *testing.T, f *forge) {
		for _, g := range f.buy("u", bundle, "cs_1") {
			equal(t, "amount of "+g.PackItemID, g.Amount, map[string]money.Decimal{"d": "10", "v": "5"}[g.PackItemID])
			equal(t, "available of "+g.PackItemID, g.Available, g.Amount)
		}
	}},
	{"V35 the external reference is the session", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_test_a1B2")[0]
		equal(t, "external_ref", f.grantNow(g.ID).ExternalRef, "cs_test_a1B2")
	}},
	{"V36 source and notes are kept", func(t *testing.T, f *forge) {
		for _, g := range f.buy("u", bundle, "cs_1") {
			g = f.grantNow(g.ID)
			equal(t, "source", g.Source, "purchase")
			equal(t, "reason", g.Reason, "bought "+bundle)
		}
		for _, e := range entries(t, f, "u") {
			equal(t, "reason of the entry", e.Reason, "bought "+bundle)
		}
	}},
	{"V37 one balance an item", func(t *testing.T, f *forge) {
		equal(t, "of the bundle", len(f.buy("u", bundle, "cs_1")), 2)
		equal(t, "of the top-up", len(f.buy("u", topUp, "cs_2")), 1)
	}},
	{"V38 a webhook may be repeated for ever", repeatedWebhook},
	{"V39 parallel webhooks grant once", parallelWebhooks},
	{"V40 one reference stands for all items", func(t *testing.T, f *forge) {
		first := f.buy("u", bundle, "cs_1")
		f.use("u", dalle, "10") // a drained item comes back as well
		again := f.buy("u", bundle, "cs_1")
		equal(t, "grants", len(again), 2)
		for i := range again {
			equal(t, "id", again[i].ID, first[i].ID)
		}
		equal(t, "drained item", again[0].Available, "0")
		equal(t, "other item", again[1].Available, "5")
	}},
	{"V69 what an order granted is found by its reference", func(t *testing.T, f *forge) {
		made := f.buy("u", bundle, "cs_order")
		f.buy("u", topUp, "cs_other")
		f.use("u", dalle, "10") // a drained item is found as well
		page, err := f.CustomerGrants(t.Context(), "u", v1.GrantQuery{ExternalRef: "cs_order"})
		noError(t, err)
		ids := map[string]bool{}
		for _, g := range page.Data {
			ids[g.ID] = true
		}
		same(t, "ids", ids, map[string]bool{made[0].ID: true, made[1].ID: true})
		page, err = f.CustomerGrants(t.Context(), "u", v1.GrantQuery{ExternalRef: "cs_nobody"})
		noError(t, err)
		equal(t, "grants of no order", len(page.Data), 0)
	}},
	{"V74 a promotion", func(t *testing.T, f *forge) {
		g, err := f.Grant(t.Context(), v1.GrantRequest{
			CustomerID: "u", PackID: bundle, Source: "grant", ExpiresAt: v1.ExpiresAt(days(30)),
		})
		noError(t, err)
		equal(t, "grants", len(g.Grants), 2)
		for i, amount := range []money.Decimal{"10", "5"} {
			equal(t, "amount", g.Grants[i].Amount, amount)
			equal(t, "source", g.Grants[i].Source, "grant")
			equal(t, "expiry", g.Grants[i].ExpiresAt, days(30))
		}
		f.clock.Set(days(30))
		f.denied(f.reserve("u", dalle, "1"), true, "no_subscription", "credits_exhausted")
	}},
}

// repeatedWebhook delivers one purchase a hundred times, over four days, under its own event id
// and under new ones, while the credits are used.
func repeatedWebhook(t *testing.T, f *forge) {
	first := f.buy("u", bundle, "cs_1")
	f.use("u", dalle, "4")
	written := len(entries(t, f, "u"))
	for i := range 100 {
		if i == 50 {
			f.clock.Advance(4 * 24 * time.Hour)
		}
		key := fmt.Sprintf("evt_%d", i/2*2)
		again, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: bundle, ExternalRef: "cs_1"}, v1.IdempotencyKey(key))
		noError(t, err)
		equal(t, "existing", again.Existing, true)
		equal(t, "grants", len(again.Grants), 2)
		for j := range again.Grants {
			equal(t, "id", again.Grants[j].ID, first[j].ID)
		}
		equal(t, "what is left", again.Grants[0].Available, "6")
	}
	f.has(first[0].ID, "6", "0")
	f.has(first[1].ID, "5", "0")
	equal(t, "entries", len(entries(t, f, "u")), written)

	// A key from the first day gets the first day's answer, whatever was used since.
	f.use("u", dalle, "1")
	f.clock.Advance(4 * 24 * time.Hour)
	for key, left := range map[string]money.Decimal{"evt_0": "6", "evt_new": "5"} {
		again, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: bundle, ExternalRef: "cs_1"}, v1.IdempotencyKey(key))
		noError(t, err)
		equal(t, "id", again.Grants[0].ID, first[0].ID)
		equal(t, "what was left, under "+key, again.Grants[0].Available, left)
	}
}

// parallelWebhooks delivers one purchase fifty times at once.
func parallelWebhooks(t *testing.T, f *forge) {
	var mu sync.Mutex
	seen := map[string]int{}
	together(50, func(int) {
		g, err := f.Grant(context.Background(), v1.GrantRequest{CustomerID: "u", PackID: bundle, ExternalRef: "cs_1"})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Error(err)
			return
		}
		for _, made := range g.Grants {
			seen[made.ID+" "+made.PackItemID]++
		}
	})
	equal(t, "different grants", len(seen), 2)
	for what, n := range seen {
		equal(t, what, n, 50)
	}
	page, err := f.CustomerGrants(t.Context(), "u", v1.GrantQuery{})
	noError(t, err)
	equal(t, "grants", len(page.Data), 2)
	equal(t, "entries", types(entries(t, f, "u")), "credit_added credit_added")
}

func TestVeveePacks(t *testing.T) { runRows(t, packRows, newForge) }

// The modes of an app share their definitions and nothing else.
var modeRows = []row[*forge]{
	{"V79 test balances live apart", func(t *testing.T, f *forge) {
		sandbox := f.as(f.app, catalog.Test)
		made, err := sandbox.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: topUp, ExternalRef: "cs_1"})
		noError(t, err)
		b, err := f.Balances(t.Context(), "u", "", 0)
		noError(t, err)
		equal(t, "balances seen in live mode", len(b.Data), 0)
		f.denied(f.reserve("u", gemini, "1"), false, "no_subscription")

		// The same customer and reference in live mode are somebody else.
		live := f.buy("u", topUp, "cs_1")
		if live[0].ID == made.Grants[0].ID {
			t.Fatal("live and test share a grant")
		}
		f.use("u", gemini, "50")
		equal(t, "test balance", balance(t, sandbox, "u", f.renders).Available, "50")
	}},
}

func TestVeveeModes(t *testing.T) { runRows(t, modeRows, newForge) }

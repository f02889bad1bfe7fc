package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// kit is GoLiveKit: one credit, of which bonus credits go before purchased ones.
type kit struct {
	*world
	t      *testing.T
	credit string
	*wire
	client *client.Client
}

func newKit(t *testing.T, db *database) *kit { return kitOver(t, newWorld(t, db)) }

func kitOver(t *testing.T, w *world) *kit {
	t.Helper()
	k := &kit{world: w, t: t}
	c, err := w.live().CreateCredit(t.Context(), v1.CreateCredit{
		Name: "Credits", Unit: "credit", DrawOrder: v1.DrawOrder{"promotional_first"},
	})
	noError(t, err)
	k.credit, k.wire = c.ID, w.serve(t)
	_, secret := w.newKey(t, w.app, catalog.Live, store.Secret)
	k.client = k.wire.client(secret)
	return k
}

// add is addCreditsDirectly; with a package's session it is what a purchase does.
func (k *kit) add(amount money.Decimal, category, reason string) v1.Grant {
	k.t.Helper()
	g, err := k.client.Grant(context.Background(), v1.GrantRequest{
		CustomerID: "u", CreditID: k.credit, Amount: amount, Category: category, Reason: reason,
	})
	noError(k.t, err)
	return g.Grants[0]
}

func (k *kit) charge(amount money.Decimal) v1.DeductRequest {
	return v1.DeductRequest{Charge: v1.Charge{CustomerID: "u", CreditID: k.credit, Amount: amount, Reason: "image"}}
}

func (k *kit) deduct(amount money.Decimal) v1.Deducted {
	k.t.Helper()
	d, err := k.client.Deduct(context.Background(), k.charge(amount))
	noError(k.t, err)
	return d
}

// holds fails the test unless the billing state is this one.
func (k *kit) holds(bonus, purchased, used money.Decimal) v1.Balance {
	k.t.Helper()
	b := balance(k.t, k.client, "u", k.credit)
	equal(k.t, "bonus", b.ByCategory.Promotional.Available, bonus)
	equal(k.t, "purchased", b.ByCategory.Paid.Available, purchased)
	equal(k.t, "used", b.Used, used)
	return b
}

var kitRows = []row[*kit]{
	{"G04 bonus is given by admins", func(_ *testing.T, k *kit) {
		k.add("1000", "paid", "starter")
		k.add("250", "promotional", "beta tester")
		k.holds("250", "1000", "0")
	}},
	{"G05 available is the sum", func(t *testing.T, k *kit) {
		k.add("1000", "paid", "starter")
		k.add("250", "promotional", "beta tester")
		equal(t, "available", k.holds("250", "1000", "0").Available, "1250")
	}},
	{"G06 bonus goes first", func(_ *testing.T, k *kit) {
		k.add("1000", "paid", "starter")
		k.add("250", "promotional", "beta tester")
		k.deduct("40")
		k.holds("210", "1000", "40")
	}},
	{"G07 the rest comes from purchased", func(t *testing.T, k *kit) {
		paid := k.add("100", "paid", "starter")
		bonus := k.add("30", "promotional", "signup")
		d := k.deduct("50")
		k.holds("0", "80", "50")
		// The row asks for two ledger rows of one operation. Ours are the two slices of one entry:
		// an entry is what a command did to one credit (design section 5.4), and says of each grant
		// how much. Two credits make two entries, which share an operation_id.
		equal(t, "entries", types(entries(t, k.client, "u")), "credit_added credit_added credit_deducted")
		same(t, "slices", d.Entry.Slices, []v1.Slice{{GrantID: bonus.ID, Amount: "-30"}, {GrantID: paid.ID, Amount: "-20"}})
		stored, err := k.client.GetEntry(t.Context(), d.Entry.ID)
		noError(t, err)
		same(t, "stored entry", stored, d.Entry)
	}},
	{"G08 bonus exactly used up", func(_ *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.add("30", "promotional", "signup")
		k.deduct("30")
		k.holds("0", "100", "30")
	}},
	{"G09 promotional credits always go first", bonusFirst},
	{"G22 adding directly", func(t *testing.T, k *kit) {
		g := k.add("250", "promotional", "compensation for the outage")
		equal(t, "reason of the grant", g.Reason, "compensation for the outage")
		ledger := entries(t, k.client, "u")
		equal(t, "entries", types(ledger), "credit_added")
		equal(t, "reason in the ledger", ledger[0].Reason, "compensation for the outage")
		equal(t, "amount", ledger[0].Amount, "250")
	}},
	{"G23 adding needs sane input", insaneInput},
	{"G24 a deduction says why", func(t *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.deduct("40")
		ledger := entries(t, k.client, "u")
		equal(t, "reason", ledger[1].Reason, "image")
		equal(t, "amount", ledger[1].Amount, "-40")
	}},
	{"G25 the answer tells the new balance", func(t *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.add("30", "promotional", "signup")
		d := k.deduct("40")
		equal(t, "in the answer", d.Balance.Available, "90")
		same(t, "balance read next", k.holds("0", "90", "40"), d.Balance)
	}},
	{"G26 too little is an error of its own", tooLittle},
	{"G28 the operation runs only after the deduction", func(t *testing.T, k *kit) {
		k.add("9", "paid", "starter")
		ran := 0
		endpoint := func() {
			if _, err := k.client.Deduct(t.Context(), k.charge("10")); err != nil {
				return
			}
			ran++
		}
		endpoint()
		equal(t, "runs with 9 credits", ran, 0)
		k.add("1", "paid", "more")
		endpoint()
		equal(t, "runs with 10 credits", ran, 1)
	}},
	{"G29 what failed later stays spent, or is given back", func(t *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.add("30", "promotional", "signup")
		d := k.deduct("50")
		k.holds("0", "80", "50") // the operation failed, and nobody gave anything back
		_, err := k.client.Reverse(t.Context(), d.Entry.ID, v1.ReverseRequest{Reason: "the operation failed"})
		noError(t, err)
		k.holds("30", "100", "0")
		// The better path: nothing is spent before the work is done.
		held, err := k.client.Reserve(t.Context(), v1.ReserveRequest{Charge: k.charge("50").Charge})
		noError(t, err)
		_, err = k.client.Release(t.Context(), v1.ReleaseRequest{ReservationID: held.ReservationID, ErrorCode: "provider_error"})
		noError(t, err)
		k.holds("30", "100", "0")
	}},
	{"G30 parallel deductions", func(t *testing.T, k *kit) {
		k.add("450", "paid", "starter")
		k.add("50", "promotional", "signup")
		var done, refused atomic.Int64
		together(100, func(int) {
			switch _, err := k.client.Deduct(context.Background(), k.charge("10")); fault.CodeOf(err) {
			case "":
				done.Add(1)
			case fault.CodeInsufficientCredits:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
		equal(t, "deductions", done.Load(), 50)
		equal(t, "refusals", refused.Load(), 50)
		k.holds("0", "0", "500")
		for _, e := range entries(t, k.client, "u") {
			if n, err := e.BalanceAfter.Units(0); err != nil || n < 0 {
				t.Fatalf("balance %s after entry %d", e.BalanceAfter, e.Sequence)
			}
		}
	}},
	{"G31 what the page shows", func(t *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.add("30", "promotional", "signup")
		k.deduct("50")
		b := k.holds("0", "80", "50")
		equal(t, "balance", b.Balance, "80")
		equal(t, "name", b.CreditName, "Credits")
		equal(t, "unit", b.Unit, "credit")
	}},
	{"G32 an unknown user has zeros", func(t *testing.T, k *kit) {
		r := k.call(k.secret(), http.MethodGet, "/v1/customers/nobody/balances?credit_id="+k.credit, nil)
		equal(t, "status", r.status, 200)
		all := read[v1.Balances](t, r).Data
		equal(t, "balances", len(all), 1)
		for what, got := range map[string]money.Decimal{
			"balance": all[0].Balance, "available": all[0].Available, "used": all[0].Used,
			"purchased": all[0].ByCategory.Paid.Available, "bonus": all[0].ByCategory.Promotional.Available,
		} {
			equal(t, what, got, "0")
		}
		_, err := k.client.GetCustomer(t.Context(), "nobody")
		wantCode(t, err, fault.CodeCustomerNotFound)
	}},
	{"G33 used counts deductions", func(_ *testing.T, k *kit) {
		k.add("100", "paid", "starter")
		k.deduct("40")
		k.deduct("10")
		k.holds("0", "50", "50")
		k.add("25", "promotional", "signup")
		k.add("25", "paid", "more")
		k.holds("25", "75", "50")
	}},
}

func TestGoLiveKit(t *testing.T) { runRows(t, kitRows, newKit) }

// secret makes another secret key.
func (k *kit) secret() string {
	k.t.Helper()
	_, text := k.newKey(k.t, k.app, catalog.Live, store.Secret)
	return text
}

// bonusFirst makes a hundred random deductions, with bonus credits added on the way: as long as
// there is any bonus, nothing is taken from what was paid for.
func bonusFirst(t *testing.T, k *kit) {
	random := seeded(t)
	k.add("100000", "paid", "starter")
	ops := k.live() // in process: a hundred times over HTTP shows no more
	paid := int64(100000)
	for range 100 {
		if random.IntN(5) == 0 {
			k.add(money.Decimal(fmt.Sprint(1+random.IntN(300))), "promotional", "more")
		}
		before := balance(t, ops, "u", k.credit)
		_, err := ops.Deduct(t.Context(), k.charge(money.Decimal(fmt.Sprint(1+random.IntN(100)))))
		noError(t, err)
		after := balance(t, ops, "u", k.credit)
		now, err := after.ByCategory.Paid.Available.Units(0)
		noError(t, err)
		if now < paid && after.ByCategory.Promotional.Available != "0" {
			t.Fatalf("purchased went from %d to %d, although of %s bonus %s is left",
				paid, now, before.ByCategory.Promotional.Available, after.ByCategory.Promotional.Available)
		}
		paid = now
	}
}

// insaneInput is what adding directly refuses.
func insaneInput(t *testing.T, k *kit) {
	secret := k.secret()
	for _, c := range []struct {
		body string
		code fault.Code
	}{
		{`"amount":"0"`, fault.CodeInvalidAmount},
		{`"amount":"-5"`, fault.CodeInvalidAmount},
		{`"amount":0`, fault.CodeInvalidAmount},
		{`"amount":-5`, fault.CodeInvalidAmount},
		{`"amount":"1.5"`, fault.CodeAmountTooPrecise},
		{`"amount":1.5`, fault.CodeAmountTooPrecise},
		{`"amount":"NaN"`, fault.CodeInvalidAmount},
		{`"amount":"Infinity"`, fault.CodeInvalidAmount},
		{`"amount":"1e400"`, fault.CodeAmountOutOfRange},
		{`"amount":"9223372036854775807"`, fault.CodeInvalidAmount},
		{`"amount":"ten"`, fault.CodeInvalidAmount},
		{`"reason":"no amount"`, fault.CodeMissingField},
		{`"amount":"5","category":"gift"`, fault.CodeInvalidRequest},
	} {
		r := k.call(secret, http.MethodPost, "/v1/grants", `{"customer_id":"u","credit_id":"`+k.credit+`",`+c.body+`}`)
		if r.status != 400 {
			t.Errorf("%s: %d %s, want 400 %s", c.body, r.status, r.code, c.code)
		} else if r.code != c.code {
			t.Errorf("%s: %s, want %s", c.body, r.code, c.code)
		}
	}
	equal(t, "entries", len(entries(t, k.client, "u")), 0)
}

// tooLittle is the error that a caller can tell from every other one. The row knows of a switch to
// status 400; there is none here: the design has one behaviour, and a denial that is no error is
// what reserve and can-use answer.
func tooLittle(t *testing.T, k *kit) {
	k.add("9", "paid", "starter")
	before := balance(t, k.client, "u", k.credit)
	r := k.call(k.secret(), http.MethodPost, "/v1/deduct", k.charge("10"))
	r.is(t, http.StatusPaymentRequired, fault.CodeInsufficientCredits)
	_, err := k.client.Deduct(t.Context(), k.charge("10"))
	short := asShort(err)
	if short == nil {
		t.Fatalf("%v is no InsufficientCreditsError", err)
	}
	equal(t, "required", short.Required, "10")
	equal(t, "available", short.Available, "9")
	same(t, "balance", balance(t, k.client, "u", k.credit), before)
	equal(t, "entries", len(entries(t, k.client, "u")), 1)
}

// TestG27OtherErrorsAreNotSwallowed takes the store away: what the caller reads is neither a
// refusal nor an answer, and nothing has happened when the store is back.
func TestG27OtherErrorsAreNotSwallowed(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &breakable{Store: db.store}
		w := newWorldOver(t, db, st, engine.Options{})
		k := kitOver(t, w)
		k.add("9", "paid", "starter")
		secret := k.secret()
		st.down.Store(true)
		for path, body := range map[string]any{"/v1/deduct": k.charge("10"), "/v1/reserve": k.charge("1"), "/v1/can-use": k.charge("1")} {
			r := k.call(secret, http.MethodPost, path, body)
			r.is(t, http.StatusServiceUnavailable, fault.CodeStoreUnavailable)
			equal(t, "Retry-After", r.header.Get("Retry-After"), "1")
		}
		k.call(secret, http.MethodGet, "/v1/customers/u/balances", nil).is(t, 503, fault.CodeStoreUnavailable)
		k.call(secret, http.MethodGet, "/readyz", nil).is(t, 503, fault.CodeStoreUnavailable)
		equal(t, "liveness", k.call(secret, http.MethodGet, "/healthz", nil).status, 200)
		st.down.Store(false)
		k.call(secret, http.MethodPost, "/v1/deduct", k.charge("10")).is(t, 402, fault.CodeInsufficientCredits)
		k.holds("0", "9", "0")
	})
}

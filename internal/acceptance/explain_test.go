package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// shown is a customer whose charges are explained. Grants have names, so that a row can say which.
type shown struct {
	*forge
	names map[string]string // by id
}

// credit defines a credit that orders its grants in some way.
func (w *shown) credit(name string, order ...string) {
	w.t.Helper()
	_, err := w.CreateCredit(context.Background(), v1.CreateCredit{Name: name, Unit: "x", DrawOrder: order})
	noError(w.t, err)
	w.clock.Advance(time.Second)
}

// gives grants under a name.
func (w *shown) gives(name string, r v1.GrantRequest) {
	w.t.Helper()
	r.CustomerID = "u"
	g, err := w.Grant(context.Background(), r)
	noError(w.t, err)
	w.names[g.Grants[0].ID] = name
	w.clock.Advance(time.Second)
}

// say writes an explanation in one line: order, candidates (taken of available, because), the
// excluded, allowances, and what would have been enough.
func (w *shown) say(e *v1.Explanation) string {
	var b strings.Builder
	fmt.Fprint(&b, strings.Join(e.DrawOrder, ","), " |")
	if e.OrderLost {
		fmt.Fprint(&b, " lost |")
	}
	for _, c := range e.Candidates {
		fmt.Fprintf(&b, " %s %s/%s %s", w.names[c.GrantID], c.Taken, c.Available, c.Because)
		b.WriteString(";")
	}
	for _, x := range e.Excluded {
		fmt.Fprintf(&b, " not %s %s;", w.names[x.GrantID], x.Because)
	}
	for _, a := range e.Allowances {
		fmt.Fprintf(&b, " %s %s/%s;", a.AllowanceID, a.Taken, a.Remaining)
	}
	if !e.Allowed {
		fmt.Fprintf(&b, " refused %s: %s needed, %s there, %s enough", strings.Join(e.Reasons, ","), e.Required, e.Available, e.Enough)
	}
	return b.String()
}

// asks explains a charge that is not made.
func (w *shown) asks(c v1.Charge) string {
	w.t.Helper()
	c.CustomerID = "u"
	e, err := w.ExplainCharge(context.Background(), v1.CanUseRequest{Charge: c})
	noError(w.t, err)
	return w.say(&e)
}

// deducts makes a charge and explains its first entry.
func (w *shown) deducts(c v1.Charge) string {
	w.t.Helper()
	c.CustomerID = "u"
	d, err := w.Deduct(context.Background(), v1.DeductRequest{Charge: c})
	noError(w.t, err)
	return w.explains(d.Entry.ID)
}

func (w *shown) explains(entry string) string {
	w.t.Helper()
	e, err := w.Explain(context.Background(), entry)
	noError(w.t, err)
	return w.say(&e)
}

// lastly explains the newest entry.
func (w *shown) lastly() string {
	w.t.Helper()
	all := entries(w.t, w, "u")
	return w.explains(all[len(all)-1].ID)
}

const usual = "priority,expires_at,category,effective_at,created_at |"

func first(n int) *int { return &n }

func (w *shown) soon() v1.Expiry { return v1.ExpiresAt(w.clock.Now().Add(time.Hour)) }

// explainRows are situations, and what is said of a charge before it is made, once it was made and
// where it would be refused.
var explainRows = []row[*shown]{
	{"direct, by the usual order", func(t *testing.T, w *shown) {
		w.credit("A")
		w.gives("late", v1.GrantRequest{CreditID: "A", Amount: "10"})
		w.gives("soon", v1.GrantRequest{CreditID: "A", Amount: "5", ExpiresAt: w.soon()})
		w.gives("first", v1.GrantRequest{CreditID: "A", Amount: "2", Priority: first(1)})
		want := usual + " first 2/2 priority; soon 5/5 expires_at; late 1/10 last;"
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Amount: "8"}), want)
		equal(t, "made", w.deducts(v1.Charge{CreditID: "A", Amount: "8"}), want)
		equal(t, "refused", w.asks(v1.Charge{CreditID: "A", Amount: "10"}), usual+" late 0/9 last; refused credits_exhausted: 10 needed, 9 there, 1 enough")
	}},
	{"direct, fifo", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.gives("old", v1.GrantRequest{CreditID: "A", Amount: "10"})
		w.gives("new", v1.GrantRequest{CreditID: "A", Amount: "10", Priority: first(1), ExpiresAt: w.soon()})
		want := "created_at | old 10/10 created_at; new 1/10 last;"
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Amount: "11"}), want)
		equal(t, "made", w.deducts(v1.Charge{CreditID: "A", Amount: "11"}), want)
		equal(t, "refused", w.asks(v1.Charge{CreditID: "A", Amount: "10"}), "created_at | new 0/9 last; refused credits_exhausted: 10 needed, 9 there, 1 enough")
	}},
	{"direct, past what has a scope", func(t *testing.T, w *shown) {
		w.credit("A")
		w.gives("scoped", v1.GrantRequest{CreditID: "A", Amount: "10", Priority: first(0), Scope: only("chat")})
		w.gives("free", v1.GrantRequest{CreditID: "A", Amount: "10"})
		want := usual + " free 3/10 last; not scoped scope;"
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Amount: "3"}), want)
		equal(t, "made", w.deducts(v1.Charge{CreditID: "A", Amount: "3"}), want)
	}},
	{"gated, one credit with an order of its own", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.gives("old", v1.GrantRequest{CreditID: "A", Amount: "2", Scope: only("chat")})
		w.gives("new", v1.GrantRequest{CreditID: "A", Amount: "5", Scope: only("chat"), Priority: first(0)})
		w.gives("other", v1.GrantRequest{CreditID: "A", Amount: "5", Scope: only("image.*")})
		w.gives("free", v1.GrantRequest{CreditID: "A", Amount: "5"})
		want := "created_at | old 2/2 created_at; new 1/5 last; not other scope; not free no_scope;"
		equal(t, "asked", w.asks(v1.Charge{Event: "chat", Quantity: "3"}), want)
		equal(t, "made", w.deducts(v1.Charge{Event: "chat", Quantity: "3"}), want)
		equal(t, "refused", w.asks(v1.Charge{Event: "chat", Quantity: "6"}), "created_at | new 0/4 last; not other scope; not free no_scope; refused no_subscription,credits_exhausted: 6 needed, 4 there, 2 enough")
	}},
	{"gated, credits of one order", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.credit("B", "fifo")
		w.gives("b", v1.GrantRequest{CreditID: "B", Amount: "2", Scope: only("chat")})
		w.gives("a", v1.GrantRequest{CreditID: "A", Amount: "2", Scope: only("chat"), Priority: first(0)})
		want := "created_at | b 2/2 created_at; a 1/2 last;"
		equal(t, "asked", w.asks(v1.Charge{Event: "chat", Quantity: "3"}), want)
		equal(t, "made", w.deducts(v1.Charge{Event: "chat", Quantity: "3"}), want)
		equal(t, "its other entry", w.lastly(), want)
	}},
	{"gated, credits of different orders", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.credit("B", "promotional_first")
		w.gives("b", v1.GrantRequest{CreditID: "B", Amount: "2", Scope: only("chat")})
		w.gives("a", v1.GrantRequest{CreditID: "A", Amount: "2", Scope: only("chat"), Priority: first(0)})
		want := usual + " a 2/2 priority; b 1/2 last;"
		equal(t, "asked", w.asks(v1.Charge{Event: "chat", Quantity: "3"}), want)
		equal(t, "made", w.deducts(v1.Charge{Event: "chat", Quantity: "3"}), want)
	}},
	{"gated, by metadata", func(t *testing.T, w *shown) {
		w.credit("A")
		w.gives("hd", v1.GrantRequest{CreditID: "A", Amount: "5", Scope: []v1.Rule{{Event: "image.*", Metadata: map[string]string{"size": "hd"}}}})
		w.gives("any", v1.GrantRequest{CreditID: "A", Amount: "5", Scope: only("image.*")})
		c := v1.Charge{Event: "image.a", Metadata: v1.Metadata{"size": "sd"}}
		want := usual + " any 1/5 last; not hd scope;"
		equal(t, "asked", w.asks(c), want)
		equal(t, "made", w.deducts(c), want)
	}},
	{"gated, by one credit that is named", func(t *testing.T, w *shown) {
		w.credit("A")
		w.credit("B")
		w.gives("a", v1.GrantRequest{CreditID: "A", Amount: "5"})
		w.gives("b", v1.GrantRequest{CreditID: "B", Amount: "5", Scope: only("chat")})
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Event: "chat"}), usual+" a 1/5 last;")
	}},
	{"gated, with allowances before", func(t *testing.T, w *shown) {
		w.credit("A")
		_, err := w.Subscribe(t.Context(), v1.Subscribe{CustomerID: "u", PlanID: "free"})
		noError(t, err)
		w.gives("a", v1.GrantRequest{CreditID: "A", Amount: "5", Scope: only(gemini)})
		equal(t, "asked", w.asks(v1.Charge{Event: gemini, Quantity: "3"}), usual+" a 1/5 last; images 2/2;")
		equal(t, "refused", w.asks(v1.Charge{Event: gemini, Quantity: "8"}), usual+" a 0/5 last; images 0/2; refused plan_and_credits_exhausted: 8 needed, 7 there, 1 enough")
		_, err = w.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "3")})
		noError(t, err)
		equal(t, "reserved", w.lastly(), usual+" a 1/5 last; images 2/;")
	}},
	{"a reservation, its commit and what went back", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.gives("old", v1.GrantRequest{CreditID: "A", Amount: "2"})
		w.gives("new", v1.GrantRequest{CreditID: "A", Amount: "5"})
		d, err := w.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("u", w.id("A"), "4")})
		noError(t, err)
		equal(t, "reserved", w.lastly(), "created_at | old 2/2 created_at; new 2/5 last;")
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Amount: "1"}), "created_at | new 1/3 last; not old held;")
		less := money.Decimal("3")
		_, err = w.Commit(t.Context(), v1.CommitRequest{ReservationID: d.ReservationID, Amount: &less})
		noError(t, err)
		all := entries(t, w, "u")
		equal(t, "taken", w.explains(all[len(all)-2].ID), " | old 2/0 ; new 1/3 ;")
		equal(t, "given back", w.explains(all[len(all)-1].ID), " | new 0/3 ;")
	}},
	{"what cannot be drawn", func(t *testing.T, w *shown) {
		w.credit("A")
		w.gives("later", v1.GrantRequest{CreditID: "A", Amount: "5", EffectiveAt: w.clock.Now().Add(time.Hour)})
		w.gives("disputed", v1.GrantRequest{CreditID: "A", Amount: "5"})
		w.do(catalog.Live, "u", &wallet.Freeze{Grant: 2, Frozen: true})
		equal(t, "asked", w.asks(v1.Charge{CreditID: "A", Amount: "1"}),
			usual+" not later pending; not disputed frozen; refused credits_exhausted: 1 needed, 0 there, 1 enough")
		equal(t, "frozen", w.lastly(), " | disputed 5/5 ;")
	}},
	{"an adjustment by hand goes past scopes", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.gives("scoped", v1.GrantRequest{CreditID: "A", Amount: "2", Scope: only("chat")})
		w.gives("free", v1.GrantRequest{CreditID: "A", Amount: "5"})
		d, err := w.Adjust(t.Context(), v1.AdjustRequest{CustomerID: "u", CreditID: "A", Amount: "-3", Reason: "why"})
		noError(t, err)
		equal(t, "adjusted", w.explains(d.Entry.ID), "created_at | scoped 2/2 created_at; free 1/5 last;")
	}},
	{"what is older than an edit of its credit", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		w.gives("old", v1.GrantRequest{CreditID: "A", Amount: "2"})
		w.gives("new", v1.GrantRequest{CreditID: "A", Amount: "5", Priority: first(0)})
		before := w.entry(v1.Charge{CreditID: "A", Amount: "3"})
		want := "created_at | old 2/2 created_at; new 1/5 last;"
		equal(t, "before the edit", w.explains(before), want)
		order := v1.DrawOrder{"default"}
		w.clock.Advance(time.Second)
		_, err := w.UpdateCredit(t.Context(), "A", v1.UpdateCredit{DrawOrder: &order})
		noError(t, err)
		w.clock.Advance(time.Second)
		equal(t, "after the edit", w.explains(before), " | lost | old 2/2 ; new 1/5 ;")
		equal(t, "made after the edit", w.explains(w.entry(v1.Charge{CreditID: "A", Amount: "1"})), usual+" new 1/4 last;")
	}},
	{"what no order decided", func(t *testing.T, w *shown) {
		w.credit("A")
		w.gives("a", v1.GrantRequest{CreditID: "A", Amount: "2", ExpiresAt: w.soon()})
		w.gives("b", v1.GrantRequest{CreditID: "A", Amount: "7"})
		equal(t, "granted", w.lastly(), " | b 0/0 ;")
		w.clock.Advance(2 * time.Hour)
		equal(t, "expired", w.lastly(), " | a 2/2 ;")
	}},
	{"more grants than are listed", func(t *testing.T, w *shown) {
		w.credit("A", "fifo")
		for range 100 {
			w.gives("x", v1.GrantRequest{CreditID: "A", Amount: "1"})
		}
		listed := func(id string) (int, int) {
			e, err := w.Explain(context.Background(), id)
			noError(t, err)
			return len(e.Candidates), e.LeftOff
		}
		n, off := listed(w.entry(v1.Charge{CreditID: "A", Amount: "1"}))
		equal(t, "at the limit", fmt.Sprint(n, off), "100 0")
		w.gives("x", v1.GrantRequest{CreditID: "A", Amount: "1"})
		w.gives("x", v1.GrantRequest{CreditID: "A", Amount: "1"})
		n, off = listed(w.entry(v1.Charge{CreditID: "A", Amount: "1"}))
		equal(t, "one past it", fmt.Sprint(n, off), "100 1")
	}},
}

// id finds a credit by its name.
func (w *shown) id(name string) string {
	w.t.Helper()
	c, err := w.GetCredit(context.Background(), name)
	noError(w.t, err)
	return c.ID
}

// entry makes a charge and returns its first entry.
func (w *shown) entry(c v1.Charge) string {
	w.t.Helper()
	c.CustomerID = "u"
	d, err := w.Deduct(context.Background(), v1.DeductRequest{Charge: c})
	noError(w.t, err)
	return d.Entry.ID
}

func TestExplain(t *testing.T) {
	runRows(t, explainRows, func(t *testing.T, db *database) *shown {
		return &shown{forge: newForge(t, db), names: map[string]string{}}
	})
}

package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// dropping runs the handler and closes the connection instead of answering, as often as it is
// told to: to the caller it is unknown whether anything happened.
type dropping struct {
	next http.Handler
	mu   sync.Mutex
	left int
	keys []string // the idempotency keys that came
}

func (d *dropping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.keys = append(d.keys, r.Header.Get("Idempotency-Key"))
	drop := d.left > 0
	d.left--
	d.mu.Unlock()
	if !drop {
		d.next.ServeHTTP(w, r)
		return
	}
	d.next.ServeHTTP(httptest.NewRecorder(), r)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Close()
}

// seen returns the keys that came, and how many answers are still to be lost.
func (d *dropping) seen() (keys []string, left int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.keys), d.left
}

// TestLostAnswersHappenOnce loses the answer to every action twice, and finds that it happened
// once.
func TestLostAnswersHappenOnce(t *testing.T) {
	ctx := context.Background()
	part := money.Decimal("1")
	name := "renamed"
	type made struct{ credit, pack, grant, entry, hold, sub, invoice string }
	f := newFixture(t)
	for operation, call := range map[string]func(v1.Operations, made) error{
		"Grant": func(o v1.Operations, _ made) error {
			_, err := o.Grant(ctx, v1.GrantRequest{CustomerID: "c", CreditID: "api", Amount: "1"})
			return err
		},
		"RevokeGrant": func(o v1.Operations, m made) error {
			_, err := o.RevokeGrant(ctx, m.grant, v1.RevokeRequest{Amount: &part})
			return err
		},
		"Adjust": func(o v1.Operations, _ made) error {
			_, err := o.Adjust(ctx, v1.AdjustRequest{CustomerID: "c", CreditID: "api", Amount: "1", Reason: "x"})
			return err
		},
		"Deduct": func(o v1.Operations, _ made) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("1")})
			return err
		},
		"Reserve": func(o v1.Operations, _ made) error {
			_, err := o.Reserve(ctx, v1.ReserveRequest{Charge: charge("1")})
			return err
		},
		"Commit": func(o v1.Operations, m made) error {
			_, err := o.Commit(ctx, v1.CommitRequest{ReservationID: m.hold})
			return err
		},
		"Release": func(o v1.Operations, m made) error {
			_, err := o.Release(ctx, v1.ReleaseRequest{ReservationID: m.hold})
			return err
		},
		"Extend": func(o v1.Operations, m made) error {
			_, err := o.Extend(ctx, v1.ExtendRequest{ReservationID: m.hold, TTLSeconds: 900})
			return err
		},
		"Track": func(o v1.Operations, _ made) error {
			_, err := o.Track(ctx, v1.TrackRequest{Charge: v1.Charge{CustomerID: "c", Event: "chat"}})
			return err
		},
		"Reverse": func(o v1.Operations, m made) error {
			_, err := o.Reverse(ctx, m.entry, v1.ReverseRequest{Amount: &part})
			return err
		},
		"CreateCredit": func(o v1.Operations, _ made) error {
			_, err := o.CreateCredit(ctx, v1.CreateCredit{Name: "new", Unit: "u"})
			return err
		},
		"UpdateCredit": func(o v1.Operations, m made) error {
			_, err := o.UpdateCredit(ctx, m.credit, v1.UpdateCredit{Name: &name})
			return err
		},
		"ArchiveCredit": func(o v1.Operations, m made) error { _, err := o.ArchiveCredit(ctx, m.credit); return err },
		"CreatePack": func(o v1.Operations, _ made) error {
			_, err := o.CreatePack(ctx, v1.CreatePack{Name: "new", Items: []v1.PackItem{{CreditID: "api", Amount: "1"}}})
			return err
		},
		"UpdatePack": func(o v1.Operations, m made) error {
			_, err := o.UpdatePack(ctx, m.pack, v1.CreatePack{Name: "new", Items: []v1.PackItem{{CreditID: "api", Amount: "1"}}})
			return err
		},
		"ArchivePack": func(o v1.Operations, m made) error { _, err := o.ArchivePack(ctx, m.pack); return err },
		"CreatePlan": func(o v1.Operations, _ made) error {
			_, err := o.CreatePlan(ctx, v1.CreatePlan{Name: "new"})
			return err
		},
		"UpdatePlan": func(o v1.Operations, _ made) error {
			_, err := o.UpdatePlan(ctx, "pro", v1.CreatePlan{Name: "new"})
			return err
		},
		"ArchivePlan": func(o v1.Operations, _ made) error { _, err := o.ArchivePlan(ctx, "pro"); return err },
		"Subscribe": func(o v1.Operations, _ made) error {
			_, err := o.Subscribe(ctx, v1.Subscribe{CustomerID: "c", PlanID: "pro", Retake: true})
			return err
		},
		"CancelSubscription": func(o v1.Operations, _ made) error {
			_, err := o.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: "c"})
			return err
		},
		"UpdateSubscription": func(o v1.Operations, m made) error {
			_, err := o.UpdateSubscription(ctx, m.sub, v1.UpdateSubscription{Reason: "x"})
			return err
		},
		"PauseSubscription": func(o v1.Operations, m made) error {
			_, err := o.PauseSubscription(ctx, m.sub, v1.PauseSubscription{})
			return err
		},
		"PayInvoice": func(o v1.Operations, m made) error {
			_, err := o.PayInvoice(ctx, m.invoice, v1.CloseInvoice{Reference: "x"})
			return err
		},
		"VoidInvoice": func(o v1.Operations, m made) error {
			_, err := o.VoidInvoice(ctx, m.invoice, v1.CloseInvoice{})
			return err
		},
		"SaveCustomer": func(o v1.Operations, _ made) error {
			_, err := o.SaveCustomer(ctx, "d", v1.SaveCustomer{Name: "D"})
			return err
		},
	} {
		t.Run(operation, func(t *testing.T) {
			// The same call, once without and once with answers that are lost.
			states := make([]string, 2)
			for i, lost := range []int{0, 2} {
				f.use(fmt.Sprintf("%s %d", operation, lost))
				f.world()
				d := &dropping{next: f.handler, left: lost}
				over, waited := calling(t, serve(t, d), f.key)
				setup := f.setup()
				if err := call(over, made(setup)); err != nil {
					t.Fatal(err)
				}
				if keys, left := d.seen(); len(slices.Compact(keys)) != 1 || keys[0] == "" || left > 0 {
					t.Errorf("sent under the keys %q", keys)
				}
				if lost > 0 && len(waited.took) == 0 {
					t.Error("sent again without a pause")
				}
				states[i] = f.state()
			}
			if states[0] != states[1] {
				t.Errorf("once it is\n%s\nand with lost answers\n%s", states[0], states[1])
			}
		})
	}
}

// setup makes a reservation and a deduction, and tells the ids of what there is.
func (f *fixture) setup() (m struct{ credit, pack, grant, entry, hold, sub, invoice string }) {
	f.t.Helper()
	ctx := context.Background()
	d, err := f.direct.Deduct(ctx, v1.DeductRequest{Charge: charge("2")})
	if err != nil {
		f.t.Fatal(err)
	}
	h, err := f.direct.Reserve(ctx, v1.ReserveRequest{Charge: charge("3"), TTLSeconds: 600})
	if err != nil {
		f.t.Fatal(err)
	}
	credits, err := f.direct.ListCredits(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	packs, err := f.direct.ListPacks(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	m.credit, m.pack = credits.Data[0].ID, packs.Data[0].ID
	sub, err := f.direct.Subscribe(ctx, v1.Subscribe{CustomerID: "c", PlanID: "pro"})
	if err != nil {
		f.t.Fatal(err)
	}
	m.sub, m.invoice = sub.ID, sub.Invoices[0].ID
	m.grant, m.entry, m.hold = d.Entry.Slices[0].GrantID, d.Entry.ID, h.ReservationID
	return m
}

// state counts what there is, in a form that two databases have in common.
func (f *fixture) state() string {
	f.t.Helper()
	ctx := context.Background()
	var all strings.Builder
	note := func(parts ...string) { all.WriteString(strings.Join(parts, " ") + "\n") }
	balances, err := f.direct.Balances(ctx, "c", "", 0)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, b := range balances.Data {
		note("balance", string(b.Balance), string(b.Available), string(b.Held), string(b.Used))
	}
	ledger, err := f.direct.Ledger(ctx, "c", v1.LedgerQuery{})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range ledger.Data {
		note("entry", e.Type, string(e.Amount), string(e.BalanceAfter))
	}
	credits, err := f.direct.ListCredits(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range credits.Data {
		note("credit", c.Name, c.ArchivedAt.String())
	}
	subs, err := f.direct.ListSubscriptions(ctx, v1.SubscriptionQuery{})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range subs.Data {
		history, err := f.direct.SubscriptionHistory(ctx, s.ID, v1.PageQuery{})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, e := range history.Data {
			note("subscription", e.Type)
		}
	}
	invoices, err := f.direct.ListInvoices(ctx, v1.InvoiceQuery{})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, v := range invoices.Data {
		note("invoice", v.Status, v.Reference)
	}
	packs, err := f.direct.ListPacks(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, p := range packs.Data {
		note("pack", p.Name, p.ArchivedAt.String())
	}
	defs, err := f.core.As(v1.Caller{App: f.who.App, Mode: f.who.Mode}).Catalog(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	var plans []string
	for _, p := range defs.Products {
		plans = append(plans, "plan "+p.Name+" "+p.ArchivedAt.String())
	}
	note(slices.Sorted(slices.Values(plans))...)
	return all.String()
}

// TestKeysAreMadeOnce loses the answer that carries a key's text. Asking again would make a
// second key that nobody knows of.
func TestKeysAreMadeOnce(t *testing.T) {
	f := newFixture(t)
	d := &dropping{next: f.handler, left: 1}
	over, waited := calling(t, serve(t, d), f.key)
	_, err := over.CreateKey(context.Background(), v1.CreateKey{Kind: "secret"})
	if keys, _ := d.seen(); !IsRetryable(err) || len(keys) != 1 || keys[0] != "" || len(waited.took) != 0 {
		t.Errorf("%v after keys %q and pauses %v", err, keys, waited.took)
	}
}

// answering gives fixed answers, one after the other, and the last one from then on.
func answering(answers ...func(http.ResponseWriter)) (http.Handler, *int) {
	n := new(int)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := min(*n, len(answers)-1)
		*n++
		answers[i](w)
	}), n
}

func status(code int, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		w.Write([]byte(body))
	}
}

func TestWhatIsSentAgain(t *testing.T) {
	const overloaded = `{"code":"overloaded","detail":"wait","status":503}`
	app := status(200, `{"id":"app_1"}`)
	for name, tc := range map[string]struct {
		first func(http.ResponseWriter)
		again bool
		code  fault.Code
	}{
		"overloaded":          {status(503, overloaded), true, fault.CodeOverloaded},
		"a proxy's 503":       {status(503, "<html>"), true, fault.CodeStoreUnavailable},
		"bad gateway":         {status(502, "<html>"), true, fault.CodeStoreUnavailable},
		"gateway timeout":     {status(504, ""), true, fault.CodeStoreUnavailable},
		"request timeout":     {status(408, ""), true, fault.CodeStoreUnavailable},
		"a proxy's limit":     {status(429, "slow down"), true, fault.CodeOverloaded},
		"a customer's limit":  {status(429, `{"code":"limit_reached","detail":"x"}`), false, fault.CodeLimitReached},
		"a defect":            {status(500, `{"code":"internal_error","detail":"x"}`), false, fault.CodeInternalError},
		"a refusal":           {status(400, `{"code":"invalid_amount","detail":"x","field":"amount"}`), false, fault.CodeInvalidAmount},
		"a code of tomorrow":  {status(400, `{"code":"brand_new","detail":"x"}`), false, "brand_new"},
		"something else's":    {status(404, "page not found"), false, fault.CodeNotFound},
		"somebody's login":    {status(401, "who are you"), false, fault.CodeInvalidKey},
		"a redirect":          {status(307, "", "Location", "/elsewhere"), false, fault.CodeInternalError},
		"a problem half sent": {status(503, `{"code":"overloa`), true, fault.CodeStoreUnavailable},
		"an answer of others": {status(200, "<html>"), false, fault.CodeInternalError},
	} {
		t.Run(name, func(t *testing.T) {
			h, calls := answering(tc.first, app)
			over, waited := calling(t, serve(t, h), "sk_test_x")
			_, err := over.GetApp(context.Background())
			if tc.again != (err == nil) || tc.again != (*calls == 2) || tc.again != (len(waited.took) == 1) {
				t.Errorf("%d calls, pauses %v: %v", *calls, waited.took, err)
			}
			h, calls = answering(tc.first)
			over, waited = calling(t, serve(t, h), "sk_test_x")
			_, err = over.GetApp(context.Background())
			if fault.CodeOf(err) != tc.code || IsRetryable(err) != tc.again || tc.again && *calls != 1+DefaultRetries {
				t.Errorf("%d calls, pauses %v: %v, retryable %v", *calls, waited.took, err, IsRetryable(err))
			}
			over, _ = calling(t, serve(t, h), "sk_test_x", WithRetries(0))
			if *calls = 0; true {
				over.GetApp(context.Background())
			}
			if *calls != 1 {
				t.Errorf("%d calls without retries", *calls)
			}
		})
	}
}

func TestPauses(t *testing.T) {
	h, _ := answering(status(503, ""))
	over, waited := calling(t, serve(t, h), "sk_test_x", WithRetries(12))
	over.GetApp(context.Background())
	want := firstPause
	for i, took := range waited.took {
		if took < want/2 || took >= want {
			t.Errorf("pause %d is %v, not %v to %v", i, took, want/2, want)
		}
		want = min(2*want, longestPause)
	}
	if len(waited.took) != 12 {
		t.Errorf("%d pauses", len(waited.took))
	}
	for header, least := range map[string]time.Duration{"3": 3 * time.Second, "86400": longestPause, "-1": 0, "soon": 0} {
		h, _ := answering(status(503, "", "Retry-After", header))
		over, waited := calling(t, serve(t, h), "sk_test_x", WithRetries(1))
		over.GetApp(context.Background())
		if len(waited.took) != 1 || waited.took[0] < least || waited.took[0] > max(least, firstPause) {
			t.Errorf("Retry-After %s: pauses %v", header, waited.took)
		}
	}
}

// never is a clock.Waiter whose time does not come, and that says when it is asked.
type never struct{ asked chan struct{} }

func (n never) After(time.Duration) <-chan time.Time {
	close(n.asked)
	return nil
}

func TestContextEndsTheWait(t *testing.T) {
	h, calls := answering(status(503, ""))
	waiter := never{make(chan struct{})}
	over, _ := calling(t, serve(t, h), "sk_test_x", WithWaiter(waiter))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-waiter.asked
		cancel()
	}()
	_, err := over.GetApp(ctx)
	if !errors.Is(err, context.Canceled) || IsRetryable(err) || *calls != 1 {
		t.Errorf("%d calls: %v", *calls, err)
	}
	if _, err := over.GetApp(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was over before it began: %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	over, waited := calling(t, url, "sk_test_x")
	_, err := over.GetApp(context.Background())
	if fault.CodeOf(err) != fault.CodeStoreUnavailable || !IsRetryable(err) || len(waited.took) != DefaultRetries {
		t.Errorf("%v after pauses %v", err, waited.took)
	}
	if IsRetryable(nil) || IsRetryable(errors.New("x")) {
		t.Error("what is no failure of ours is retryable")
	}
}

// TestAnswersAreLimited reads an answer of the greatest length, and not one that is longer.
func TestAnswersAreLimited(t *testing.T) {
	var length atomic.Int64
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		blank := bytes.Repeat([]byte(" "), 1<<20)
		for left := length.Load() - 2; left > 0; left -= int64(len(blank)) {
			_, _ = w.Write(blank[:min(left, int64(len(blank)))])
		}
		_, _ = io.WriteString(w, "{}")
	}))
	c, _ := calling(t, url, "sk_x", WithRetries(0))
	length.Store(maxAnswer)
	if _, err := c.GetApp(context.Background()); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	length.Store(maxAnswer + 1)
	if _, err := c.GetApp(context.Background()); fault.CodeOf(err) != fault.CodeInternalError {
		t.Errorf("one past it: %v", err)
	}
}

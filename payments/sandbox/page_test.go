package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// TestPagePays follows a customer through a page: what is shown, what is told before they are sent back,
// and what they see when they come again.
func TestPagePays(t *testing.T) {
	w := newWorld(t)
	opened := w.open(order())
	equal(t, "page", opened.URL, "http://scrip.test/pay/"+opened.Session)
	shown := w.get(opened.URL)
	equal(t, "status", shown.code, 200)
	contains(t, shown.text, "PixelForge", "$10.00", "Starter", "1,000 credits", "Ann Example", "ann@example.test", "No money moves",
		`value="4242 4242 4242 4242"`, "Declined: insufficient funds", `href="https://shop.test/back"`, `for="number"`)
	back := w.pay(opened.URL, "4242 4242 4242 4242")
	equal(t, "status", back.code, http.StatusSeeOther)
	equal(t, "back", back.header.Get("Location"), "https://shop.test/done?session="+opened.Session+"&x=1#top")
	events := w.told()
	if len(events) != 1 {
		t.Fatalf("told %v", events)
	}
	news := events[0].News
	if news.Payment == "" || events[0].ID == "" {
		t.Errorf("told %+v", events[0])
	}
	equal(t, "order", events[0].OrderID, "ord_1")
	want := wallet.OrderNews{
		Kind: wallet.NewsPaid, Session: opened.Session, Payment: news.Payment, Minor: 1000, Currency: "usd", Customer: opened.Customer,
	}
	equal(t, "news", news, want)
	equal(t, "looked up", w.look()[0], want)
	contains(t, w.get(opened.URL).text, "This is paid", news.Payment, "https://shop.test/done?session="+opened.Session)
	again := w.pay(opened.URL, "4242424242424242")
	equal(t, "again", again.header.Get("Location"), back.header.Get("Location"))
	equal(t, "told again", w.kinds(), "")
	equal(t, "payments", len(w.look()), 1)
	equal(t, "after a test button", w.press(opened.URL, "dispute").header.Get("Location"), opened.Session)
}

// TestPageLeft: a customer who does not wait for the answer has paid, and it is told.
func TestPageLeft(t *testing.T) {
	w := newWorld(t)
	opened := w.open(order())
	token := tokenField.FindStringSubmatch(w.get(opened.URL).text)[1]
	ctx, leave := context.WithCancel(t.Context())
	leave()
	w.send(post(opened.URL, url.Values{"do": {"pay"}, "number": {"4242424242424242"}, "token": {token}}).WithContext(ctx))
	equal(t, "told", w.kinds(), "paid")
}

// TestPageCards has every test card do on the page, and later, what it means.
func TestPageCards(t *testing.T) {
	for number, tc := range map[string]struct {
		page  string // what is told, ? where the bank asks first
		later wallet.NewsKind
		code  string
		class wallet.DeclineClass
	}{
		"4242424242424242": {"paid", wallet.NewsPaid, "", ""},
		"5555555555554444": {"paid", wallet.NewsPaid, "", ""},
		"4000000000000341": {"paid", wallet.NewsDeclined, "card_declined", wallet.DeclineSoft},
		"4000002500003155": {"?paid", wallet.NewsPaid, "", ""},
		"4000002760003184": {"?paid", wallet.NewsDeclined, "authentication_required", wallet.DeclineAction},
		"4000000000000002": {"declined", "", "card_declined", wallet.DeclineSoft},
		"4000000000009995": {"declined", "", "insufficient_funds", wallet.DeclineSoft},
		"4000000000009987": {"declined", "", "lost_card", wallet.DeclineHard},
		"4000000000000069": {"declined", "", "expired_card", wallet.DeclineHard},
	} {
		w := newWorld(t)
		opened := w.open(saving())
		equal(t, number+": status", w.pay(opened.URL, number).code, http.StatusSeeOther)
		if wanted, asks := strings.CutPrefix(tc.page, "?"); asks {
			equal(t, number+": before the bank is answered", w.kinds(), "")
			contains(t, w.get(opened.URL).text, "visa •••• "+number[12:], "Complete", "Fail")
			w.press(opened.URL, "complete")
			tc.page = wanted
		}
		events := w.told()
		equal(t, number+": events", len(events), 1)
		news := events[0].News
		equal(t, number+": kind", string(news.Kind), tc.page)
		if tc.page == "declined" {
			equal(t, number+": code", news.Decline.Code, tc.code)
			equal(t, number+": class", news.Decline.Class, tc.class)
			contains(t, w.get(opened.URL).text, `role="alert"`, news.Decline.Text, "Pay $10.00")
			continue
		}
		if !strings.HasSuffix(news.Label, " •••• "+number[12:]) {
			t.Errorf("%s: label %q", number, news.Label)
		}
		after, err := w.Charge(t.Context(), provider.Charge{Place: ann, Order: &wallet.Order{Minor: 500, Currency: "usd", Attempt: 1}, OrderID: "ord_2", Method: news.Method})
		noError(t, err)
		equal(t, number+": later", after.Kind, tc.later)
		if after.Decline != nil {
			equal(t, number+": later code", after.Decline.Code, tc.code)
			equal(t, number+": later class", after.Decline.Class, tc.class)
		}
	}
}

// TestPageOutcomes presses every button that plays an outcome.
func TestPageOutcomes(t *testing.T) {
	const visa = "4242424242424242"
	for name, tc := range map[string]struct {
		press []string
		told  string
		shows string
	}{
		"decline":             {[]string{"decline"}, "declined", "was declined"},
		"twice the same":      {[]string{"decline", "decline"}, "declined declined", "was declined"},
		"declined, then paid": {[]string{"decline", "pay"}, "declined paid", "This is paid"},
		"bank says yes":       {[]string{"authenticate", "complete"}, "paid", "This is paid"},
		"bank says no":        {[]string{"authenticate", "refuse"}, "declined", "not confirmed"},
		"another card":        {[]string{"authenticate", "refuse", "pay"}, "declined paid", "This is paid"},
		"not asked":           {[]string{"complete", "refuse"}, "", "Pay $10.00"},
		"on its way":          {[]string{"later"}, "processing", "The money has arrived"},
		"arrives":             {[]string{"later", "arrive"}, "processing paid", "This is paid"},
		"arrives once":        {[]string{"later", "arrive", "arrive", "bounce"}, "processing paid", "This is paid"},
		"does not arrive":     {[]string{"later", "bounce"}, "processing failed", "did not send the money"},
		"not on its way":      {[]string{"arrive", "bounce"}, "", "Pay $10.00"},
		"paid after all":      {[]string{"later", "pay"}, "processing", "The money has arrived"},
		"disputed":            {[]string{"pay", "dispute"}, "paid dispute", "Dispute won"},
		"dispute won":         {[]string{"pay", "dispute", "win"}, "paid dispute dispute", "the money stayed"},
		"dispute lost":        {[]string{"pay", "dispute", "lose"}, "paid dispute dispute", "the money went back"},
	} {
		w := newWorld(t)
		opened := w.open(order())
		for _, do := range tc.press {
			if got := w.press(opened.URL, do, "number", visa); got.code != http.StatusSeeOther {
				t.Errorf("%s: %s answers %d:\n%s", name, do, got.code, got.text)
			}
		}
		equal(t, name+": told", w.kinds(), tc.told)
		contains(t, w.get(opened.URL).text, tc.shows)
	}
}

// TestPageRefusals: what a page does not take changes nothing.
func TestPageRefusals(t *testing.T) {
	w := newWorld(t)
	opened := w.open(order())
	token := tokenField.FindStringSubmatch(w.get(opened.URL).text)[1]
	other, err := w.OpenPage(t.Context(), provider.Page{Place: ann, Order: order(), OrderID: "ord_other"})
	noError(t, err)
	good := url.Values{"do": {"pay"}, "number": {"4242424242424242"}, "token": {token}}
	with := func(change func(*http.Request)) *http.Request {
		r := post(opened.URL, good)
		change(r)
		return r
	}
	without := url.Values{"do": good["do"], "number": good["number"]}
	for name, r := range map[string]*http.Request{
		"no token":         post(opened.URL, without),
		"token of another": post(other.URL, good),
		"token in address": post(opened.URL+"?token="+token, without),
		"cross site":       with(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }),
		"same site":        with(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }),
		"another origin":   with(func(r *http.Request) { r.Header.Set("Origin", "https://evil.test") }),
		"no origin at all": with(func(r *http.Request) { r.Header.Set("Origin", "null") }),
		"too long":         post(opened.URL, url.Values{"do": good["do"], "number": {strings.Repeat("4", 20<<10)}, "token": {token}}),
	} {
		got := w.send(r)
		equal(t, name, got.code, http.StatusForbidden)
		contains(t, got.text, "Nothing was paid")
	}
	real := "4111 1111 1111 1111"
	typed := w.pay(opened.URL, real)
	equal(t, "another card", typed.code, http.StatusUnprocessableEntity)
	contains(t, typed.text, "not a test card")
	lacks(t, typed.text, real)
	for _, o := range w.store.objects {
		lacks(t, string(o.Body), real)
	}
	equal(t, "unknown button", w.press(opened.URL, "steal").code, http.StatusConflict)
	equal(t, "dispute of nothing", w.press(opened.URL, "dispute").code, http.StatusConflict)
	equal(t, "told", w.kinds(), "")
	equal(t, "news", len(w.look()), 0)
	for _, path := range []string{"/pay/", "/pay/cs_sbx_guessed", "/pay/" + opened.Customer, "/pay/portal/guessed", "/pay/portal/" + opened.Session, "/pay/a/b/c"} {
		equal(t, path, w.get(path).code, http.StatusNotFound)
	}
	for _, o := range w.store.objects {
		if o.Kind != "order" {
			equal(t, o.Kind, w.get("/pay/"+o.ID).code, http.StatusNotFound)
		}
	}
	equal(t, "post to a guess", w.send(post("/pay/cs_sbx_guessed", good)).code, http.StatusNotFound)
	equal(t, "accepted", w.send(post(opened.URL, good)).code, http.StatusSeeOther)
}

// TestPagePaysOnce presses the button twenty times at once.
func TestPagePaysOnce(t *testing.T) {
	w := newWorld(t)
	opened := w.open(saving())
	token := tokenField.FindStringSubmatch(w.get(opened.URL).text)[1]
	numbers := []string{"4242424242424242", "5555555555554444", "4000000000000341", "4000000000000002"}
	var all sync.WaitGroup
	gate := make(chan struct{})
	answers := make([]page, 20)
	for i := range answers {
		all.Go(func() {
			<-gate
			do := "pay"
			if i == 7 {
				do = "later"
			}
			answers[i] = w.send(post(opened.URL, url.Values{"do": {do}, "number": {numbers[i%len(numbers)]}, "token": {token}}))
		})
	}
	close(gate)
	all.Wait()
	for i := range answers {
		equal(t, "status", answers[i].code, http.StatusSeeOther)
	}
	payments := map[string]bool{}
	events := map[string]bool{}
	for _, e := range w.told() {
		if e.News.Kind == wallet.NewsPaid || e.News.Kind == wallet.NewsProcessing {
			payments[e.News.Payment], events[e.ID] = true, true
		}
	}
	equal(t, "payments", len(payments), 1)
	equal(t, "events", len(events), 1)
	equal(t, "looked up", len(w.look()), 1)
	equal(t, "undelivered", undelivered(w), 0)
}

// TestPageOverlap: whoever comes second, between what another read and what they write, finds what the
// first one did.
func TestPageOverlap(t *testing.T) {
	for name, tc := range map[string]struct {
		first, second string
		told, shows   string
	}{
		"both pay":             {"pay", "pay", "paid", "This is paid"},
		"paid, then declined":  {"pay", "decline", "paid", "This is paid"},
		"declined, then paid":  {"decline", "pay", "declined paid", "This is paid"},
		"paid, then later":     {"pay", "later", "paid", "This is paid"},
		"later, then paid":     {"later", "pay", "processing", "The money has arrived"},
		"paid, then the bank":  {"pay", "authenticate", "paid", "This is paid"},
		"the bank, then paid":  {"authenticate", "pay", "paid", "This is paid"},
		"closed, then paid":    {"close", "pay", "expired", "was closed"},
		"paid, then not asked": {"pay", "refuse", "paid", "This is paid"},
	} {
		w := newWorld(t)
		opened := w.open(order())
		w.store.interrupt(func() {
			if tc.first == "close" {
				noError(t, w.ClosePage(t.Context(), ann, opened.Session))
				return
			}
			w.press(opened.URL, tc.first, "number", "4242424242424242")
		})
		w.press(opened.URL, tc.second, "number", "4242424242424242")
		if w.store.interrupt(nil) != nil {
			w.press(opened.URL, tc.first, "number", "4242424242424242") // the second had nothing to write
		}
		equal(t, name, w.kinds(), tc.told)
		contains(t, w.get(opened.URL).text, tc.shows)
	}
	// The bank's question is answered both ways at once.
	w := newWorld(t)
	opened := w.open(order())
	w.press(opened.URL, "authenticate", "number", "4242424242424242")
	w.store.interrupt(func() { w.press(opened.URL, "refuse") })
	w.press(opened.URL, "complete")
	equal(t, "told", w.kinds(), "declined")
}

// undelivered is how many orders have news that were not delivered.
func undelivered(w *world) int {
	n := 0
	for _, o := range w.store.objects {
		if o.Kind == "order" && o.Ref != "" {
			n++
		}
	}
	return n
}

// TestPageEnds: pages that are over show so, and take no payment.
func TestPageEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end   func(w *world, session string)
		shows string
	}{
		"expired": {func(w *world, _ string) { w.clock.Advance(time.Hour) }, "The time to pay on this page is over"},
		"closed":  {func(w *world, s string) { noError(t, w.ClosePage(t.Context(), ann, s)) }, "This page was closed"},
	} {
		for _, before := range []string{"", "authenticate", "decline"} {
			w := newWorld(t)
			opened := w.open(saving())
			token := tokenField.FindStringSubmatch(w.get(opened.URL).text)[1]
			if before != "" {
				w.press(opened.URL, before, "number", "4242424242424242")
				w.told()
			}
			tc.end(w, opened.Session)
			for _, do := range []string{"pay", "complete", "later", "refuse"} {
				got := w.send(post(opened.URL, url.Values{"do": {do}, "number": {"4242424242424242"}, "token": {token}}))
				equal(t, name+": "+do, got.header.Get("Location"), opened.Session)
			}
			contains(t, w.get(opened.URL).text, tc.shows, `href="https://shop.test/back"`)
			noError(t, w.ClosePage(t.Context(), ann, opened.Session))
			equal(t, name, w.kinds(), "expired")
			news := w.look()
			equal(t, name, news[len(news)-1].Kind, wallet.NewsExpired)
			equal(t, name+": page", w.open(saving()).URL, opened.URL)
		}
	}
	// What is paid, or being paid, is not closed.
	for do, wanted := range map[string]string{"pay": "paid", "later": "processing"} {
		w := newWorld(t)
		opened := w.open(order())
		w.press(opened.URL, do, "number", "4242424242424242")
		w.clock.Advance(time.Hour)
		noError(t, w.ClosePage(t.Context(), ann, opened.Session))
		equal(t, do, w.kinds(), wanted)
	}
	w := newWorld(t)
	opened := w.open(order())
	bob := ann
	bob.Key.Customer = "bob"
	refused(t, w.ClosePage(t.Context(), bob, opened.Session), fault.CodeOrderNotFound)
	refused(t, w.ClosePage(t.Context(), ann, "cs_sbx_guessed"), fault.CodeOrderNotFound)
	never := order()
	never.ExpiresAt = 0
	other, err := w.OpenPage(t.Context(), provider.Page{Place: ann, Order: never, OrderID: "ord_never"})
	noError(t, err)
	w.clock.Advance(1000 * time.Hour)
	contains(t, w.get(other.URL).text, "Pay $10.00")
}

// TestPageOfAModeAhead: a page is open for as long as its order says, whatever the time in its mode.
func TestPageOfAModeAhead(t *testing.T) {
	w := newWorld(t)
	o := order()
	o.CreatedAt, o.ExpiresAt = o.CreatedAt.Add(9000*time.Hour), o.ExpiresAt.Add(9000*time.Hour)
	opened := w.open(o)
	w.clock.Advance(59 * time.Minute)
	contains(t, w.get(opened.URL).text, "Pay $10.00")
	w.clock.Advance(time.Minute)
	contains(t, w.get(opened.URL).text, "is over")
}

// TestPageOnce: an order has one page, whoever asks, and another order another.
func TestPageOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	urls := make([]string, 10)
	for i := range urls {
		all.Go(func() { urls[i] = w.open(order()).URL })
	}
	all.Wait()
	for _, u := range urls {
		equal(t, "page", u, urls[0])
	}
	seen := map[string]bool{urls[0]: true}
	for _, place := range []wallet.Key{{App: "app_1", Mode: "test/b", Customer: "ann"}, {App: "app_2", Mode: "test", Customer: "ann"}} {
		p := ann
		p.Key = place
		opened, err := w.OpenPage(t.Context(), provider.Page{Place: p, Order: order(), OrderID: "ord_1"})
		noError(t, err)
		if seen[opened.URL] {
			t.Errorf("%v shares a page", place)
		}
		seen[opened.URL] = true
	}
}

// TestPageCard keeps a card for which nothing is paid.
func TestPageCard(t *testing.T) {
	w := newWorld(t)
	o := &wallet.Order{Kind: wallet.CardOrder, SaveCard: true, Text: "Save a card", Quantity: 1, CreatedAt: start}
	opened := w.open(o)
	shown := w.get(opened.URL).text
	contains(t, shown, "Save the card")
	lacks(t, shown, "Pay later", "$0.00", `class="leave"`)
	equal(t, "later", w.press(opened.URL, "later", "number", "4242424242424242").code, http.StatusConflict)
	equal(t, "stays", w.pay(opened.URL, "4242424242424242").header.Get("Location"), opened.Session)
	news := w.told()[0].News
	equal(t, "kind", news.Kind, wallet.NewsPaid)
	equal(t, "payment", news.Payment, "")
	equal(t, "label", news.Label, "visa •••• 4242")
	done := w.get(opened.URL).text
	contains(t, done, "The card is saved")
	lacks(t, done, "Open a dispute", "Continue")
	refused(t, w.Dispute(t.Context(), ord("ord_1"), wallet.DisputeOpen), fault.CodeOrderNotPaid)
}

// TestPageHostile: what others wrote is shown as they wrote it, and leads nowhere.
func TestPageHostile(t *testing.T) {
	w := newWorld(t)
	o := order()
	bad := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	o.Text, o.SuccessURL, o.CancelURL = bad, "javascript:alert(1)", "javascript:alert(2)"
	place := ann
	place.Name, place.Email = bad, bad
	opened, err := w.OpenPage(t.Context(), provider.Page{Place: place, Order: o, OrderID: "ord_1", AppName: bad, CreditsAs: bad})
	noError(t, err)
	check := func(text string) {
		t.Helper()
		contains(t, text, "&lt;script&gt;")
		lacks(t, text, "<script", "<img", "javascript:", "onerror=alert(1)>", "ZgotmplZ")
	}
	check(w.get(opened.URL).text)
	check(w.get(opened.URL + "?card=" + url.QueryEscape(bad)).text)
	equal(t, "back", w.pay(opened.URL, "4242424242424242").header.Get("Location"), opened.Session)
	check(w.get(opened.URL).text)
	link, err := w.Portal(t.Context(), place, "javascript:alert(1)")
	noError(t, err)
	check(w.get(link).text)
	for _, address := range []string{
		"https://shop.test;sandbox/x", "https://shop.test,evil.test/", "ftp://shop.test/", "//shop.test/", "/done", "https://", "https://büro.test/", "data:text/html,x",
	} {
		w := newWorld(t)
		o := order()
		o.SuccessURL = address
		opened := w.open(o)
		equal(t, address, w.get(opened.URL).header.Get("Content-Security-Policy"), policy(w, "'self'"))
		equal(t, address, w.pay(opened.URL, "4242424242424242").header.Get("Location"), opened.Session)
	}
}

// policy is the Content-Security-Policy of a page whose forms may lead to target.
func policy(w *world, target string) string {
	have := w.get("/pay/none").header.Get("Content-Security-Policy")
	return strings.Replace(have, "form-action 'self'", "form-action "+target, 1)
}

// TestPageHeaders: nothing is loaded, and nobody else shows, keeps or learns of a page.
func TestPageHeaders(t *testing.T) {
	w := newWorld(t)
	opened := w.open(order())
	link, err := w.Portal(t.Context(), ann, "")
	noError(t, err)
	for _, p := range []page{w.get(opened.URL), w.get(link), w.get("/pay/none"), w.send(post(opened.URL, nil)), w.pay(opened.URL, "4242424242424242")} {
		csp := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%d: policy %q", p.code, csp)
		}
		contains(t, csp, "base-uri 'none'", "frame-ancestors 'none'")
		lacks(t, csp, "unsafe", "*", "script-src")
		equal(t, "cache", p.header.Get("Cache-Control"), "no-store")
		equal(t, "referrer", p.header.Get("Referrer-Policy"), "same-origin")
		equal(t, "sniffing", p.header.Get("X-Content-Type-Options"), "nosniff")
		lacks(t, p.text, "<script", "<img", "<link", "url(", "@import", "style=\"")
	}
	equal(t, "forms", w.get(opened.URL).header.Get("Content-Security-Policy"), policy(w, "'self' https://shop.test"))
}

// TestPageWithoutStore: a page that cannot be read or paid says so, and the payment can be tried again.
func TestPageWithoutStore(t *testing.T) {
	w := newWorld(t)
	opened := w.open(order())
	token := tokenField.FindStringSubmatch(w.get(opened.URL).text)[1]
	w.store.failing(errors.New("no disk"))
	equal(t, "page", w.get(opened.URL).code, http.StatusServiceUnavailable)
	got := w.send(post(opened.URL, url.Values{"do": {"pay"}, "number": {"4242424242424242"}, "token": {token}}))
	equal(t, "payment", got.code, http.StatusServiceUnavailable)
	contains(t, got.text, "nothing is paid twice")
	_, err := w.OpenPage(t.Context(), provider.Page{Place: ann, Order: order(), OrderID: "ord_1"})
	refused(t, err, fault.CodePaymentProviderError)
	w.store.failing(fault.New("store", fault.CodeStoreUnavailable, "no"))
	_, err = w.OpenPage(t.Context(), provider.Page{Place: ann, Order: order(), OrderID: "ord_1"})
	refused(t, err, fault.CodeStoreUnavailable)
	w.store.failing(nil)
	w.pay(opened.URL, "4242424242424242")
	equal(t, "told", w.kinds(), "paid")
}

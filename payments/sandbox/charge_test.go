package sandbox_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/wallet"
)

func ord(name string) sandbox.Order { return sandbox.Order{App: "app_1", Mode: catalog.Test, ID: name} }

// TestChargeCards charges every test card by its name.
func TestChargeCards(t *testing.T) {
	for name, tc := range map[string]struct {
		kind  wallet.NewsKind
		code  string
		class wallet.DeclineClass
	}{
		"pm_card_visa":                            {wallet.NewsPaid, "", ""},
		"pm_card_mastercard":                      {wallet.NewsPaid, "", ""},
		"pm_card_chargeDeclined":                  {wallet.NewsDeclined, "card_declined", wallet.DeclineSoft},
		"pm_card_chargeDeclinedInsufficientFunds": {wallet.NewsDeclined, "insufficient_funds", wallet.DeclineSoft},
		"pm_card_chargeDeclinedLostCard":          {wallet.NewsDeclined, "lost_card", wallet.DeclineHard},
		"pm_card_chargeDeclinedExpiredCard":       {wallet.NewsDeclined, "expired_card", wallet.DeclineHard},
		"pm_card_authenticationRequired":          {wallet.NewsDeclined, "authentication_required", wallet.DeclineAction},
		"pm_card_authenticationRequiredOnSetup":   {wallet.NewsPaid, "", ""},
		"pm_card_chargeCustomerFail":              {wallet.NewsDeclined, "card_declined", wallet.DeclineSoft},
		"pm_usBankAccount":                        {wallet.NewsProcessing, "", ""},
		"pm_card_that_is_none":                    {wallet.NewsDeclined, "resource_missing", wallet.DeclineHard},
	} {
		w := newWorld(t)
		news := w.charge(order(), 2, name)
		equal(t, name, news.Kind, tc.kind)
		equal(t, name+": session", news.Session, "")
		if news.Payment == "" {
			t.Errorf("%s: no payment", name)
		}
		if tc.kind == wallet.NewsPaid {
			equal(t, name+": amount", news.Minor, 1000)
			equal(t, name+": currency", news.Currency, "usd")
		}
		if tc.code != "" {
			equal(t, name+": code", news.Decline.Code, tc.code)
			equal(t, name+": class", news.Decline.Class, tc.class)
			equal(t, name+": attempt", news.Decline.Attempt, 2)
		}
		events := w.told()
		equal(t, name+": events", len(events), 1)
		equal(t, name+": event", events[0].News.Kind, news.Kind)
		equal(t, name+": looked up", w.look()[0].Kind, news.Kind)
	}
}

// TestChargeOnce: an attempt charges once, and an order that is paid is not charged by another attempt.
func TestChargeOnce(t *testing.T) {
	w := newWorld(t)
	first := w.charge(order(), 1, "pm_card_chargeDeclined")
	equal(t, "again", w.charge(order(), 1, "pm_card_visa").Payment, first.Payment)
	var all sync.WaitGroup
	paid := make([]wallet.OrderNews, 20)
	for i := range paid {
		all.Go(func() { paid[i] = w.charge(order(), 2, "pm_card_visa") })
	}
	all.Wait()
	for _, n := range paid {
		equal(t, "charge", n.Kind, wallet.NewsPaid)
		equal(t, "payment", n.Payment, paid[0].Payment)
	}
	equal(t, "third", w.charge(order(), 3, "pm_card_visa").Payment, paid[0].Payment)
	news := w.look()
	equal(t, "payments", len(news), 2)
	equal(t, "first", news[0].Kind, wallet.NewsDeclined)
	equal(t, "second", news[1].Kind, wallet.NewsPaid)
	_, err := w.Charge(t.Context(), provider.Charge{Place: ann, Order: &wallet.Order{Minor: 49, Currency: "jpy", Attempt: 1}, OrderID: "ord_2", Method: "pm_card_visa"})
	refused(t, err, fault.CodeAmountTooSmall)
	_, err = w.OpenPage(t.Context(), provider.Page{Place: ann, Order: &wallet.Order{Minor: 49, Currency: "usd"}, OrderID: "ord_2"})
	refused(t, err, fault.CodeAmountTooSmall)
	equal(t, "minimum", w.Minimum("jpy"), 50)
	equal(t, "name", w.Name(), "sandbox")
}

// TestChargeSettles ends charges whose money was on its way.
func TestChargeSettles(t *testing.T) {
	w := newWorld(t)
	pending := w.charge(order(), 1, "pm_usBankAccount")
	equal(t, "not charged twice", w.charge(order(), 2, "pm_card_visa").Payment, pending.Payment)
	noError(t, w.Settle(t.Context(), ord("ord_1"), false))
	equal(t, "told", w.kinds(), "processing declined")
	equal(t, "attempt", w.look()[0].Decline.Attempt, 1)
	w.charge(order(), 2, "pm_usBankAccount")
	address, err := w.Address(t.Context(), ord("ord_1"))
	noError(t, err)
	contains(t, w.get(address).text, "The money has arrived")
	w.press(address, "arrive")
	equal(t, "told", w.kinds(), "processing paid")
	noError(t, w.Settle(t.Context(), ord("ord_1"), false))
	equal(t, "told", w.kinds(), "")
	refused(t, w.Settle(t.Context(), ord("ord_2"), true), fault.CodeOrderNotFound)
}

// TestChargePage: an order that is charged without a page cannot be paid on the one that shows it.
func TestChargePage(t *testing.T) {
	w := newWorld(t)
	w.charge(order(), 1, "pm_card_chargeDeclined")
	address, err := w.Address(t.Context(), ord("ord_1"))
	noError(t, err)
	shown := w.get(address).text
	contains(t, shown, "off session", "$10.00")
	lacks(t, shown, "Card number", "<form")
	w.clock.Advance(100 * time.Hour)
	w.get(address)
	equal(t, "told", w.kinds(), "declined")
	address, err = w.Address(t.Context(), ord("ord_2"))
	noError(t, err)
	equal(t, "an order that is not known", w.get(address).code, http.StatusNotFound)
	equal(t, "no news", len(w.look()), 1)
}

// TestLaterKeeps: who pays later agrees to later charges of the bank account.
func TestLaterKeeps(t *testing.T) {
	w := newWorld(t)
	opened := w.open(saving())
	w.press(opened.URL, "later", "number", "4242424242424242")
	w.press(opened.URL, "arrive")
	news := w.told()
	equal(t, "label", news[1].News.Label, "bank account •••• 6789")
	again, err := w.Charge(t.Context(), provider.Charge{Place: ann, Order: &wallet.Order{Minor: 500, Currency: "usd", Attempt: 1}, OrderID: "ord_2", Method: news[1].News.Method})
	noError(t, err)
	equal(t, "charged", again.Kind, wallet.NewsProcessing)
}

// refund asks for a refund of the order.
func (w *world) refund(own, minor int64) (wallet.OrderNews, error) {
	return w.Refund(w.t.Context(), provider.Refund{Place: ann, Order: order(), OrderID: "ord_1", Own: own, Minor: minor, Reason: "asked"})
}

// TestRefunds pays back in parts, once each, and never more than was paid.
func TestRefunds(t *testing.T) {
	w := newWorld(t)
	_, err := w.refund(1, 100)
	refused(t, err, fault.CodeOrderNotPaid)
	opened := w.open(order())
	_, err = w.refund(1, 100)
	refused(t, err, fault.CodeOrderNotPaid)
	w.pay(opened.URL, "4242424242424242")
	payment := w.told()[0].News.Payment
	for _, minor := range []int64{0, -5} {
		_, err = w.refund(1, minor)
		refused(t, err, fault.CodeInvalidAmount)
	}
	_, err = w.refund(1, 1001)
	refused(t, err, fault.CodeRefundTooLarge)
	first, err := w.refund(1, 300)
	noError(t, err)
	equal(t, "refund", first, wallet.OrderNews{
		Kind: wallet.NewsRefund, Session: opened.Session, Payment: payment, Minor: 300, Currency: "usd", Cumulative: 300,
		Refund: first.Refund, Own: 1, RefundStatus: wallet.RefundSucceeded, Reason: "asked", Customer: opened.Customer,
	})
	again, err := w.refund(1, 300)
	noError(t, err)
	equal(t, "again", again.Refund, first.Refund)
	equal(t, "told", w.kinds(), "refund")
	_, err = w.refund(2, 701)
	refused(t, err, fault.CodeRefundTooLarge)
	second, err := w.refund(2, 700)
	noError(t, err)
	equal(t, "in all", second.Cumulative, 1000)
	_, err = w.refund(3, 1)
	refused(t, err, fault.CodeRefundTooLarge)

	// One that fails can be asked for again.
	w.told()
	noError(t, w.FailRefund(t.Context(), ord("ord_1"), first.Refund))
	noError(t, w.FailRefund(t.Context(), ord("ord_1"), first.Refund))
	failed := w.told()
	equal(t, "failures", len(failed), 1)
	equal(t, "failed", failed[0].News.RefundStatus, wallet.RefundFailed)
	refused(t, w.FailRefund(t.Context(), ord("ord_1"), "re_none"), fault.CodeNotFound)
	_, err = w.refund(3, 300)
	noError(t, err)
	equal(t, "news", len(w.look()), 4)
	equal(t, "on the page", w.press(opened.URL, "fail_refund", "refund", second.Refund).code, http.StatusSeeOther)
	equal(t, "unknown on the page", w.press(opened.URL, "fail_refund", "refund", "re_none").code, http.StatusConflict)
	contains(t, w.get(opened.URL).text, second.Refund, "$7.00", "failed")
}

// TestRefundsAtOnce: refunds at the same time never come to more than was paid.
func TestRefundsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.charge(order(), 1, "pm_card_visa")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { _, _ = w.refund(int64(i+1), 300) }) // most are refused, which the sum below shows
	}
	all.Wait()
	sum := int64(0)
	for _, n := range w.look()[1:] {
		sum += n.Minor
	}
	equal(t, "paid back", sum, 900)
}

// TestDisputes: which dispute follows on which.
func TestDisputes(t *testing.T) {
	const fine = fault.Code("")
	for name, tc := range map[string]struct {
		to   []wallet.DisputeStatus
		last fault.Code
		told string
	}{
		"open":            {[]wallet.DisputeStatus{wallet.DisputeOpen}, fine, "dispute"},
		"open twice":      {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeOpen}, fine, "dispute"},
		"won":             {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeWon}, fine, "dispute dispute"},
		"won, then again": {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeWon, wallet.DisputeOpen}, fine, "dispute dispute dispute"},
		"lost":            {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeLost}, fine, "dispute dispute"},
		"won from none":   {[]wallet.DisputeStatus{wallet.DisputeWon}, fault.CodeInvalidRequest, ""},
		"lost from won":   {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeWon, wallet.DisputeLost}, fault.CodeInvalidRequest, "dispute dispute"},
		"open from lost":  {[]wallet.DisputeStatus{wallet.DisputeOpen, wallet.DisputeLost, wallet.DisputeOpen}, fault.CodeInvalidRequest, "dispute dispute"},
		"unknown":         {[]wallet.DisputeStatus{"maybe"}, fault.CodeInvalidRequest, ""},
	} {
		w := newWorld(t)
		w.charge(order(), 1, "pm_card_visa")
		w.told()
		var err error
		for _, to := range tc.to {
			err = w.Dispute(t.Context(), ord("ord_1"), to)
		}
		if got := fault.CodeOf(err); got != tc.last {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, name, w.kinds(), tc.told)
	}
	w := newWorld(t)
	w.charge(order(), 1, "pm_card_chargeDeclined")
	refused(t, w.Dispute(t.Context(), ord("ord_1"), wallet.DisputeOpen), fault.CodeOrderNotPaid)
	refused(t, w.Dispute(t.Context(), ord("ord_2"), wallet.DisputeOpen), fault.CodeOrderNotFound)
	w.charge(order(), 2, "pm_card_visa")
	noError(t, w.Dispute(t.Context(), ord("ord_1"), wallet.DisputeOpen))
	noError(t, w.Dispute(t.Context(), ord("ord_1"), wallet.DisputeLost))
	_, err := w.refund(1, 100)
	refused(t, err, fault.CodeRefundTooLarge)
	news := w.look()
	equal(t, "looked up", news[len(news)-1].Dispute, wallet.DisputeLost)
}

// TestRestart: another sandbox over the same store knows everything.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	opened := w.open(saving())
	w.pay(opened.URL, "4000002500003155")
	before := w.get(opened.URL)
	w.restart()
	equal(t, "page", w.get(opened.URL).text, before.text)
	equal(t, "opened again", w.open(saving()).URL, opened.URL)
	w.press(opened.URL, "complete")
	news := w.told()[0].News
	hooks := w.last
	w.restart()
	events, err := w.Read(t.Context(), catalog.Test, hooks.header, hooks.body)
	noError(t, err)
	equal(t, "read after a restart", events[0].News.Payment, news.Payment)
	equal(t, "charge", w.look()[0], news)
	_, err = w.refund(1, 1000)
	noError(t, err)
	w.restart()
	again, err := w.refund(1, 1000)
	noError(t, err)
	equal(t, "refund", again.Refund, w.look()[1].Refund)
}

// TestRedeliver: what is not taken is delivered later, signed anew, and given up after three days.
func TestRedeliver(t *testing.T) {
	w := newWorld(t)
	w.setDown(true)
	opened := w.open(order())
	equal(t, "paid all the same", w.pay(opened.URL, "4242424242424242").code, http.StatusSeeOther)
	w.charge(&wallet.Order{Minor: 500, Currency: "usd", Text: "x", Quantity: 1}, 1, "pm_card_visa")
	_, err := w.refund(1, 100)
	noError(t, err)
	equal(t, "undelivered", undelivered(w), 1)
	if w.Redeliver(t.Context()) == nil {
		t.Error("nobody was told that webhooks are not taken")
	}
	w.restart()
	w.clock.Advance(time.Hour)
	w.setDown(false)
	noError(t, w.Redeliver(t.Context()))
	equal(t, "told", w.kinds(), "paid refund")
	equal(t, "undelivered", undelivered(w), 0)
	noError(t, w.Redeliver(t.Context()))
	equal(t, "told again", w.kinds(), "")

	w.setDown(true)
	noError(t, w.Dispute(t.Context(), ord("ord_1"), wallet.DisputeOpen))
	w.clock.Advance(31 * 24 * time.Hour)
	noError(t, w.Redeliver(t.Context()))
	equal(t, "given up", undelivered(w), 0)
	equal(t, "looked up", len(w.look()), 3)
	w.store.failing(fault.New("store", fault.CodeStoreUnavailable, "no"))
	refused(t, w.Redeliver(t.Context()), fault.CodeStoreUnavailable)
}

// TestRedeliverMany: who tries cards on and on while webhooks are not taken fills no list.
func TestRedeliverMany(t *testing.T) {
	w := newWorld(t)
	w.setDown(true)
	opened := w.open(order())
	for range 5 {
		w.pay(opened.URL, "4000000000000002")
		w.pay(opened.URL, "4000000000009995")
	}
	w.setDown(false)
	noError(t, w.Redeliver(t.Context()))
	equal(t, "told", w.kinds(), "declined declined")
}

// TestRead checks which signatures count.
func TestRead(t *testing.T) {
	w := newWorld(t)
	w.charge(order(), 1, "pm_card_visa")
	signed := w.last
	other := newWorld(t)
	other.charge(order(), 1, "pm_card_visa")
	change := func(name, value string) http.Header {
		h := signed.header.Clone()
		h.Set(name, value)
		return h
	}
	genuine := signed.header.Get("Webhook-Signature")
	at := func(d time.Duration) string { return strconv.FormatInt(start.Add(d).Time().Unix(), 10) }
	swapped := bytes.Replace(signed.body, []byte(`"amount":1000`), []byte(`"amount":9000`), 1)
	if bytes.Equal(swapped, signed.body) {
		t.Fatalf("nothing was changed in %s", signed.body)
	}
	for name, tc := range map[string]struct {
		header http.Header
		body   []byte
		mode   catalog.Mode
		now    time.Duration
		ok     bool
	}{
		"as it is":             {signed.header, signed.body, catalog.Test, 0, true},
		"just in time":         {signed.header, signed.body, catalog.Test, 5 * time.Minute, true},
		"too late":             {signed.header, signed.body, catalog.Test, 301 * time.Second, false},
		"clock a little back":  {signed.header, signed.body, catalog.Test, -5 * time.Minute, true},
		"from the future":      {signed.header, signed.body, catalog.Test, -301 * time.Second, false},
		"one of several":       {change("Webhook-Signature", "v1,AAAA v2,x "+genuine), signed.body, catalog.Test, 0, true},
		"another mode":         {signed.header, signed.body, catalog.Live, 0, false},
		"a named sandbox":      {signed.header, signed.body, "test/b", 0, false},
		"another body":         {signed.header, swapped, catalog.Test, 0, false},
		"another id":           {change("Webhook-Id", "evt_other"), signed.body, catalog.Test, 0, false},
		"another time":         {change("Webhook-Timestamp", at(time.Second)), signed.body, catalog.Test, 0, false},
		"no time":              {change("Webhook-Timestamp", ""), signed.body, catalog.Test, 0, false},
		"a time that is none":  {change("Webhook-Timestamp", "soon"), signed.body, catalog.Test, 0, false},
		"the least time":       {change("Webhook-Timestamp", "-9223372036854775808"), signed.body, catalog.Test, 0, false},
		"no signature":         {change("Webhook-Signature", ""), signed.body, catalog.Test, 0, false},
		"another scheme":       {change("Webhook-Signature", strings.Replace(genuine, "v1,", "v2,", 1)), signed.body, catalog.Test, 0, false},
		"cut short":            {change("Webhook-Signature", genuine[:len(genuine)-2]), signed.body, catalog.Test, 0, false},
		"no headers":           {http.Header{}, signed.body, catalog.Test, 0, false},
		"no body":              {signed.header, nil, catalog.Test, 0, false},
		"no JSON":              {signed.header, []byte("paid"), catalog.Test, 0, false},
		"an app without keys":  {signed.header, []byte(`{"app":"app_none"}`), catalog.Test, 0, false},
		"too large":            {signed.header, bytes.Repeat([]byte(" "), 70<<10), catalog.Test, 0, false},
		"signed by another":    {other.last.header, other.last.body, catalog.Test, 0, false},
		"the other's time too": {other.last.header, signed.body, catalog.Test, 0, false},
	} {
		w.clock.Set(start.Add(tc.now))
		events, err := w.Read(t.Context(), tc.mode, tc.header, tc.body)
		if tc.ok {
			noError(t, err)
			equal(t, name, len(events), 1)
			equal(t, name, events[0].OrderID, "ord_1")
			continue
		}
		if fault.CodeOf(err) != fault.CodeInvalidSignature || events != nil {
			t.Errorf("%s: got %v, %v", name, events, err)
		}
	}
	for _, o := range w.store.objects {
		if o.Kind == "keys" && (o.App != "app_1" || o.Mode != catalog.Test) {
			t.Errorf("a webhook made keys of %s in %s", o.App, o.Mode)
		}
	}
}

// TestPortal removes and adds cards, with what that means for charges.
func TestPortal(t *testing.T) {
	w := newWorld(t)
	opened := w.open(saving())
	w.pay(opened.URL, "5555555555554444")
	method := w.told()[0].News.Method
	link, err := w.Portal(t.Context(), ann, "https://shop.test/account")
	noError(t, err)
	shown := w.get(link).text
	contains(t, shown, "mastercard •••• 4444", "Remove", "Ann Example", `href="https://shop.test/account"`, "No money moves")
	equal(t, "without a token", w.send(post(link, map[string][]string{"do": {"remove"}, "method": {method}})).code, http.StatusForbidden)
	equal(t, "removed", w.press(link, "remove", "method", method).code, http.StatusSeeOther)
	equal(t, "removed again", w.press(link, "remove", "method", method).code, http.StatusSeeOther)
	contains(t, w.get(link).text, "No card is kept")
	gone := &wallet.Order{Minor: 500, Currency: "usd", Attempt: 1}
	news, err := w.Charge(t.Context(), provider.Charge{Place: ann, Order: gone, OrderID: "ord_2", Method: method})
	noError(t, err)
	equal(t, "charge of a removed card", news.Decline.Code, "resource_missing")
	for number, code := range map[string]int{
		"4000000000009987": http.StatusUnprocessableEntity, "1": http.StatusUnprocessableEntity, "": http.StatusUnprocessableEntity,
		"5555-5555-5555-4444": http.StatusSeeOther,
	} {
		equal(t, "add "+number, w.press(link, "add", "number", number).code, code)
	}
	equal(t, "another button", w.press(link, "rename").code, http.StatusUnprocessableEntity)
	news, err = w.Charge(t.Context(), provider.Charge{Place: ann, Order: gone, OrderID: "ord_3", Method: method})
	noError(t, err)
	equal(t, "charge of a card that was added again", news.Kind, wallet.NewsPaid)
	for range 25 {
		w.press(link, "add", "number", "4242424242424242")
	}
	equal(t, "cards", strings.Count(w.get(link).text, `value="remove"`), 2)

	bob := ann
	bob.Key.Customer = "bob"
	stolen, err := w.Charge(t.Context(), provider.Charge{Place: bob, Order: gone, OrderID: "ord_4", Method: method})
	noError(t, err)
	equal(t, "charge of another's card", stolen.Decline.Code, "resource_missing")
	theirs, err := w.OpenPage(t.Context(), provider.Page{Place: bob, Order: saving(), OrderID: "ord_5"})
	noError(t, err)
	w.told()
	w.pay(theirs.URL, "5555555555554444")
	if w.told()[0].News.Method == method {
		t.Error("two customers have the same card under one id")
	}
	w.clock.Advance(time.Hour)
	equal(t, "an old link", w.get(link).code, http.StatusNotFound)
	equal(t, "a form on it", w.press(link, "add", "number", "4242424242424242").code, http.StatusNotFound)
}

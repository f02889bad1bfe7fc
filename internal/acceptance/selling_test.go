package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/mail"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// shop is a whole server in test mode, where the sandbox moves the money, with a mail server and with an
// endpoint that is told of everything.
type shop struct {
	*scrip.App
	t     *testing.T
	pages http.Handler
	box   *postbox
	mu    sync.Mutex
	told  []v1.WebhookEvent

	endpoint v1.WebhookEndpoint
	credit   v1.Credit
	pack     v1.Pack
}

func newShop(t *testing.T, kind string, options ...scrip.Option) *shop {
	t.Helper()
	s := &shop{t: t, box: newPostbox(t)}
	receiver := httptest.NewServer(s)
	t.Cleanup(receiver.Close)
	open, err := scrip.Open(t.Context(), append([]scrip.Option{
		scrip.DB(emptyDatabase(t, kind).address), scrip.WithClock(newClock()), scrip.SweepEvery(0),
		scrip.WebhooksToLoopback(), scrip.WithMail(s.box.url(), ""), scrip.PublicURL(selltest.Base),
	}, options...)...)
	noError(t, err)
	t.Cleanup(func() {
		report, err := open.Verify(context.Background())
		if err != nil || len(report.Differences) > 0 {
			t.Errorf("verify: %v, %v", report.Differences, err)
		}
		noError(t, open.Close(context.Background()))
	})
	s.pages = open.Handler()
	s.App, err = open.App(t.Context(), "Shop", scrip.Test)
	noError(t, err)
	s.endpoint, err = s.CreateWebhookEndpoint(t.Context(), v1.CreateWebhookEndpoint{URL: receiver.URL})
	noError(t, err)
	const low money.Decimal = "20"
	s.credit, err = s.CreateCredit(t.Context(), v1.CreateCredit{Name: "credits", Unit: "credit", LowBalance: low})
	noError(t, err)
	s.pack, err = s.CreatePack(t.Context(), v1.CreatePack{Name: "Hundred", Price: 1000, Currency: "usd", Items: []v1.PackItem{
		{CreditID: s.credit.ID, Amount: "100"}, {CreditID: s.credit.ID, Amount: "25", Category: "promotional"},
	}})
	noError(t, err)
	return s
}

// ServeHTTP takes a webhook.
func (s *shop) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var e v1.WebhookEvent
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		s.t.Errorf("a webhook: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, e)
}

// events waits for the first event of a type, and returns all of it.
func (s *shop) events(event string) []v1.WebhookEvent {
	s.t.Helper()
	var found []v1.WebhookEvent
	until(s.t, event, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		found = nil
		for _, e := range s.told {
			if e.Type == event {
				found = append(found, e)
			}
		}
		return len(found) > 0
	})
	return found
}

// letter waits for a letter whose subject has some words; there must be one of it alone.
func (s *shop) letter(words string) posted {
	s.t.Helper()
	var found []posted
	until(s.t, "a letter about "+words, func() bool {
		found = nil
		for _, m := range s.box.all() {
			if strings.Contains(m.subject, words) {
				found = append(found, m)
			}
		}
		return len(found) > 0
	})
	if len(found) > 1 {
		s.t.Errorf("%d letters about %s", len(found), words)
	}
	return found[0]
}

// buys has a customer buy the pack with a card that is kept.
func (s *shop) buys(customer, card string) v1.Order {
	s.t.Helper()
	o, err := s.Checkout(s.t.Context(), v1.CheckoutRequest{CustomerID: customer, Email: customer + "@example.test", PackID: s.pack.ID, SaveCard: true})
	noError(s.t, err)
	selltest.Press(s.t, s.pages, o.URL, "pay", card)
	page := o.URL
	o, err = s.GetOrder(s.t.Context(), o.ID)
	noError(s.t, err)
	o.URL = page // it shows what can become of the purchase now
	return o
}

func (s *shop) spends(customer string, amount money.Decimal) {
	s.t.Helper()
	_, err := s.Deduct(s.t.Context(), v1.DeductRequest{Charge: direct(customer, s.credit.ID, amount)})
	noError(s.t, err)
}

// cardThatFails is one that is kept, and declines whatever is charged to it later.
const cardThatFails = "4000000000000341"

// TestCustomersAreWrittenTo has customers buy, run low, be topped up and be declined: each time there
// is one letter, with the right text.
func TestCustomersAreWrittenTo(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newShop(t, kind)
		s.buys("ann", selltest.TestCard)
		receipt := s.letter("receipt")
		for _, words := range []string{"100 credits", "$10.00", "Hundred"} {
			if receipt.to != "ann@example.test" || !strings.Contains(receipt.text, words) {
				t.Errorf("the receipt to %s lacks %s:\n%s", receipt.to, words, receipt.text)
			}
		}
		s.spends("ann", "110")
		if low := s.letter("running low"); !strings.Contains(low.text, "15") {
			t.Errorf("the letter about a low balance:\n%s", low.text)
		}
		_, err := s.SetAutoTopUp(t.Context(), "ann", v1.SetAutoTopUp{CreditID: s.credit.ID, Enabled: true, Threshold: "20", PackID: s.pack.ID})
		noError(t, err)
		if topped := s.letter("topped up"); !strings.Contains(topped.text, "$10.00") {
			t.Errorf("the letter about a top-up:\n%s", topped.text)
		}
		s.hears("auto_top_up.succeeded", "ann")

		s.buys("bob", cardThatFails)
		_, err = s.SetAutoTopUp(t.Context(), "bob", v1.SetAutoTopUp{CreditID: s.credit.ID, Enabled: true, Threshold: "20", PackID: s.pack.ID})
		noError(t, err)
		s.spends("bob", "120")
		s.declines("bob", 4, time.Hour, 5*time.Hour, 16*time.Hour)
		if failed := s.letter("could not top up"); failed.to != "bob@example.test" {
			t.Errorf("the letter about a failed top-up went to %s", failed.to)
		}
		s.hears("auto_top_up.failed", "bob")
		s.hears("payment.failed", "bob")
		s.remindsOf(t)
	})
}

// remindsOf has credits about to expire and a trial about to end.
func (s *shop) remindsOf(t *testing.T) {
	t.Helper()
	_, err := s.CreatePlan(t.Context(), v1.CreatePlan{Name: "Pro", Price: 2000, Currency: "usd", TrialDays: 14})
	noError(t, err)
	_, err = s.SaveCustomer(t.Context(), "cleo", v1.SaveCustomer{Email: "cleo@example.test"})
	noError(t, err)
	now, err := s.TestClock(t.Context())
	noError(t, err)
	_, err = s.Grant(t.Context(), v1.GrantRequest{CustomerID: "cleo", CreditID: s.credit.ID, Amount: "70", ExpiresAt: v1.ExpiresAt(now.Now.Add(20 * 24 * time.Hour))})
	noError(t, err)
	_, err = s.Subscribe(t.Context(), v1.Subscribe{CustomerID: "cleo", PlanID: "pro"})
	noError(t, err)
	_, err = s.AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 14 * 24 * 3600})
	noError(t, err)
	if m := s.letter("before they expire"); m.to != "cleo@example.test" || !strings.Contains(m.text, "70") {
		t.Errorf("the letter about credits that expire, to %s:\n%s", m.to, m.text)
	}
	if m := s.letter("about to end"); m.to != "cleo@example.test" || !strings.Contains(m.text, "$20.00") {
		t.Errorf("the letter about a trial that ends, to %s:\n%s", m.to, m.text)
	}
	s.events("credit.expiring")
	s.events("subscription.trial_ending")
}

// hears waits for an event of a customer's order.
func (s *shop) hears(event, customer string) {
	s.t.Helper()
	var data v1.WebhookOrder
	noError(s.t, json.Unmarshal(s.events(event)[0].Data, &data))
	if data.UserID != customer || data.Order.ID == "" {
		s.t.Errorf("%s is about %+v", event, data)
	}
}

// TestRechargeWillCover has a customer short of credits while an automatic top-up is under way: each
// way of asking says no, and that it can go on in a moment.
func TestRechargeWillCover(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind) // nothing leaves its outbox, so that the charge stays under way
		key := s.key(catalog.Test)
		app := s.as(catalog.Test)
		pack, err := app.CreatePack(t.Context(), v1.CreatePack{Name: "Hundred", Price: 1000, Currency: "usd", Items: []v1.PackItem{{CreditID: "credits", Amount: "100"}}})
		noError(t, err)
		o, err := app.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "u", PackID: pack.ID, SaveCard: true})
		noError(t, err)
		selltest.Pay(t, s.first.scrip.Handler(), o.URL)
		_, err = app.SetAutoTopUp(t.Context(), "u", v1.SetAutoTopUp{CreditID: "credits", Enabled: true, Threshold: "20", PackID: pack.ID})
		noError(t, err)
		_, err = app.Deduct(t.Context(), v1.DeductRequest{Charge: direct("u", o.Items[0].CreditID, "90")})
		noError(t, err)
		for amount, covered := range map[money.Decimal]bool{"110": true, "111": false} {
			charge := direct("u", o.Items[0].CreditID, amount)
			d := read[v1.Decision](t, s.first.call(key, http.MethodPost, "/v1/reserve", v1.ReserveRequest{Charge: charge}))
			if d.Allowed || d.CanContinue != covered {
				t.Errorf("reserving %s: %+v", amount, d)
			}
			d = read[v1.Decision](t, s.first.call(key, http.MethodPost, "/v1/can-use", v1.CanUseRequest{Charge: charge}))
			if d.Allowed || d.CanContinue != covered {
				t.Errorf("asking for %s: %+v", amount, d)
			}
		}
	})
}

// declines waits until as many attempts of a customer's automatic charge were declined, and moves the
// clock on between them.
func (s *shop) declines(customer string, attempts int, pauses ...time.Duration) {
	s.t.Helper()
	for i := range attempts {
		until(s.t, "a decline", func() bool {
			page, err := s.ListOrders(s.t.Context(), v1.OrderQuery{CustomerID: customer, Limit: 1})
			noError(s.t, err)
			o := page.Data[0]
			return o.Attempt == i+1 && (o.Status == "waiting" || o.Status == "failed")
		})
		if i < len(pauses) {
			_, err := s.AdvanceTestClock(s.t.Context(), v1.AdvanceTestClock{BySeconds: int64(pauses[i] / time.Second)})
			noError(s.t, err)
		}
	}
}

// TestRenewalsAreCharged sells plans whose cycles are charged to the card that is kept: one is paid
// for, and of the other its customer is told; in the end it is over.
func TestRenewalsAreCharged(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newShop(t, kind)
		_, err := s.CreatePlan(t.Context(), v1.CreatePlan{Name: "Pro", Price: 2000, Currency: "usd", Credits: []v1.PlanCredit{{CreditID: s.credit.ID, Amount: "50"}}})
		noError(t, err)
		for customer, card := range map[string]string{"ann": selltest.TestCard, "bob": cardThatFails} {
			o, err := s.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: customer, Email: customer + "@example.test", PlanID: "pro"})
			noError(t, err)
			selltest.Press(t, s.pages, o.URL, "pay", card)
		}
		day := int64(24 * time.Hour / time.Second)
		_, err = s.AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 31 * day})
		noError(t, err)
		until(t, "the renewal to be paid", func() bool {
			page, err := s.ListInvoices(t.Context(), v1.InvoiceQuery{CustomerID: "ann", Status: "paid"})
			noError(t, err)
			return len(page.Data) == 2
		})
		if b := balanceOf(t, s, "ann"); b.Balance != "50" {
			t.Errorf("the customer whose renewal was paid has %s", b.Balance)
		}
		s.declines("bob", 4, 24*time.Hour, 48*time.Hour, 96*time.Hour)
		if b := balanceOf(t, s, "bob"); b.Balance != "0" {
			t.Errorf("the customer whose renewal was not paid has %s", b.Balance)
		}
		page, err := s.ListSubscriptions(t.Context(), v1.SubscriptionQuery{CustomerID: "bob"})
		noError(t, err)
		if sub := page.Data[0]; sub.Status != "ended" || sub.Reason != "payment_failed" {
			t.Errorf("the subscription that nobody pays for is %s (%s)", sub.Status, sub.Reason)
		}
		until(t, "a letter for each decline", func() bool {
			told := 0
			for _, m := range s.box.all() {
				if m.to == "bob@example.test" && strings.Contains(m.text, "Pro") {
					told++
				}
			}
			return told == 4
		})
		s.staysTold("bob")
	})
}

// staysTold reads again what a customer was written about declines, and has the endpoint told of them
// again, after all that followed: it is what was said at the time.
func (s *shop) staysTold(customer string) {
	s.t.Helper()
	kept, err := s.ListMails(s.t.Context(), v1.MailQuery{})
	noError(s.t, err)
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	var read, sent []string
	for _, m := range kept.Data {
		if m.CustomerID == customer && m.Kind == string(mail.PaymentFailed) {
			read = append(read, words(m.Text))
		}
	}
	for _, m := range s.box.all() {
		if m.to == customer+"@example.test" && strings.Contains(m.text, "Pro") {
			sent = append(sent, words(m.text))
		}
	}
	slices.Sort(read)
	slices.Sort(sent)
	equal(s.t, "letters", strings.Join(read, "\n"), strings.Join(sent, "\n"))
	const event = "payment.failed"
	var first []v1.WebhookEvent
	until(s.t, "every decline to be told", func() bool { first = s.events(event); return len(first) == 4 })
	made, err := s.ListWebhookDeliveries(s.t.Context(), s.endpoint.ID, v1.WebhookDeliveryQuery{Type: event})
	noError(s.t, err)
	for _, d := range made.Data {
		_, err := s.RedeliverWebhook(s.t.Context(), d.ID)
		noError(s.t, err)
	}
	var all []v1.WebhookEvent
	until(s.t, "every decline to be told again", func() bool { all = s.events(event); return len(all) == 2*len(first) })
	var attempts []int
	for _, was := range first {
		again := slices.IndexFunc(all[len(first):], func(is v1.WebhookEvent) bool { return is.ID == was.ID && bytes.Equal(is.Data, was.Data) })
		if again < 0 {
			s.t.Errorf("this is not told again as it was:\n%s", was.Data)
		}
		var about v1.WebhookOrder
		noError(s.t, json.Unmarshal(was.Data, &about))
		attempts = append(attempts, about.Order.Attempt)
	}
	slices.Sort(attempts)
	equal(s.t, "attempts", fmt.Sprint(attempts), "[1 2 3 4]")
}

func balanceOf(t *testing.T, s *shop, customer string) v1.Balance {
	t.Helper()
	b, err := s.Balances(t.Context(), customer, s.credit.ID, 0)
	noError(t, err)
	return b.Data[0]
}

// TestRefundsAreFair previews a refund and makes it, and reads what endpoints are told of a purchase
// from its payment to its end.
func TestRefundsAreFair(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newShop(t, kind)
		o := s.buys("ann", selltest.TestCard)
		s.spends("ann", "65") // the 25 that came on top go first, and 40 of those that were paid for
		_, err := s.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("ann", s.credit.ID, "10")})
		noError(t, err)
		p, err := s.PreviewRefund(t.Context(), o.ID, v1.RefundQuery{})
		noError(t, err)
		paid, given := p.Grants[0], p.Grants[1]
		// Half of the price is each item's: 5.00 for 100 credits, and 5.00 for 25.
		if p.Paid != 1000 || p.Refundable != 1000 || p.Unspent != 250 || paid.Unspent != "50" || paid.Held != "10" || paid.CostBasis != "5" ||
			paid.WouldRevoke != "50" || paid.WouldMiss != "50" || given.Unspent != "0" || given.WouldMiss != "25" || given.Category != "promotional" {
			t.Errorf("the preview is %+v", p)
		}
		back, err := s.RefundOrder(t.Context(), o.ID, v1.RefundRequest{Amount: p.Unspent, Reason: "did not like it"})
		noError(t, err)
		if back.Refunded != 250 || back.Grants[0].Revoked != "25" || back.Refunds[0].Status != "succeeded" {
			t.Errorf("after the refund the order is %+v", back)
		}
		selltest.Press(t, s.pages, o.URL, "dispute", "")
		s.hears("dispute.opened", "ann")
		if b := balanceOf(t, s, "ann"); b.Available != "0" {
			t.Errorf("while a dispute is open %s can be spent", b.Available)
		}
		selltest.Press(t, s.pages, o.URL, "win", "")
		s.hears("dispute.won", "ann")
		_, err = s.RefundOrder(t.Context(), o.ID, v1.RefundRequest{Amount: 751})
		if err == nil || !strings.Contains(err.Error(), "refund_too_large") {
			t.Errorf("more than is left was paid back: %v", err)
		}
		s.isTold(o)
	})
}

// isTold holds what was told of a purchase that was paid for and refunded in part against what happened.
func (s *shop) isTold(o v1.Order) {
	s.t.Helper()
	for _, event := range []string{"payment.succeeded", "credits.top_up", "refund.succeeded"} {
		all := s.events(event)
		var data v1.WebhookOrder
		noError(s.t, json.Unmarshal(all[0].Data, &data))
		if len(all) != 1 || data.Order.ID != o.ID || data.UserID != "ann" || data.Email != "ann@example.test" || data.AmountText != "$10.00" {
			s.t.Errorf("%s was told %d times: %+v", event, len(all), data)
		}
		if event == "credits.top_up" && data.CreditsAdded != "100" || event == "refund.succeeded" && (data.Refund == nil || data.Refund.Amount != 250) {
			s.t.Errorf("%s says %+v", event, data)
		}
	}
	page, err := s.InvoicePage(s.t.Context(), o.InvoiceID)
	noError(s.t, err)
	for _, words := range []string{"Hundred", "10.00 USD", "Paid"} {
		if !strings.Contains(string(page), words) || strings.Contains(string(page), "Period") {
			s.t.Errorf("the page of the receipt lacks %s, or has a period:\n%s", words, page)
		}
	}
	if receipt := s.events("invoice.paid"); len(receipt) != 1 || !slices.Contains([]string{s.credit.ID, s.pack.ID}, receiptOf(s.t, receipt[0]).Lines[0].ItemID) {
		s.t.Errorf("the receipt is %+v", receipt)
	}
}

func receiptOf(t *testing.T, e v1.WebhookEvent) v1.Invoice {
	t.Helper()
	var v v1.Invoice
	noError(t, json.Unmarshal(e.Data, &v))
	return v
}

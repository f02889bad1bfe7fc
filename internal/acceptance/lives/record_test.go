package lives

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/seed42445051/scrip/clock"
)

// The metadata by which what a payment was for is known at the provider.
const (
	metaOrder    = "scrip_order"
	metaCustomer = "scrip_customer"
	metaAttempt  = "scrip_attempt"
	metaPack     = "packId"
)

// record is what the provider knows of money: what it did, whatever Scrip believes. Everything is
// oldest first.
type record struct {
	payments []*payment
	byOrder  map[string][]*payment
}

// payment is one PaymentIntent, with what came of it.
type payment struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Amount   int64             `json:"amount"`
	Received int64             `json:"amount_received"`
	Currency string            `json:"currency"`
	Created  int64             `json:"created"`
	Metadata map[string]string `json:"metadata"`
	Error    *struct {
		Code        string `json:"code"`
		DeclineCode string `json:"decline_code"`
	} `json:"last_payment_error"`

	refunds []*refund
	dispute *dispute
}

type refund struct {
	ID      string `json:"id"`
	Amount  int64  `json:"amount"`
	Status  string `json:"status"`
	Payment string `json:"payment_intent"`
}

type dispute struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Payment string `json:"payment_intent"`
}

func (p *payment) order() string    { return p.Metadata[metaOrder] }
func (p *payment) customer() string { return p.Metadata[metaCustomer] }
func (p *payment) paid() bool       { return p.Status == "succeeded" }
func (p *payment) at() clock.Instant {
	return clock.Instant(p.Created * 1_000_000)
}

// attempt is which one it was of the charges of an order without a page; 0: it had a page.
func (p *payment) attempt() int {
	n, _ := strconv.Atoi(p.Metadata[metaAttempt])
	return n
}

// refunded is what went back and stayed there.
func (p *payment) refunded() int64 {
	sum := int64(0)
	for _, r := range p.refunds {
		if r.Status == "succeeded" {
			sum += r.Amount
		}
	}
	return sum
}

// ends tells whether a decline is one after which the card must be left alone.
func (p *payment) ends() bool {
	if p.paid() || p.Error == nil {
		return false
	}
	return slices.Contains([]string{"authentication_required", "expired_card", "lost_card", "stolen_card", "incorrect_cvc"}, p.Error.Code) ||
		slices.Contains([]string{"authentication_required", "lost_card", "stolen_card"}, p.Error.DeclineCode)
}

// readRecord asks the provider at an address for all that it knows.
func readRecord(t testing.TB, base string) *record {
	t.Helper()
	r := &record{payments: listed[payment](t, base, "payment_intents"), byOrder: map[string][]*payment{}}
	byID := map[string]*payment{}
	for _, p := range r.payments {
		byID[p.ID] = p
		r.byOrder[p.order()] = append(r.byOrder[p.order()], p)
	}
	for _, back := range listed[refund](t, base, "refunds") {
		if p := byID[back.Payment]; p != nil { // else it is newer than the list of payments
			p.refunds = append(p.refunds, back)
		}
	}
	for _, d := range listed[dispute](t, base, "disputes") {
		if p := byID[d.Payment]; p != nil {
			p.dispute = d
		}
	}
	return r
}

// of are the payments of a customer, by order.
func (r *record) of(customer string) map[string][]*payment {
	all := map[string][]*payment{}
	for _, p := range r.payments {
		if p.customer() == customer {
			all[p.order()] = append(all[p.order()], p)
		}
	}
	return all
}

// listed reads a whole list, oldest first.
func listed[T any](t testing.TB, base, what string) []*T {
	t.Helper()
	var all []*T
	query := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Data    []json.RawMessage `json:"data"`
			HasMore bool              `json:"has_more"`
		}
		get(t, base+"/v1/"+what+"?"+query.Encode(), &page)
		for _, text := range page.Data {
			one := new(T)
			var named struct {
				ID string `json:"id"`
			}
			noError(t, json.Unmarshal(text, one))
			noError(t, json.Unmarshal(text, &named))
			all = append(all, one)
			query.Set("starting_after", named.ID)
		}
		if !page.HasMore {
			break
		}
	}
	slices.Reverse(all)
	return all
}

func get(t testing.TB, address string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	noError(t, err)
	r.Header.Set("Authorization", "Bearer "+providerKey)
	answer, err := http.DefaultClient.Do(r)
	noError(t, err)
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, answer.Status)
	}
	noError(t, json.NewDecoder(answer.Body).Decode(into))
}

func (p *payment) String() string {
	return fmt.Sprintf("%s of order %s of %s (%s, %d %s)", p.ID, p.order(), p.customer(), p.Status, p.Amount, p.Currency)
}

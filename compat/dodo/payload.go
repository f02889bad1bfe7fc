package dodo

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Renderer writes events as the vendor sends them, for endpoints of this package's Format. The
// vendor's adapters refuse a body that lacks anything of it (dodo.md section 13.4).
type Renderer struct{}

// envelope is the body of a request.
type envelope struct {
	BusinessID string        `json:"business_id"`
	Type       string        `json:"type"`
	Timestamp  clock.Instant `json:"timestamp"`
	Data       any           `json:"data"`
}

// Render writes an event; no body for one that the vendor does not have.
func (Renderer) Render(ctx context.Context, e *notify.Event) ([]byte, error) {
	if !told(e) {
		return nil, nil
	}
	var data any = entryPayload{"CreditLedgerEntry", eventEntry(e)}
	if e.Low != nil {
		low, err := balanceLow(ctx, e)
		if err != nil {
			return nil, err
		}
		data = low
	}
	return json.Marshal(envelope{e.Key.App, string(e.Type), e.At, data})
}

// told reports whether the vendor tells of an event. It does not of a top-up, which is credits
// added to us (section 13.6), nor of what has no entry.
func told(e *notify.Event) bool {
	return e.Entry != nil && slices.Contains(eventTypes, string(e.Type)) && (e.Type == catalog.EventBalanceLow || e.Entry.Type != wallet.AutoTopUp)
}

// entryPayload is the data of every event of credits but one (section 13.6).
type entryPayload struct {
	PayloadType string `json:"payload_type"`
	ledgerEntry
}

func eventEntry(e *notify.Event) ledgerEntry {
	entry := wording.Entry(e.Defs, e.Key, e.Key.ID(), e.Entry)
	return ledgerEntryOut(e.Key.App, &entry)
}

// lowPayload is the data of credit.balance_low (section 13.6).
type lowPayload struct {
	PayloadType       string        `json:"payload_type"`
	BrandID           string        `json:"brand_id"`
	CustomerID        string        `json:"customer_id"`
	SubscriptionID    string        `json:"subscription_id"`
	CreditEntitlement string        `json:"credit_entitlement_id"`
	CreditName        string        `json:"credit_entitlement_name"`
	AvailableBalance  money.Decimal `json:"available_balance"`
	Allowance         money.Decimal `json:"subscription_credits_amount"`
	ThresholdPercent  int64         `json:"threshold_percent"` // of the allowance, rounded down
	ThresholdAmount   money.Decimal `json:"threshold_amount"`
}

// balanceLow tells of a balance that fell below the threshold of its credit. The vendor's
// threshold is a share of what a subscription gives each cycle. Where ours is the credit's own
// amount, the share is told of the grant that was drawn on.
func balanceLow(ctx context.Context, e *notify.Event) (lowPayload, error) {
	credit := e.Credit()
	out := lowPayload{
		PayloadType: "CreditBalanceLow", BrandID: e.Key.App, CustomerID: e.Key.Customer, CreditEntitlement: e.Low.Credit,
		CreditName: credit.Name, AvailableBalance: wording.Amount(e.Low.Balance, credit.Precision), Allowance: "0",
		ThresholdAmount: wording.Amount(e.Low.Threshold, credit.Precision),
	}
	if low := e.Low; low.Percent > 0 {
		out.SubscriptionID, out.ThresholdPercent = low.Subscription, int64(low.Percent)
		out.Allowance = wording.Amount(low.Allowance, credit.Precision)
		return out, nil
	}
	grants, err := e.Grants(ctx)
	if err != nil {
		return out, err
	}
	drawn := drawnOn(grants)
	if drawn == nil {
		return out, nil
	}
	if drawn.Source == wallet.SourceSubscription {
		out.SubscriptionID = sourceID(drawn.Pack, drawn.ExternalRef, drawn.SourceID)
	}
	out.Allowance = wording.Amount(drawn.Amount, credit.Precision)
	out.ThresholdPercent, err = money.MulDivFloor(e.Low.Threshold, 100, drawn.Amount)
	return out, err
}

// drawnOn is the grant that says most of a balance that fell: the newest of a subscription, or
// else the newest.
func drawnOn(grants []*wallet.Grant) *wallet.Grant {
	var newest *wallet.Grant
	for _, g := range grants { // in order of their numbers
		if newest == nil || g.Source == wallet.SourceSubscription || newest.Source != wallet.SourceSubscription {
			newest = g
		}
	}
	return newest
}

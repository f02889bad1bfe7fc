package dodo

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// planPreview is what a change of plan would come to.
type planPreview struct {
	Charge  immediateCharge `json:"immediate_charge"`
	NewPlan subscription    `json:"new_plan"`
}

type immediateCharge struct {
	EffectiveAt clock.Instant `json:"effective_at"`
	Lines       []any         `json:"line_items"`
	Summary     chargeSummary `json:"summary"`
}

// chargeSummary sums up. Credits here are money: what the next invoices are less by, negative when
// it is used up.
type chargeSummary struct {
	Currency           string `json:"currency"`
	TotalAmount        int64  `json:"total_amount"`
	CustomerCredits    int64  `json:"customer_credits"`
	SettlementAmount   int64  `json:"settlement_amount"`
	SettlementCurrency string `json:"settlement_currency"`
}

// planLine is a line for a plan, or for credits used beyond one.
type planLine struct {
	Type            string  `json:"type"` // subscription
	ID              string  `json:"id"`
	ProductID       string  `json:"product_id"`
	Name            string  `json:"name"`
	Currency        string  `json:"currency"`
	Quantity        int64   `json:"quantity"`
	UnitPrice       int64   `json:"unit_price"`
	ProrationFactor float64 `json:"proration_factor"`
	TaxInclusive    bool    `json:"tax_inclusive"`
}

// meterLine is a line for usage that is paid for in money.
type meterLine struct {
	Type            string        `json:"type"` // meter
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Currency        string        `json:"currency"`
	UnitsConsumed   money.Decimal `json:"units_consumed"`
	ChargeableUnits money.Decimal `json:"chargeable_units"`
	FreeThreshold   int64         `json:"free_threshold"`
	PricePerUnit    money.Decimal `json:"price_per_unit"`
	Subtotal        int64         `json:"subtotal"`
	TaxInclusive    bool          `json:"tax_inclusive"`
	TaxRate         int64         `json:"tax_rate"`
}

func (c *call) previewChangePlan() (any, error) {
	body, was, is, err := c.planChange(c.PreviewChange)
	if err != nil {
		return nil, err
	}
	if next := is.Subscription.Next; body.EffectiveAt.value == atNextBilling && next != nil {
		later := *is.Subscription
		later.Plan, later.Terms, later.Quantity, later.Next = next.Plan, next.Terms, next.Quantity, nil
		is.Subscription = &later
	}
	d, err := c.complete(c.told(&is))
	if err != nil {
		return nil, err
	}
	out := planPreview{NewPlan: d.whole(), Charge: immediateCharge{EffectiveAt: d.at, Lines: []any{}}}
	if body.EffectiveAt.value == atNextBilling {
		out.Charge.EffectiveAt = is.Subscription.CycleEnd
	}
	sum := &out.Charge.Summary
	sum.Currency, sum.SettlementCurrency = out.NewPlan.Currency, out.NewPlan.Currency
	for i := range is.V1.Invoices {
		inv := &is.V1.Invoices[i]
		if currencyOut(inv.Currency) != sum.Currency {
			continue // of credits that are priced in another
		}
		sum.TotalAmount += inv.Total
		for k := range inv.Lines {
			line := &inv.Lines[k]
			if line.Kind == string(wallet.BalanceLine) {
				sum.CustomerCredits += line.Amount
				continue
			}
			out.Charge.Lines = append(out.Charge.Lines, previewLine(line, was.Subscription, is.Subscription))
		}
	}
	sum.SettlementAmount = sum.TotalAmount
	return out, nil
}

// previewLine is a line of an invoice in the vendor's words. Of a plan it shows the whole price, and
// which part of it is charged.
func previewLine(l *v1.InvoiceLine, was, is *wallet.Subscription) any {
	currency := currencyOut(is.Terms.Currency)
	if l.Kind == string(wallet.UsageLine) {
		out := meterLine{
			Type: "meter", ID: l.ItemID, Name: l.Description, Currency: currency, UnitsConsumed: l.Quantity, ChargeableUnits: l.Quantity,
			PricePerUnit: l.UnitPrice, Subtotal: l.Amount, TaxInclusive: was.Terms.TaxInside,
		}
		for i := range was.Terms.Meters {
			if m := &was.Terms.Meters[i]; m.Meter == l.ItemID && m.FreeThreshold > 0 {
				out.FreeThreshold = m.FreeThreshold / wallet.MicrosPerUnit
				out.UnitsConsumed = addMicros(l.Quantity, m.FreeThreshold)
			}
		}
		return out
	}
	out := planLine{
		Type: "subscription", ID: l.ItemID, ProductID: is.Plan, Name: l.Description, Currency: currency, Quantity: 1, UnitPrice: l.Amount,
		ProrationFactor: 1, TaxInclusive: is.Terms.TaxInside,
	}
	switch {
	case l.Kind == string(wallet.OverageLine):
		out.ProductID = was.Plan
		return out
	case l.Amount < 0: // what is left of the plan that is given up
		out.ProductID, out.Quantity, out.UnitPrice = was.Plan, max(1, was.Quantity), -was.Terms.Minor
	default:
		out.Quantity, out.UnitPrice = max(1, is.Quantity), is.Terms.Minor
	}
	if whole := out.UnitPrice * out.Quantity; whole != 0 {
		out.ProrationFactor = float64(l.Amount) / float64(whole)
	}
	return out
}

// addMicros adds micros of usage to a quantity of it.
func addMicros(quantity money.Decimal, micros int64) money.Decimal {
	sum, err := quantity.Units(wallet.QuantityDecimals)
	if err != nil {
		return quantity
	}
	return money.Decimal(money.FormatUnits(sum+micros, wallet.QuantityDecimals))
}

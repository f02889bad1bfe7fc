package dodo

import (
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// price is the vendor's union of prices, by type (dodo.md section 9). Which fields there are goes
// by the type.
type price map[string]any

// priceTypes are the vendor's names of the kinds of price.
var priceTypes = map[catalog.PriceKind]string{
	catalog.OneTimePrice: "one_time_price", catalog.RecurringPrice: "recurring_price", catalog.UsageBasedPrice: "usage_based_price",
}

func priceOut(p *catalog.Price) price {
	out := price{
		"type": priceTypes[p.Kind], "currency": currencyOut(p.Currency), "tax_inclusive": p.TaxInclusive,
		"discount": p.DiscountBps / 100, "discount_bps": p.DiscountBps, "purchasing_power_parity": false,
	}
	if p.Kind == catalog.OneTimePrice {
		out["price"], out["pay_what_you_want"], out["suggested_price"] = p.Minor, p.PayWhatYouWant, unlessZero(p.SuggestedMinor)
		return out
	}
	out["payment_frequency_count"], out["payment_frequency_interval"] = p.Every.Count, intervalOut(string(p.Every.Unit))
	period := p.Period
	if period == (catalog.Interval{}) { // the vendor has no subscription without an end
		period = catalog.Interval{Count: catalog.MaxIntervalCount, Unit: catalog.Year}
	}
	out["subscription_period_count"], out["subscription_period_interval"] = period.Count, intervalOut(string(period.Unit))
	if p.Kind == catalog.UsageBasedPrice {
		out["fixed_price"] = p.Minor
		meters := make([]meterPrice, len(p.Meters))
		for i := range p.Meters {
			meters[i] = meterPriceOut(&p.Meters[i])
		}
		out["meters"] = meters
		return out
	}
	out["price"], out["trial_period_days"], out["trial_amount"] = p.Minor, p.TrialDays, unlessZero(p.TrialMinor)
	out["trial_apply_discounts"], out["trial_payment_method_optional"] = p.TrialDiscounted, p.TrialWithoutMethod
	out["zero_amount_payment_method_optional"] = p.FreeWithoutMethod
	return out
}

// meterPrice is a meter of a usage-based price.
type meterPrice struct {
	MeterID           string         `json:"meter_id"`
	PricePerUnit      *money.Decimal `json:"price_per_unit"`
	FreeThreshold     *int64         `json:"free_threshold"`
	CreditEntitlement *string        `json:"credit_entitlement_id"`
	UnitsPerCredit    *money.Decimal `json:"meter_units_per_credit"`
}

func meterPriceOut(m *catalog.ProductMeter) meterPrice {
	return meterPrice{m.Meter, unlessZero(m.PricePerUnit), unlessZero(m.FreeThreshold), unlessZero(m.Credit), unlessZero(m.UnitsPerCredit)}
}

// priceBody is a price as it is sent: the fields of all types.
type priceBody struct {
	Type         string `json:"type"`
	Currency     string `json:"currency"`
	Price        *int64 `json:"price"`
	FixedPrice   *int64 `json:"fixed_price"`
	Discount     int    `json:"discount"`
	DiscountBps  *int   `json:"discount_bps"`
	Parity       bool   `json:"purchasing_power_parity"`
	TaxInclusive bool   `json:"tax_inclusive"`

	PayWhatYouWant bool  `json:"pay_what_you_want"`
	SuggestedPrice int64 `json:"suggested_price"`

	FrequencyCount    int    `json:"payment_frequency_count"`
	FrequencyInterval string `json:"payment_frequency_interval"`
	PeriodCount       int    `json:"subscription_period_count"`
	PeriodInterval    string `json:"subscription_period_interval"`

	TrialDays          int   `json:"trial_period_days"`
	TrialAmount        int64 `json:"trial_amount"`
	TrialDiscounted    bool  `json:"trial_apply_discounts"`
	TrialWithoutMethod bool  `json:"trial_payment_method_optional"`
	FreeWithoutMethod  bool  `json:"zero_amount_payment_method_optional"`

	Meters []meterPrice `json:"meters"`
}

// price reads a price of one of the three types.
func (b *priceBody) price() (catalog.Price, error) {
	p := catalog.Price{DiscountBps: b.Discount * 100, TaxInclusive: b.TaxInclusive}
	if b.DiscountBps != nil {
		p.DiscountBps = *b.DiscountBps
	}
	var err error
	if p.Currency, err = currencyIn(b.Currency); err != nil {
		return p, err
	}
	if b.Parity {
		return p, fault.New("dodo.price", fault.CodeNotImplemented, "Scrip has no regional prices: leave out purchasing_power_parity")
	}
	amount, name := b.Price, "price"
	switch b.Type {
	case "one_time_price":
		p.Kind, p.PayWhatYouWant, p.SuggestedMinor = catalog.OneTimePrice, b.PayWhatYouWant, b.SuggestedPrice
	case "recurring_price":
		p.Kind, p.TrialDays, p.TrialMinor = catalog.RecurringPrice, b.TrialDays, b.TrialAmount
		p.TrialDiscounted, p.TrialWithoutMethod, p.FreeWithoutMethod = b.TrialDiscounted, b.TrialWithoutMethod, b.FreeWithoutMethod
	case "usage_based_price":
		p.Kind, amount, name = catalog.UsageBasedPrice, b.FixedPrice, "fixed_price"
		p.Meters = make([]catalog.ProductMeter, len(b.Meters))
		for i := range b.Meters {
			p.Meters[i] = b.Meters[i].meter()
		}
	default:
		return p, invalidBody("price.type must be one_time_price, recurring_price or usage_based_price, not " + strconv.QuoteToASCII(b.Type))
	}
	if amount == nil {
		return p, invalidBody("price." + name + " is missing")
	}
	p.Minor = *amount
	if p.Kind == catalog.OneTimePrice {
		return p, nil
	}
	if p.Every, err = cycle(b.FrequencyCount, b.FrequencyInterval, "payment_frequency"); err != nil {
		return p, err
	}
	p.Period, err = cycle(b.PeriodCount, b.PeriodInterval, "subscription_period")
	return p, err
}

func cycle(count int, interval, field string) (catalog.Interval, error) {
	unit, err := intervalIn(interval, field+"_interval")
	v := catalog.Interval{Count: count, Unit: catalog.IntervalUnit(unit)}
	if err == nil && !v.Valid() {
		err = invalidValue(field + "_count must be 1 to " + strconv.Itoa(catalog.MaxIntervalCount))
	}
	return v, err
}

func (m *meterPrice) meter() catalog.ProductMeter {
	out := catalog.ProductMeter{Meter: m.MeterID}
	v1.Set(&out.PricePerUnit, m.PricePerUnit)
	v1.Set(&out.FreeThreshold, m.FreeThreshold)
	v1.Set(&out.Credit, m.CreditEntitlement)
	v1.Set(&out.UnitsPerCredit, m.UnitsPerCredit)
	return out
}

package dodo

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// creditUsage is a customer's standing in the credits of a subscription.
type creditUsage struct {
	SubscriptionID string         `json:"subscription_id"`
	Items          []creditStatus `json:"items"`
}

type creditStatus struct {
	CreditEntitlement string         `json:"credit_entitlement_id"`
	Name              string         `json:"credit_entitlement_name"`
	Unit              string         `json:"unit"`
	Balance           money.Decimal  `json:"balance"`
	Overage           money.Decimal  `json:"overage"`
	OverageEnabled    bool           `json:"overage_enabled"`
	OverageLimit      *money.Decimal `json:"overage_limit"`
	RemainingHeadroom *money.Decimal `json:"remaining_headroom"` // nil: no overage, or no limit of it
	LimitReached      bool           `json:"limit_reached"`
}

func (c *call) creditUsage() (any, error) {
	f, err := c.found()
	if err != nil {
		return nil, err
	}
	d, err := c.complete(c.told(&f))
	if err != nil {
		return nil, err
	}
	whole := d.whole()
	out := creditUsage{SubscriptionID: whole.SubscriptionID, Items: make([]creditStatus, len(whole.Credits))}
	for i := range whole.Credits {
		cart := &whole.Credits[i]
		item := creditStatus{
			CreditEntitlement: cart.CreditEntitlement, Name: cart.Name, Unit: cart.Unit, Balance: cart.RemainingBalance,
			Overage: cart.OverageBalance, OverageEnabled: cart.OverageEnabled, OverageLimit: cart.OverageLimit,
		}
		if cart.OverageEnabled && cart.OverageLimit != nil {
			if err := item.room(d.defs.Credits[cart.CreditEntitlement]); err != nil {
				return nil, err
			}
		}
		out.Items[i] = item
	}
	return out, nil
}

// room works out how far the overage may still go.
func (s *creditStatus) room(def *catalog.Credit) error {
	over, err := s.Overage.Units(def.Precision)
	if err != nil {
		return err
	}
	limit, err := s.OverageLimit.Units(def.Precision)
	if err != nil {
		return err
	}
	headroom := money.Decimal(money.FormatUnits(max(0, limit-over), def.Precision))
	s.RemainingHeadroom, s.LimitReached = &headroom, over >= limit
	return nil
}

// usageCycle is what meters counted in one cycle of a subscription.
type usageCycle struct {
	StartDate clock.Instant `json:"start_date"`
	EndDate   clock.Instant `json:"end_date"`
	Meters    []usageMeter  `json:"meters"`
}

type usageMeter struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	ConsumedUnits   money.Decimal `json:"consumed_units"`
	ChargeableUnits money.Decimal `json:"chargeable_units"`
	FreeThreshold   int64         `json:"free_threshold"`
	PricePerUnit    money.Decimal `json:"price_per_unit"` // "0" where it takes a credit instead
	Currency        string        `json:"currency"`
	TotalPrice      int64         `json:"total_price"`
}

// usageHistory lists the cycles, the running one first, with what the plan's meters counted.
func (c *call) usageHistory() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	from, to, err := c.span("start_date", "end_date")
	if err != nil {
		return nil, err
	}
	f, err := c.found()
	if err != nil {
		return nil, err
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	cycles := cut(cyclesOf(f.Subscription, from, to), w)
	if len(cycles) == 0 || len(f.Subscription.Terms.Meters) == 0 {
		return listed[usageCycle](nil), nil
	}
	counted, err := c.tallies(f.Key.Customer, cycles[len(cycles)-1].StartDate, cycles[0].EndDate)
	if err != nil {
		return nil, err
	}
	for i := range cycles {
		if cycles[i].Meters, err = metersIn(&cycles[i], &f.Subscription.Terms, defs, c.query.Get("meter_id"), counted); err != nil {
			return nil, err
		}
	}
	return listed(cycles), nil
}

// cyclesOf are the cycles that touch a stretch of time, newest first; to is zero for no bound.
func cyclesOf(s *wallet.Subscription, from, to clock.Instant) []usageCycle {
	starts := append(slices.Clone(s.Cycles), s.CycleStart)
	end := s.CycleEnd
	if s.Ended {
		end = min(end, s.EndsAt)
	}
	var cycles []usageCycle
	for _, start := range slices.Backward(starts) {
		if end > from && (to.IsZero() || start <= to) && end > start {
			cycles = append(cycles, usageCycle{StartDate: start, EndDate: end, Meters: []usageMeter{}})
		}
		end = start
	}
	return cycles
}

// tallies are what meters counted of a customer in a stretch of time.
func (c *call) tallies(customer string, from, to clock.Instant) ([]v1.MeterUsage, error) {
	q := v1.MeterUsageQuery{From: from, To: to, Limit: v1.MaxPage}
	var all []v1.MeterUsage
	for {
		page, err := c.MeterUsages(c, customer, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if q.Cursor = page.NextCursor; !page.HasMore {
			return all, nil
		}
	}
}

// metersIn are the meters of the plan with what they counted in a cycle; only is the one to tell
// of, empty for all.
func metersIn(cycle *usageCycle, terms *wallet.Terms, defs *catalog.Definitions, only string, counted []v1.MeterUsage) ([]usageMeter, error) {
	out := []usageMeter{}
	for i := range terms.Meters {
		m := &terms.Meters[i]
		if only != "" && only != m.Meter {
			continue
		}
		row := usageMeter{
			ID: m.Meter, Name: m.Meter, ConsumedUnits: "0", ChargeableUnits: "0", FreeThreshold: m.FreeThreshold / wallet.MicrosPerUnit,
			PricePerUnit: "0", Currency: currencyOut(terms.Currency),
		}
		if def, ok := defs.Meters[m.Meter]; ok {
			row.Name = def.Name
		}
		if m.PricePerUnit != "" {
			row.PricePerUnit = m.PricePerUnit
		}
		k := slices.IndexFunc(counted, func(u v1.MeterUsage) bool { return u.MeterID == m.Meter && u.PeriodStart == cycle.StartDate })
		if k >= 0 {
			u := &counted[k]
			free, err := u.FreeThreshold.Units(wallet.QuantityDecimals)
			if err != nil {
				return nil, err
			}
			row.ConsumedUnits, row.ChargeableUnits, row.FreeThreshold = u.Aggregate, u.Chargeable, free/wallet.MicrosPerUnit
			if row.TotalPrice, err = wallet.UsagePrice(u.Chargeable, row.PricePerUnit); err != nil {
				return nil, err
			}
		}
		out = append(out, row)
	}
	return out, nil
}

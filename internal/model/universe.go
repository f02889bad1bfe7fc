package model

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// universe is what the commands of one history are about.
type universe struct {
	defs    *catalog.Definitions
	credits []string
	packs   []string
	plans   []string
	terms   map[string]wallet.Terms // of plans, by id
}

const day = clock.Instant(24 * 60 * 60 * 1_000_000)

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

var events = []string{"image.a", "image.a", "image.b", "image.b.large", "video.x", "audio"}

func metadata(r *rand.Rand) wallet.Metadata {
	switch r.IntN(3) {
	case 0:
		return wallet.Metadata{"tier": "high"}
	case 1:
		return wallet.Metadata{"tier": "low", "size": "2"}
	}
	return nil
}

func units(num, den int64) money.Ratio {
	r, err := money.NewRatio(num, den)
	if err != nil {
		broken("ratio %d/%d: %v", num, den, err)
	}
	return r
}

func scope(r *rand.Rand) catalog.Scope {
	return pick(
		r, nil, nil,
		catalog.Scope{{Event: "image.a"}},
		catalog.Scope{{Event: "image.*"}},
		catalog.Scope{{Event: "*"}},
		catalog.Scope{{Event: "*", UnitsPerCredit: units(2, 1)}},
		catalog.Scope{{Event: "image.*", Metadata: map[string]string{"tier": "high"}}},
		catalog.Scope{{Event: "image.a", UnitsPerCredit: units(3, 1)}},
		catalog.Scope{{Event: "image.b.*", UnitsPerCredit: units(1, 8)}, {Event: "image.*", UnitsPerCredit: units(7, 10)}},
		catalog.Scope{{Event: "video.x", UnitsPerCredit: units(1, 1000)}, {Event: "audio", Metadata: map[string]string{"size": "2"}}},
	)
}

func drawOrder(r *rand.Rand) []catalog.DrawKey {
	if chance(r, 40) {
		return catalog.DefaultDrawOrder()
	}
	if chance(r, 50) {
		order, _ := catalog.DrawPreset(pick(r, catalog.PresetFIFO, catalog.PresetPromotionalFirst))
		return order
	}
	order := catalog.DefaultDrawOrder()
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order[:1+r.IntN(len(order))]
}

func rollover(r *rand.Rand) catalog.Rollover {
	if chance(r, 50) {
		return catalog.Rollover{}
	}
	return catalog.Rollover{
		Percent:  pick(r, 1, 33, 50, 75, 100),
		Validity: catalog.Interval{Count: 1 + r.IntN(3), Unit: pick(r, catalog.Day, catalog.Week, catalog.Week, catalog.Month)},
		MaxCount: pick(r, 0, 1, 1, 2, 3),
	}
}

func overagePolicy(r *rand.Rand) catalog.Overage {
	o := catalog.Overage{
		Enabled: chance(r, 70), Limited: chance(r, 60), Limit: int64(r.IntN(40)),
		Behavior: pick(r, "", catalog.ForgiveAtReset, catalog.InvoiceAtBilling, catalog.CarryDeficit, catalog.CarryDeficitAutoRepay),
	}
	if chance(r, 50) {
		o.Limit *= 1_000_000
	}
	price(r, &o)
	return o
}

func newUniverse(seed uint64) *universe {
	r := rand.New(rand.NewPCG(seed, 1))
	u := &universe{defs: catalog.NewDefinitions("app_model", "model", 1)}
	for i := range 2 + r.IntN(3) {
		c := &catalog.Credit{
			ID: "crd_" + strconv.Itoa(i), App: "app_model", Name: "credit " + strconv.Itoa(i), Unit: "u",
			Precision: pick(r, 0, 0, 2, 6, 10), DrawOrder: drawOrder(r), Scope: scope(r),
			ExpiresAfterDays: pick(r, 0, 0, 1, 7, 30), Overage: overagePolicy(r), Rollover: rollover(r),
		}
		if chance(r, 60) {
			c.Sales = catalog.Sales{PricePerCredit: pick[money.Decimal](r, "1", "0.5", "12.345", "0.000001"), Currency: "usd", AnyAmount: true}
		}
		u.defs.Credits[c.ID] = c
		u.credits = append(u.credits, c.ID)
	}
	for i := range 2 {
		p := &catalog.Pack{ID: "pck_" + strconv.Itoa(i), App: "app_model", Name: "pack " + strconv.Itoa(i), ExpiresAfterDays: pick(r, 0, 1, 30)}
		p.PriceMinor, p.Currency = pick[int64](r, 0, 1, 500, 999, 1000, catalog.MaxPrice), "usd"
		for j := range 1 + r.IntN(3) {
			p.Items = append(p.Items, catalog.PackItem{
				ID: "pki_" + strconv.Itoa(j), Credit: pick(r, u.credits...), Amount: 1 + int64(r.IntN(1000)), Scope: scope(r),
				Category: pick(r, catalog.Paid, catalog.Promotional), Priority: pick(r, 40, 50, 50, 60),
			})
		}
		u.defs.Packs[p.ID] = p
		u.packs = append(u.packs, p.ID)
	}
	u.terms = map[string]wallet.Terms{}
	for i := range 3 {
		id := "pln_" + strconv.Itoa(i)
		u.plans = append(u.plans, id)
		u.terms[id] = u.newTerms(r)
	}
	return u
}

// edited is the definitions with one credit changed, as an operator might.
func edited(r *rand.Rand, defs *catalog.Definitions, credits []string) *catalog.Definitions {
	next := *defs
	next.Version++
	next.Credits = maps.Clone(defs.Credits)
	c := *next.Credits[pick(r, credits...)]
	switch r.IntN(6) {
	case 0, 1:
		c.DrawOrder = drawOrder(r)
	case 2:
		c.Overage = overagePolicy(r)
	case 3:
		c.Rollover = rollover(r)
	case 4:
		c.ArchivedAt = pick(r, 0, 0, clock.Instant(1))
	case 5:
		c.Scope = scope(r)
	}
	next.Credits[c.ID] = &c
	return &next
}

func allowances(r *rand.Rand) []wallet.Allowance {
	var all []wallet.Allowance
	for _, id := range []string{"alw_a", "alw_b", "alw_c"} {
		if chance(r, 40) {
			continue
		}
		rules := scope(r)
		if len(rules) == 0 {
			rules = catalog.Scope{{Event: "image.*"}}
		}
		all = append(all, wallet.Allowance{
			ID: id, Quota: pick[int64](r, 0, 3, 1_000_000, 5_000_000, 20_000_000, wallet.MaxQuantity), Rules: slices.Clone(rules),
			Period: catalog.Period{
				Kind:   pick(r, catalog.Daily, catalog.Weekly, catalog.Monthly, catalog.Yearly, catalog.Lifetime),
				Anchor: pick(r, catalog.AnchorCalendar, catalog.AnchorStart),
				Zone:   pick(r, "", "", "", "Europe/Zurich"),
			},
		})
	}
	return all
}

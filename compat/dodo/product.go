package dodo

import (
	"net/http"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// productRoutes are what is sold, with the credits that come along (dodo.md section 9).
var productRoutes = []route{
	{http.MethodPost, "/products", http.StatusOK, (*call).createProduct},
	{http.MethodGet, "/products", http.StatusOK, (*call).listProducts},
	{http.MethodGet, "/products/{product}", http.StatusOK, (*call).getProduct},
	{http.MethodPatch, "/products/{product}", http.StatusOK, (*call).updateProduct},
	{http.MethodDelete, "/products/{product}", http.StatusOK, (*call).archiveProduct},
	{http.MethodPost, "/products/{product}/unarchive", http.StatusOK, (*call).unarchiveProduct},
}

// productRow is a product as a list has it.
type productRow struct {
	ProductID    string            `json:"product_id"`
	BusinessID   string            `json:"business_id"`
	BrandID      string            `json:"brand_id"`
	Name         *string           `json:"name"`
	Description  *string           `json:"description"`
	TaxCategory  string            `json:"tax_category"`
	IsRecurring  bool              `json:"is_recurring"`
	Currency     string            `json:"currency"`
	Price        int64             `json:"price"`
	PriceDetail  price             `json:"price_detail"`
	TaxInclusive bool              `json:"tax_inclusive"`
	Metadata     map[string]string `json:"metadata"`
	Entitlements []struct{}        `json:"entitlements"` // deliveries of files and the like: none
	CreatedAt    clock.Instant     `json:"created_at"`
	UpdatedAt    clock.Instant     `json:"updated_at"`
}

// product is one product.
type product struct {
	ProductID         string            `json:"product_id"`
	BusinessID        string            `json:"business_id"`
	BrandID           string            `json:"brand_id"`
	Name              *string           `json:"name"`
	Description       *string           `json:"description"`
	TaxCategory       string            `json:"tax_category"`
	IsRecurring       bool              `json:"is_recurring"`
	LicenseKeyEnabled bool              `json:"license_key_enabled"`
	Price             price             `json:"price"`
	Credits           []attached        `json:"credit_entitlements"`
	Entitlements      []struct{}        `json:"entitlements"`
	Metadata          map[string]string `json:"metadata"`
	CreatedAt         clock.Instant     `json:"created_at"`
	UpdatedAt         clock.Instant     `json:"updated_at"`
}

func (c *call) productRow(p *catalog.Product) productRow {
	return productRow{
		ProductID: p.ID, BusinessID: c.app, BrandID: c.app, Name: unlessZero(p.Name), Description: unlessZero(p.Description),
		TaxCategory: p.TaxCategory, IsRecurring: p.Price.Kind != catalog.OneTimePrice, Currency: currencyOut(p.Price.Currency), Price: p.Price.Minor,
		PriceDetail: priceOut(&p.Price), TaxInclusive: p.Price.TaxInclusive, Metadata: present(p.Metadata), Entitlements: []struct{}{},
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func (c *call) product(p *catalog.Product, defs *catalog.Definitions) product {
	out := product{
		ProductID: p.ID, BusinessID: c.app, BrandID: c.app, Name: unlessZero(p.Name), Description: unlessZero(p.Description),
		TaxCategory: p.TaxCategory, IsRecurring: p.Price.Kind != catalog.OneTimePrice, Price: priceOut(&p.Price),
		Credits: make([]attached, len(p.Credits)), Entitlements: []struct{}{}, Metadata: present(p.Metadata),
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	for i := range p.Credits {
		out.Credits[i] = attachedOut(&p.Credits[i], defs.Credits[p.Credits[i].Credit])
	}
	return out
}

// productBody is what creating and updating a product take. The last are parts of the vendor's
// products that have no counterpart here.
type productBody struct {
	Name        optional[string]      `json:"name"`
	Description optional[string]      `json:"description"`
	TaxCategory optional[string]      `json:"tax_category"`
	Price       optional[priceBody]   `json:"price"`
	Credits     optional[[]attach]    `json:"credit_entitlements"`
	Metadata    optional[v1.Metadata] `json:"metadata"`

	Addons       optional[[]string]   `json:"addons"`
	Entitlements optional[[]struct{}] `json:"entitlements"`
	LicenseKeys  optional[bool]       `json:"license_key_enabled"`
	PricingMode  optional[string]     `json:"pricing_mode"`
}

// change makes of a product what the body says.
func (b *productBody) change(p *catalog.Product, defs *catalog.Definitions) error {
	if len(b.Addons.value) > 0 || len(b.Entitlements.value) > 0 || b.LicenseKeys.value || b.PricingMode.has() {
		return fault.New("dodo.product", fault.CodeNotImplemented, "Scrip has no add-ons, deliveries, license keys and regional prices: leave them out")
	}
	for name, null := range map[string]bool{"name": b.Name.null, "tax_category": b.TaxCategory.null, "price": b.Price.null} {
		if null {
			return invalidBody(name + " must not be null")
		}
	}
	b.Name.apply(&p.Name)
	b.Description.apply(&p.Description)
	b.TaxCategory.apply(&p.TaxCategory)
	if b.Metadata.given {
		p.Metadata = b.Metadata.value
	}
	if !within(p.Description, 0, 10_000) || !catalog.ValidText(p.Description) {
		return invalidValue("description must have at most 10000 characters")
	}
	if b.Price.given {
		priced, err := b.Price.value.price()
		if err != nil {
			return err
		}
		p.Price = priced
		for _, m := range priced.Meters {
			if meter, ok := defs.Meters[m.Meter]; !ok || !meter.ArchivedAt.IsZero() {
				return &refusal{http.StatusUnprocessableEntity, "MISSING_METER_IDS", "there is no such meter"}
			}
		}
	}
	if !b.Credits.given {
		return nil
	}
	p.Credits = nil
	for i := range b.Credits.value {
		credit, err := b.Credits.value[i].credit(defs)
		if err != nil {
			return err
		}
		p.Credits = append(p.Credits, credit)
	}
	return nil
}

func (c *call) createProduct() (any, error) {
	var body productBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.Name.has() || !body.Price.has() || !body.TaxCategory.has() {
		return nil, invalidBody("name, price and tax_category are required")
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	var p catalog.Product
	if err := body.change(&p, defs); err != nil {
		return nil, err
	}
	if p, err = c.CreateProduct(c, p); err != nil {
		return nil, err
	}
	return c.product(&p, defs), nil
}

func (c *call) getProduct() (any, error) {
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	p, ok := defs.Products[c.path("product")]
	if !ok {
		return nil, notFound("there is no such product")
	}
	return c.product(p, defs), nil
}

func (c *call) listProducts() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	archived, err := c.flag("archived")
	if err != nil {
		return nil, err
	}
	recurring, err := c.flag("recurring")
	if err != nil {
		return nil, err
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	brand := c.query.Get("brand_id")
	var all []productRow
	for _, p := range defs.Products {
		row := c.productRow(p)
		switch {
		case p.ArchivedAt.IsZero() == (archived != nil && *archived):
		case recurring != nil && row.IsRecurring != *recurring:
		case brand != "" && brand != row.BrandID:
		default:
			all = append(all, row)
		}
	}
	slices.SortFunc(all, func(a, b productRow) int { return strings.Compare(b.ProductID, a.ProductID) }) // newest first
	return listed(cut(all, w)), nil
}

func (c *call) updateProduct() (any, error) {
	var body productBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	_, err = c.EditProduct(c, c.path("product"), func(p *catalog.Product) error { return body.change(p, defs) })
	return nil, err
}

func (c *call) archiveProduct() (any, error) {
	_, err := c.EditProduct(c, c.path("product"), func(p *catalog.Product) error {
		if !p.ArchivedAt.IsZero() {
			return &refusal{http.StatusGone, "PRODUCT_IS_DELETED", "the product is archived already"}
		}
		p.ArchivedAt = c.clock.Now()
		return nil
	})
	return nil, err
}

func (c *call) unarchiveProduct() (any, error) {
	_, err := c.EditProduct(c, c.path("product"), func(p *catalog.Product) error {
		p.ArchivedAt = 0
		return nil
	})
	return nil, err
}

// attached is a credit that comes with a product, under the terms that hold (section 9).
type attached struct {
	ID                string         `json:"id"`
	CreditEntitlement string         `json:"credit_entitlement_id"`
	Name              string         `json:"credit_entitlement_name"`
	Unit              string         `json:"credit_entitlement_unit"`
	CreditsAmount     money.Decimal  `json:"credits_amount"`
	Currency          *string        `json:"currency"`
	ExpiresAfterDays  *int           `json:"expires_after_days"`
	LowBalancePercent *int           `json:"low_balance_threshold_percent"`
	MaxRolloverCount  *int           `json:"max_rollover_count"`
	OverageBehavior   string         `json:"overage_behavior"`
	OverageEnabled    bool           `json:"overage_enabled"`
	OverageLimit      *money.Decimal `json:"overage_limit"`
	PricePerUnit      *money.Decimal `json:"price_per_unit"`
	Proration         string         `json:"proration_behavior"`
	RolloverEnabled   bool           `json:"rollover_enabled"`
	RolloverPercent   *int           `json:"rollover_percentage"`
	RolloverCount     *int           `json:"rollover_timeframe_count"`
	RolloverInterval  *string        `json:"rollover_timeframe_interval"`
	TrialCredits      *money.Decimal `json:"trial_credits"`
	TrialExpires      bool           `json:"trial_credits_expire_after_trial"`
}

func attachedOut(a *catalog.ProductCredit, def *catalog.Credit) attached {
	amount := func(units int64) money.Decimal { return money.Decimal(money.FormatUnits(units, def.Precision)) }
	overage, rollover := a.Overage(def), a.Rollover(def)
	out := attached{
		ID: a.ID, CreditEntitlement: def.ID, Name: def.Name, Unit: def.Unit, CreditsAmount: amount(a.Amount),
		Currency: unlessZero(currencyOut(overage.Currency)), ExpiresAfterDays: unlessZero(a.Expiry(def)), LowBalancePercent: a.LowBalancePercent,
		MaxRolloverCount: unlessZero(rollover.MaxCount), OverageBehavior: string(overage.Behavior), OverageEnabled: overage.Enabled,
		PricePerUnit: unlessZero(overage.PricePerUnit), Proration: "no_prorate", RolloverEnabled: rollover.Enabled(),
		RolloverPercent: unlessZero(rollover.Percent), TrialExpires: a.TrialExpires,
	}
	if a.AtCycleEnd || a.Never {
		out.ExpiresAfterDays = nil
	}
	if overage.Limited {
		limit := amount(overage.Limit)
		out.OverageLimit = &limit
	}
	if a.Prorate {
		out.Proration = "prorate"
	}
	if a.Trial != nil {
		trial := amount(*a.Trial)
		out.TrialCredits = &trial
	}
	if rollover.Validity.Count > 0 {
		out.RolloverCount, out.RolloverInterval = &rollover.Validity.Count, intervalOut(string(rollover.Validity.Unit))
	}
	return out
}

// attach is a credit to come with a product. What is absent or null is as the credit itself says;
// but expires_after_days that is null is never.
type attach struct {
	CreditEntitlement string                  `json:"credit_entitlement_id"`
	CreditsAmount     money.Decimal           `json:"credits_amount"`
	Currency          optional[string]        `json:"currency"`
	ExpiresAfterDays  optional[int]           `json:"expires_after_days"`
	LowBalancePercent optional[int]           `json:"low_balance_threshold_percent"`
	MaxRolloverCount  optional[int]           `json:"max_rollover_count"`
	OverageBehavior   optional[string]        `json:"overage_behavior"`
	OverageEnabled    optional[bool]          `json:"overage_enabled"`
	OverageLimit      optional[money.Decimal] `json:"overage_limit"`
	PricePerUnit      optional[money.Decimal] `json:"price_per_unit"`
	Proration         optional[string]        `json:"proration_behavior"`
	RolloverEnabled   optional[bool]          `json:"rollover_enabled"`
	RolloverPercent   optional[int]           `json:"rollover_percentage"`
	RolloverCount     optional[int]           `json:"rollover_timeframe_count"`
	RolloverInterval  optional[string]        `json:"rollover_timeframe_interval"`
	TrialCredits      optional[money.Decimal] `json:"trial_credits"`
	TrialExpires      optional[bool]          `json:"trial_credits_expire_after_trial"`
}

func (a *attach) credit(defs *catalog.Definitions) (catalog.ProductCredit, error) {
	out := catalog.ProductCredit{
		Credit: a.CreditEntitlement, TrialExpires: a.TrialExpires.value, LowBalancePercent: a.LowBalancePercent.pointer(),
		Prorate: a.Proration.value == "prorate", ExpiresAfterDays: a.ExpiresAfterDays.pointer(), Never: a.ExpiresAfterDays.null, OverageEnabled: a.OverageEnabled.pointer(),
		PricePerUnit: a.PricePerUnit.pointer(), RolloverEnabled: a.RolloverEnabled.pointer(),
		RolloverPercent: a.RolloverPercent.pointer(), RolloverMaxCount: a.MaxRolloverCount.pointer(),
	}
	def, ok := defs.Credits[a.CreditEntitlement]
	switch {
	case a.CreditEntitlement == "" || a.CreditsAmount == "":
		return out, invalidBody("credit_entitlement_id and credits_amount are required")
	case !ok || !def.ArchivedAt.IsZero():
		return out, notFound("there is no such credit entitlement")
	case a.Proration.has() && a.Proration.value != "prorate" && a.Proration.value != "no_prorate":
		return out, invalidValue("proration_behavior must be prorate or no_prorate")
	case a.RolloverCount.has() != a.RolloverInterval.has():
		return out, invalidValue("rollover_timeframe_count and rollover_timeframe_interval go together")
	}
	if a.Currency.has() {
		currency, err := currencyIn(a.Currency.value)
		if err != nil {
			return out, err
		}
		out.Currency = &currency
	}
	if a.PricePerUnit.has() && !price0(a.PricePerUnit.value) {
		return out, invalidValue("price_per_unit must be a decimal that is not negative")
	}
	if a.OverageBehavior.has() {
		behavior := catalog.OverageBehavior(a.OverageBehavior.value)
		out.OverageBehavior = &behavior
	}
	if a.RolloverCount.has() {
		unit, err := intervalIn(a.RolloverInterval.value, "rollover_timeframe_interval")
		if err != nil {
			return out, err
		}
		out.RolloverValidity = &catalog.Interval{Count: a.RolloverCount.value, Unit: catalog.IntervalUnit(unit)}
	}
	var err error
	if out.Amount, err = a.CreditsAmount.Units(def.Precision); err != nil {
		return out, err
	}
	if out.OverageLimit, err = unitsOf(a.OverageLimit, def.Precision); err != nil {
		return out, err
	}
	out.Trial, err = unitsOf(a.TrialCredits, def.Precision)
	return out, err
}

// price0 reports whether a price is a decimal that is not negative.
func price0(d money.Decimal) bool {
	r, err := money.ParseRatio(string(d))
	return err == nil && r.Num >= 0
}

func unitsOf(o optional[money.Decimal], precision int) (*int64, error) {
	if !o.has() {
		return nil, nil
	}
	units, err := o.value.Units(precision)
	return &units, err
}

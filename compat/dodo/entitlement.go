package dodo

import (
	"net/http"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// entitlementRoutes are the definitions of credits (dodo.md section 5).
var entitlementRoutes = []route{
	{http.MethodPost, "/credit-entitlements", http.StatusCreated, (*call).createEntitlement},
	{http.MethodGet, "/credit-entitlements", http.StatusOK, (*call).listEntitlements},
	{http.MethodGet, "/credit-entitlements/{credit}", http.StatusOK, (*call).getEntitlement},
	{http.MethodPatch, "/credit-entitlements/{credit}", http.StatusOK, (*call).updateEntitlement},
	{http.MethodDelete, "/credit-entitlements/{credit}", http.StatusOK, (*call).deleteEntitlement},
	{http.MethodPost, "/credit-entitlements/{credit}/undelete", http.StatusOK, (*call).undeleteEntitlement},
}

// entitlement is a credit in the vendor's words, with the older names of an earlier version of
// its interface beside the present ones.
type entitlement struct {
	ID               string         `json:"id"`
	BusinessID       string         `json:"business_id"`
	Name             string         `json:"name"`
	Description      *string        `json:"description"`
	Unit             string         `json:"unit"`
	Precision        int            `json:"precision"`
	Currency         *string        `json:"currency"`
	ExpiresAfterDays *int           `json:"expires_after_days"`
	RolloverEnabled  bool           `json:"rollover_enabled"`
	RolloverPercent  *int           `json:"rollover_percentage"`
	RolloverCount    *int           `json:"rollover_timeframe_count"`
	RolloverInterval *string        `json:"rollover_timeframe_interval"`
	MaxRolloverCount *int           `json:"max_rollover_count"`
	OverageEnabled   bool           `json:"overage_enabled"`
	OverageBehavior  string         `json:"overage_behavior"`
	OverageLimit     *int64         `json:"overage_limit"`
	PricePerUnit     *money.Decimal `json:"price_per_unit"`
	CreatedAt        clock.Instant  `json:"created_at"`
	UpdatedAt        clock.Instant  `json:"updated_at"`

	CreditType         string  `json:"credit_type"`
	UnitName           string  `json:"unit_name"`
	UnitCurrency       *string `json:"unit_currency"`
	ExpiryDuration     *int    `json:"expiry_duration"`
	MaxRolloverPercent *int    `json:"max_rollover_percentage"`
	RolloverTimeframe  *string `json:"rollover_timeframe"`
	AllowOverage       bool    `json:"allow_overage"`
}

func (c *call) entitlement(def *v1.Credit) entitlement {
	currency := currencyOut(def.Overage.Currency)
	out := entitlement{
		ID: def.ID, BusinessID: c.app, Name: def.Name, Description: unlessZero(def.Description), Unit: def.Unit,
		Precision: def.Precision, Currency: unlessZero(currency), ExpiresAfterDays: unlessZero(def.ExpiresAfterDays),
		OverageEnabled: def.Overage.Enabled, OverageBehavior: def.Overage.Behavior, PricePerUnit: unlessZero(def.Overage.PricePerUnit),
		CreatedAt: def.CreatedAt, UpdatedAt: def.UpdatedAt,
	}
	out.rollover(&def.Rollover)
	if def.Overage.Limit != nil {
		out.OverageLimit = wholeCredits(*def.Overage.Limit)
	}
	out.CreditType, out.UnitName = "custom_unit", def.Unit
	if def.Unit == currency {
		out.CreditType, out.UnitCurrency = "fiat", &out.Unit
	}
	out.ExpiryDuration, out.MaxRolloverPercent, out.AllowOverage = out.ExpiresAfterDays, out.RolloverPercent, out.OverageEnabled
	return out
}

func (e *entitlement) rollover(r *v1.Rollover) {
	e.RolloverEnabled = r.Percent > 0 && !r.Off
	e.RolloverPercent, e.MaxRolloverCount = unlessZero(r.Percent), unlessZero(r.MaxCount)
	if r.ValidityCount > 0 {
		e.RolloverCount, e.RolloverInterval = &r.ValidityCount, intervalOut(r.ValidityUnit)
		e.RolloverTimeframe = &r.ValidityUnit
	}
}

// unlessZero is a value, or null for one that is not set.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// wholeCredits is an amount as the whole number that the vendor's overage limit is.
func wholeCredits(d money.Decimal) *int64 {
	whole, _, _ := strings.Cut(string(d), ".")
	n, err := money.ParseUnits(whole, 0)
	if err != nil {
		return nil
	}
	return &n
}

// intervals are the vendor's calendar units, which are capitalised (dodo.md section 4).
var intervals = []string{"Day", "Week", "Month", "Year"}

func intervalOut(unit string) *string {
	i := slices.IndexFunc(intervals, func(name string) bool { return strings.EqualFold(name, unit) })
	if i < 0 {
		return nil
	}
	return &intervals[i]
}

// intervalIn reads a calendar unit in either case, as both spellings are in the vendor's texts.
func intervalIn(name, field string) (string, error) {
	if intervalOut(name) == nil {
		return "", invalidValue(field + " must be Day, Week, Month or Year")
	}
	return strings.ToLower(name), nil
}

func (c *call) createEntitlement() (any, error) {
	var body entitlementBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	body.modernise(true)
	if err := body.complete(); err != nil {
		return nil, err
	}
	have := v1.Credit{Precision: body.Precision.value}
	if err := body.change(&have); err != nil {
		return nil, err
	}
	made, err := c.CreateCredit(c, v1.CreateCredit{
		Name: have.Name, Unit: have.Unit, Description: have.Description, Precision: have.Precision,
		DrawOrder:        v1.DrawOrder{"fifo"}, // section 15: the oldest grant first
		ExpiresAfterDays: have.ExpiresAfterDays, Overage: have.Overage, Rollover: have.Rollover,
	})
	if err != nil {
		return nil, err
	}
	return c.entitlement(&made), nil
}

// credit finds a live credit by its id; by its name, as elsewhere, it is not found here.
func (c *call) credit() (v1.Credit, error) {
	def, err := c.anyCredit()
	if err == nil && !def.ArchivedAt.IsZero() {
		return def, notFound("the credit entitlement is deleted")
	}
	return def, err
}

func (c *call) anyCredit() (v1.Credit, error) {
	id := c.path("credit")
	def, err := c.GetCredit(c, id)
	if err == nil && def.ID != id {
		return def, notFound("there is no such credit entitlement")
	}
	return def, err
}

func (c *call) getEntitlement() (any, error) {
	def, err := c.credit()
	if err != nil {
		return nil, err
	}
	return c.entitlement(&def), nil
}

func (c *call) listEntitlements() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	deleted, err := c.flag("deleted")
	if err != nil {
		return nil, err
	}
	all, err := c.ListCredits(c)
	if err != nil {
		return nil, err
	}
	var out []entitlement
	for i := range slices.Backward(all.Data) { // newest first
		if def := &all.Data[i]; def.ArchivedAt.IsZero() != (deleted != nil && *deleted) {
			out = append(out, c.entitlement(def))
		}
	}
	return listed(cut(out, w)), nil
}

func (c *call) updateEntitlement() (any, error) {
	var body entitlementBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	body.modernise(false)
	if body.Precision.given {
		return nil, invalidBody("precision cannot be changed")
	}
	if _, err := c.credit(); err != nil {
		return nil, err
	}
	_, err := c.EditCredit(c, c.path("credit"), func(have v1.Credit) (v1.UpdateCredit, error) {
		if !have.ArchivedAt.IsZero() {
			return v1.UpdateCredit{}, notFound("the credit entitlement is deleted")
		}
		err := body.change(&have)
		return v1.UpdateCredit{
			Name: &have.Name, Unit: &have.Unit, Description: &have.Description, ExpiresAfterDays: &have.ExpiresAfterDays,
			Overage: &have.Overage, Rollover: &have.Rollover,
		}, err
	})
	return nil, err
}

func (c *call) deleteEntitlement() (any, error) {
	def, err := c.anyCredit()
	if err != nil {
		return nil, err
	}
	if !def.ArchivedAt.IsZero() {
		return nil, &refusal{http.StatusGone, "CREDIT_ENTITLEMENT_IS_DELETED", "the credit entitlement is deleted already"}
	}
	_, err = c.ArchiveCredit(c, def.ID)
	return nil, err
}

// undeleteEntitlement answers what is missing with 404 and what is not deleted with 409, where
// the vendor answers 500, which the SDKs send again (section 5).
func (c *call) undeleteEntitlement() (any, error) {
	def, err := c.anyCredit()
	if err != nil {
		return nil, err
	}
	if def.ArchivedAt.IsZero() {
		return nil, &refusal{http.StatusConflict, "CREDIT_ENTITLEMENT_IS_NOT_DELETED", "the credit entitlement is not deleted"}
	}
	_, err = c.UnarchiveCredit(c, def.ID)
	return nil, err
}

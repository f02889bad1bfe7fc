package dodo

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// balanceRoutes are what customers have of a credit, and how it came about (dodo.md section 6).
var balanceRoutes = []route{
	{http.MethodGet, "/credit-entitlements/{credit}/balances", http.StatusOK, (*call).listBalances},
	{http.MethodGet, "/credit-entitlements/{credit}/balances/{customer}", http.StatusOK, (*call).getBalance},
	{http.MethodGet, "/credit-entitlements/{credit}/balances/{customer}/ledger", http.StatusOK, (*call).listLedger},
	{http.MethodGet, "/credit-entitlements/{credit}/balances/{customer}/grants", http.StatusOK, (*call).listGrants},
	{http.MethodPost, "/credit-entitlements/{credit}/balances/{customer}/ledger-entries", http.StatusCreated, (*call).createEntry},
}

// balance is a customer's standing in one credit. The last two are names of the earlier version;
// available_balance leaves out what reservations hold.
type balance struct {
	ID                string        `json:"id"`
	CreditEntitlement string        `json:"credit_entitlement_id"`
	CustomerID        string        `json:"customer_id"`
	Balance           money.Decimal `json:"balance"`
	Overage           money.Decimal `json:"overage"`
	CreatedAt         clock.Instant `json:"created_at"`
	UpdatedAt         clock.Instant `json:"updated_at"`
	LastTransactionAt clock.Instant `json:"last_transaction_at"`

	AvailableBalance money.Decimal `json:"available_balance"`
	OverageBalance   money.Decimal `json:"overage_balance"`
}

func balanceOut(b *v1.CustomerBalance) balance {
	return balance{
		ID: "cbl_" + b.CreditID + "_" + b.CustomerID, CreditEntitlement: b.CreditID, CustomerID: b.CustomerID,
		Balance: b.Balance.Balance, Overage: b.Overage, CreatedAt: b.CreatedAt, UpdatedAt: max(b.CreatedAt, b.LastEntryAt),
		LastTransactionAt: b.LastEntryAt, AvailableBalance: b.Available, OverageBalance: b.Overage,
	}
}

func (c *call) listBalances() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	def, err := c.credit()
	if err != nil {
		return nil, err
	}
	page, err := c.CreditBalances(c, def.ID, v1.CreditBalanceQuery{CustomerID: c.query.Get("customer_id"), Limit: w.limit, Offset: w.offset})
	if err != nil {
		return nil, err
	}
	return each(page.Data, balanceOut), nil
}

// each is a page of rows in the vendor's words.
func each[In, Out any](rows []In, out func(*In) Out) items[Out] {
	all := make([]Out, len(rows))
	for i := range rows {
		all[i] = out(&rows[i])
	}
	return items[Out]{all}
}

// getBalance answers 404 for who was never granted the credit, and not zero (section 6.2).
func (c *call) getBalance() (any, error) {
	def, err := c.credit()
	if err != nil {
		return nil, err
	}
	page, err := c.CreditBalances(c, def.ID, v1.CreditBalanceQuery{CustomerID: c.path("customer"), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, notFound("the customer was never granted this credit")
	}
	return balanceOut(&page.Data[0]), nil
}

// holder finds the credit and the customer that a path names.
func (c *call) holder() (v1.Credit, v1.Customer, error) {
	def, err := c.credit()
	if err != nil {
		return def, v1.Customer{}, err
	}
	customer, err := c.GetCustomer(c, c.path("customer"))
	return def, customer, err
}

// grant is a block of credits.
type grant struct {
	ID                string            `json:"id"`
	CreditEntitlement string            `json:"credit_entitlement_id"`
	CustomerID        string            `json:"customer_id"`
	SourceType        string            `json:"source_type"`
	SourceID          *string           `json:"source_id"`
	ParentGrantID     *string           `json:"parent_grant_id"`
	InitialAmount     money.Decimal     `json:"initial_amount"`
	RemainingAmount   money.Decimal     `json:"remaining_amount"`
	ExpiresAt         clock.Instant     `json:"expires_at"`
	IsExpired         bool              `json:"is_expired"`
	IsRolledOver      bool              `json:"is_rolled_over"`
	RolloverCount     int               `json:"rollover_count"`
	Metadata          map[string]string `json:"metadata"`
	CreatedAt         clock.Instant     `json:"created_at"`
	UpdatedAt         clock.Instant     `json:"updated_at"`
}

// sources are the vendor's names of where a grant came from; all others came over the interface.
var sources = map[string]string{"purchase": "one_time", "subscription": "subscription", "rollover": "rollover"}

func grantOut(g *v1.Grant, precision int) (grant, error) {
	out := grant{
		ID: g.ID, CreditEntitlement: g.CreditID, CustomerID: g.CustomerID, SourceType: "api", ParentGrantID: unlessZero(g.ParentID),
		InitialAmount: g.Amount, ExpiresAt: g.ExpiresAt, IsExpired: g.Status == "expired", IsRolledOver: g.RolledIntoID != "",
		RolloverCount: g.RolloverCount, Metadata: present(g.Metadata), CreatedAt: g.CreatedAt, UpdatedAt: g.CreatedAt,
	}
	if name, ok := sources[g.Source]; ok {
		out.SourceType = name
	}
	out.SourceID = unlessZero(sourceID(g.PackID, g.ExternalRef, g.SourceID))
	left, err := sum(precision, g.Available, g.Held, g.Frozen)
	if g.Status == "pending" { // nothing of it is in a balance yet
		left, err = g.Amount, nil
	}
	out.RemainingAmount = left
	return out, err
}

// sourceID names where a grant came from; empty when nothing does. An order is the vendor's payment.
func sourceID(pack, ref, source string) string {
	if strings.HasPrefix(source, id.PrefixOrder+"_") {
		return alias(paymentPrefix, source)
	}
	return cmp.Or(source, ref, pack)
}

// present is metadata as the vendor has it, which is never null.
func present(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// sum adds amounts of one credit.
func sum(precision int, parts ...money.Decimal) (money.Decimal, error) {
	var total int64
	for _, part := range parts {
		units, err := part.Units(precision)
		if err != nil {
			return "", err
		}
		if total, err = money.Add(total, units); err != nil {
			return "", err
		}
	}
	return money.Decimal(money.FormatUnits(total, precision)), nil
}

// grantStatuses are the vendor's filters: by whether something is left, and why not.
var grantStatuses = map[string]string{"": "", "active": "active,pending", "expired": "expired,rolled_over", "depleted": "depleted,revoked"}

func (c *call) listGrants() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	status, ok := grantStatuses[c.query.Get("status")]
	if !ok {
		return nil, invalidQuery("status must be active, expired or depleted")
	}
	def, customer, err := c.holder()
	if err != nil {
		return nil, err
	}
	page, err := c.CustomerGrants(c, customer.ID, v1.GrantQuery{CreditID: def.ID, Status: status, Limit: w.limit, Offset: w.offset})
	if err != nil {
		return nil, err
	}
	out := make([]grant, len(page.Data))
	for i := range page.Data {
		if out[i], err = grantOut(&page.Data[i], def.Precision); err != nil {
			return nil, err
		}
	}
	return listed(out), nil
}

package dodo

import (
	"net/http"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// ledgerEntry is a line of the ledger (dodo.md section 6.3). The amount has no sign; is_credit
// tells which way it went. type is the name of the earlier version.
type ledgerEntry struct {
	ID                string            `json:"id"`
	BusinessID        string            `json:"business_id"`
	BrandID           string            `json:"brand_id"`
	CustomerID        string            `json:"customer_id"`
	CreditEntitlement string            `json:"credit_entitlement_id"`
	TransactionType   string            `json:"transaction_type"`
	Type              string            `json:"type"`
	IsCredit          bool              `json:"is_credit"`
	Amount            money.Decimal     `json:"amount"`
	BalanceBefore     money.Decimal     `json:"balance_before"`
	BalanceAfter      money.Decimal     `json:"balance_after"`
	OverageBefore     money.Decimal     `json:"overage_before"`
	OverageAfter      money.Decimal     `json:"overage_after"`
	Description       *string           `json:"description"`
	GrantID           *string           `json:"grant_id"`
	ReferenceType     *string           `json:"reference_type"`
	ReferenceID       *string           `json:"reference_id"`
	Metadata          map[string]string `json:"metadata"`
	CreatedAt         clock.Instant     `json:"created_at"`
}

// shown are the types of entry that the vendor's ledger has, under the vendor's names. What
// reservations hold and give back leaves the balance alone, and is not shown; what was revoked by
// hand is a manual adjustment.
var shown = map[string]string{
	"credit_added": "credit_added", "credit_deducted": "credit_deducted", "credit_expired": "credit_expired",
	"credit_rolled_over": "credit_rolled_over", "rollover_forfeited": "rollover_forfeited", "overage_charged": "overage_charged",
	"overage_reset": "overage_reset", "auto_top_up": "auto_top_up", "manual_adjustment": "manual_adjustment", "refund": "refund",
	"revoked": "manual_adjustment",
}

func (c *call) ledgerEntry(e *v1.Entry) ledgerEntry { return ledgerEntryOut(c.app, e) }

func ledgerEntryOut(app string, e *v1.Entry) ledgerEntry {
	amount, taken := strings.CutPrefix(string(e.Amount), "-")
	out := ledgerEntry{
		ID: e.ID, BusinessID: app, BrandID: app, CustomerID: e.CustomerID, CreditEntitlement: e.CreditID,
		TransactionType: shown[e.Type], Type: shown[e.Type], Amount: money.Decimal(amount),
		IsCredit:      !taken && e.Type != "overage_reset", // which leaves the balance alone
		BalanceBefore: e.BalanceBefore, BalanceAfter: e.BalanceAfter, OverageBefore: e.OverageBefore, OverageAfter: e.OverageAfter,
		Description: unlessZero(e.Reason), ReferenceType: unlessZero(e.ReferenceType), ReferenceID: unlessZero(e.ReferenceID),
		Metadata: present(e.Metadata), CreatedAt: e.EffectiveAt,
	}
	if e.ReferenceType == wallet.RefOrder { // which the vendor knows as its payment
		out.ReferenceType, out.ReferenceID = unlessZero("payment"), unlessZero(alias(paymentPrefix, e.ReferenceID))
	}
	if len(e.Slices) > 0 {
		out.GrantID = &e.Slices[0].GrantID
	}
	return out
}

// typesOf are our types behind a filter of the vendor's; no filter is all that is shown.
func typesOf(filter string) string {
	var types []string
	for ours, theirs := range shown {
		if filter == "" || filter == theirs {
			types = append(types, ours)
		}
	}
	return strings.Join(types, ",")
}

func (c *call) listLedger() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	from, to, err := c.span("start_date", "end_date")
	if err != nil {
		return nil, err
	}
	if !to.IsZero() && to < from {
		return nil, invalidQuery("end_date lies before start_date")
	}
	def, customer, err := c.holder()
	if err != nil {
		return nil, err
	}
	types := typesOf(c.query.Get("transaction_type"))
	if types == "" { // the filter is free text, and nothing has this type
		return listed[ledgerEntry](nil), nil
	}
	page, err := c.Ledger(c, customer.ID, v1.LedgerQuery{
		CreditID: def.ID, Type: types, From: from, To: inclusive(to), Limit: w.limit, Offset: w.offset,
	})
	if err != nil {
		return nil, err
	}
	return each(page.Data, c.ledgerEntry), nil
}

// entryBody is a credit or debit by hand. The last two are names of the earlier version.
type entryBody struct {
	EntryType      optional[string]        `json:"entry_type"`
	Amount         optional[money.Decimal] `json:"amount"`
	Reason         optional[string]        `json:"reason"`
	ExpiresAt      optional[clock.Instant] `json:"expires_at"`
	IdempotencyKey optional[string]        `json:"idempotency_key"`
	Metadata       optional[v1.Metadata]   `json:"metadata"`

	Type        optional[string] `json:"type"`
	Description optional[string] `json:"description"`
}

// madeEntry is what a credit or debit by hand came to (section 6.5).
type madeEntry struct {
	ledgerEntry
	EntryType string  `json:"entry_type"`
	Reason    *string `json:"reason"`
}

// createEntry adds or takes credits. Under an idempotency key it does so once: the same again gets
// the stored entry, and something else under the key 409, since the vendor's texts promise either
// and the SDKs repeat a call whose answer they lost.
func (c *call) createEntry() (any, error) {
	var body entryBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	body.EntryType, body.Reason = body.EntryType.or(body.Type), body.Reason.or(body.Description)
	if !body.EntryType.has() || !body.Amount.has() {
		return nil, invalidBody("entry_type and amount are required")
	}
	if err := storable(body.Amount.value); err != nil {
		return nil, err
	}
	def, customer, err := c.holder()
	if err != nil {
		return nil, err
	}
	opts, err := once(body.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	var entries []v1.Entry
	switch body.EntryType.value {
	case "credit":
		entries, err = c.give(&def, &customer, &body, opts)
	case "debit":
		entries, err = c.take(&def, &customer, &body, opts)
	default:
		return nil, invalidBody("entry_type must be credit or debit")
	}
	if err != nil {
		return nil, err
	}
	return c.madeEntry(entries, &def, &body)
}

// once is the option that a field asks for which names a call; none when it is absent.
func once(key optional[string]) ([]v1.Option, error) {
	if !key.has() {
		return nil, nil
	}
	if key.value == "" {
		return nil, invalidValue("idempotency_key must not be empty")
	}
	return []v1.Option{v1.IdempotencyKey(key.value)}, nil
}

// storable refuses what the vendor cannot store: ten digits before the point and more (section 4).
func storable(amount money.Decimal) error {
	const most = 10_000_000_000
	r, err := money.ParseRatio(string(amount))
	if err != nil {
		return err
	}
	if r.Num/r.Den >= most {
		return &refusal{http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS", "amount must be below 10000000000"}
	}
	return nil
}

// give grants credits. Nobody paid for them here, so they are promotional.
func (c *call) give(def *v1.Credit, customer *v1.Customer, body *entryBody, opts []v1.Option) ([]v1.Entry, error) {
	r := v1.GrantRequest{
		CustomerID: customer.ID, CreditID: def.ID, Amount: body.Amount.value, Category: "promotional", Source: "api",
		Reason: body.Reason.value, Metadata: body.Metadata.value,
	}
	if body.ExpiresAt.has() {
		r.ExpiresAt = v1.ExpiresAt(body.ExpiresAt.value)
	}
	made, err := c.Grant(c, r, opts...)
	return made.Entries, err
}

// take spends credits, the oldest first, and goes into overage where the credit has it. Whether it
// has is not asked here, so that a call that is repeated after the credit was changed is the same.
func (c *call) take(def *v1.Credit, customer *v1.Customer, body *entryBody, opts []v1.Option) ([]v1.Entry, error) {
	if body.ExpiresAt.has() {
		return nil, invalidValue("expires_at goes with a credit, not with a debit")
	}
	r := v1.DeductRequest{Charge: v1.Charge{
		CustomerID: customer.ID, CreditID: def.ID, Amount: body.Amount.value, Reason: body.Reason.value, Metadata: body.Metadata.value,
		Shortfall: "overage",
	}}
	done, err := c.Deduct(c, r, opts...)
	if err != nil {
		return nil, err
	}
	if len(done.Entries) > 0 {
		return done.Entries, nil
	}
	return []v1.Entry{*done.Entry}, nil
}

// madeEntry tells the entries of one call as the one that the vendor would have made: a debit that
// went into overage has two, and a credit that repaid some as well.
func (c *call) madeEntry(entries []v1.Entry, def *v1.Credit, body *entryBody) (madeEntry, error) {
	first, last := &entries[0], &entries[len(entries)-1]
	out := madeEntry{ledgerEntry: c.ledgerEntry(first), EntryType: body.EntryType.value, Reason: unlessZero(body.Reason.value)}
	units, err := body.Amount.value.Units(def.Precision)
	out.Amount = money.Decimal(money.FormatUnits(units, def.Precision))
	out.BalanceAfter, out.OverageAfter = last.BalanceAfter, last.OverageAfter
	return out, err
}

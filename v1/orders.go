package v1

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// CheckoutRequest says what a customer wants to buy: exactly one of a pack, an amount of a credit, a
// plan, an invoice, or nothing but to save a card. What it costs and gives is what the catalogue says.
type CheckoutRequest struct {
	CustomerID string        `json:"customer_id" maxLength:"256"`
	Email      string        `json:"email,omitempty" maxLength:"320" doc:"Of the customer; kept with them"`
	Name       string        `json:"name,omitempty" maxLength:"255" doc:"Of the customer; kept with them"`
	PackID     string        `json:"pack_id,omitempty" doc:"The pack's id, or its name in any case"`
	Quantity   int64         `json:"quantity,omitempty" minimum:"0" maximum:"1000000" doc:"How many of the pack or plan; one when absent"`
	CreditID   string        `json:"credit_id,omitempty" doc:"With amount: any number of credits at the credit's own price"`
	Amount     money.Decimal `json:"amount,omitempty" doc:"Of credits"`
	PlanID     string        `json:"plan_id,omitempty" doc:"The plan's id, or its name in any case"`
	TrialDays  *int          `json:"trial_days,omitempty" minimum:"0" maximum:"10000" doc:"Of the plan; as it says when absent"`
	InvoiceID  string        `json:"invoice_id,omitempty" doc:"An open invoice that is to be paid"`
	SaveCard   bool          `json:"save_card,omitempty" doc:"Keep the card for automatic top-ups and renewals; alone, only that is done"`
	OffSession bool          `json:"off_session,omitempty" doc:"Charge the saved card at once instead of opening a page"`
	SuccessURL string        `json:"success_url,omitempty" maxLength:"2000" doc:"Where the customer comes back to when they have paid. {CHECKOUT_SESSION_ID} and {ORDER_ID} are replaced"`
	CancelURL  string        `json:"cancel_url,omitempty" maxLength:"2000" doc:"Where they come back to when they have not"`
	ExpiresIn  int64         `json:"expires_in_seconds,omitempty" minimum:"1800" maximum:"86400" doc:"How long the page is open; a day when absent"`
	Metadata   Metadata      `json:"metadata,omitempty"`
}

// Order is one purchase, from checkout to payment to grants, refunds and disputes. Money is in minor
// units of currency.
type Order struct {
	ID             string        `json:"id,omitempty" doc:"Absent of a preview"`
	CustomerID     string        `json:"customer_id"`
	Kind           string        `json:"kind" enum:"pack,credits,plan,invoice,card,auto_top_up,product"`
	Status         string        `json:"status" enum:"open,due,waiting,processing,paid,failed,expired,canceled,mismatched" doc:"open: a page waits for the customer; due: the saved card is being charged; waiting: it was declined, and is tried again; mismatched: paid otherwise than expected, so nothing was granted"`
	ItemID         string        `json:"item_id,omitempty" doc:"The pack, credit, plan or invoice"`
	Description    string        `json:"description"`
	Quantity       int64         `json:"quantity"`
	Amount         int64         `json:"amount" doc:"What is expected"`
	Currency       string        `json:"currency,omitempty"`
	Lines          []OrderLine   `json:"lines,omitempty" doc:"The products, where it is of products"`
	Items          []OrderItem   `json:"items,omitempty" doc:"What is granted once it is paid"`
	URL            string        `json:"url,omitempty" doc:"The page on which it is paid"`
	ExpiresAt      clock.Instant `json:"expires_at,omitzero" doc:"When the page closes"`
	SessionID      string        `json:"session_id,omitempty" doc:"The payment provider's id of the page"`
	PaymentID      string        `json:"payment_id,omitempty" doc:"And of the payment"`
	SaveCard       bool          `json:"save_card,omitempty"`
	Attempt        int           `json:"attempt,omitempty" doc:"Of a charge without a page"`
	NextTryAt      clock.Instant `json:"next_try_at,omitzero"`
	Decline        *Decline      `json:"last_decline,omitempty"`
	Paid           int64         `json:"paid,omitempty"`
	Unmet          bool          `json:"unmet,omitempty" doc:"Paid, and nothing was given for it: reason says why. Pay it back, or grant by hand"`
	Refunded       int64         `json:"refunded,omitempty"`
	Refunds        []Refund      `json:"refunds,omitempty"`
	Dispute        string        `json:"dispute,omitempty" enum:"open,won,lost,"`
	Grants         []OrderGrant  `json:"grants,omitempty"`
	InvoiceID      string        `json:"invoice_id,omitempty" doc:"The receipt, or the invoice that is paid"`
	SubscriptionID string        `json:"subscription_id,omitempty" doc:"What it pays for; of a plan that is not paid, what would begin"`
	Reason         string        `json:"reason,omitempty" doc:"Why it ended, or why nothing was given for what was paid"`
	CreatedAt      clock.Instant `json:"created_at"`
	PaidAt         clock.Instant `json:"paid_at,omitzero"`
	ClosedAt       clock.Instant `json:"closed_at,omitzero" doc:"When it failed, expired or was canceled"`
	Metadata       Metadata      `json:"metadata,omitempty"`
}

// OrderLine is one product of an order.
type OrderLine struct {
	ProductID   string `json:"product_id"`
	Description string `json:"description"`
	Quantity    int64  `json:"quantity"`
	Amount      int64  `json:"amount" doc:"What it comes to"`
}

// OrderItem is one grant that an order stands for.
type OrderItem struct {
	PackItemID       string        `json:"pack_item_id,omitempty"`
	CreditID         string        `json:"credit_id"`
	Amount           money.Decimal `json:"amount"`
	Category         string        `json:"category" enum:"paid,promotional"`
	ExpiresAfterDays int           `json:"expires_after_days,omitempty"`
}

// OrderGrant is what became of what was bought.
type OrderGrant struct {
	GrantID  string        `json:"grant_id"`
	CreditID string        `json:"credit_id"`
	Amount   money.Decimal `json:"amount"`
	Revoked  money.Decimal `json:"revoked,omitempty" doc:"Taken back for money that went back"`
	Short    money.Decimal `json:"short,omitempty" doc:"Still to be taken back for it, and spent already"`
}

// Decline says why a payment was not made.
type Decline struct {
	Code  string        `json:"code" doc:"The payment provider's"`
	Text  string        `json:"text,omitempty"`
	Class string        `json:"class" enum:"soft,hard,action_required" doc:"soft may succeed later; hard will not with this card; action_required needs the customer"`
	At    clock.Instant `json:"at"`
}

// Refund is money that goes back, or went.
type Refund struct {
	ID        string        `json:"id"`
	RefundID  string        `json:"provider_refund_id,omitempty"`
	Amount    int64         `json:"amount"`
	Status    string        `json:"status" enum:"asked,pending,succeeded,failed"`
	Reason    string        `json:"reason,omitempty"`
	Metadata  Metadata      `json:"metadata,omitempty"`
	CreatedAt clock.Instant `json:"created_at"`
}

// OrderQuery selects orders, newest first.
type OrderQuery struct {
	CustomerID string        `query:"customer_id"`
	Status     string        `query:"status" enum:"open,due,waiting,processing,paid,failed,expired,canceled,mismatched"`
	Kind       string        `query:"kind" enum:"pack,credits,plan,invoice,card,auto_top_up,product"`
	SessionID  string        `query:"session_id" doc:"The payment provider's id of the page"`
	PaymentID  string        `query:"payment_id" doc:"The payment provider's id of the payment"`
	Unmet      bool          `query:"unmet" doc:"Only those that were paid and gave nothing for it"`
	From       clock.Instant `query:"from" doc:"Made at or after"`
	To         clock.Instant `query:"to" doc:"Made before"`
	Limit      int           `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor     string        `query:"cursor" doc:"next_cursor of the page before"`
}

// CancelOrder ends an order that is not paid.
type CancelOrder struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// RefundRequest asks for money to be paid back.
type RefundRequest struct {
	Amount   int64    `json:"amount,omitempty" minimum:"0" doc:"In minor units; all that is left when absent"`
	Reason   string   `json:"reason,omitempty" maxLength:"500"`
	Metadata Metadata `json:"metadata,omitempty"`
}

// RefundQuery says what a preview of a refund is about.
type RefundQuery struct {
	Amount int64 `query:"amount" minimum:"0" doc:"In minor units; all that is left when absent"`
}

// RefundPreview says what a refund of an order would do, and what may fairly be paid back.
type RefundPreview struct {
	OrderID    string        `json:"order_id"`
	Currency   string        `json:"currency"`
	Paid       int64         `json:"paid"`
	Refunded   int64         `json:"refunded"`
	Refundable int64         `json:"refundable" doc:"At most this can be paid back"`
	Unspent    int64         `json:"unspent" doc:"What the unspent credits of category paid have cost: what may be paid back without giving anything away"`
	Amount     int64         `json:"amount" doc:"What the preview is about: the amount that was asked for, or all that is refundable"`
	Grants     []RefundGrant `json:"grants"`
}

// RefundGrant is what a refund would do to one grant.
type RefundGrant struct {
	GrantID     string        `json:"grant_id"`
	CreditID    string        `json:"credit_id"`
	Category    string        `json:"category" enum:"paid,promotional"`
	Amount      money.Decimal `json:"amount"`
	Unspent     money.Decimal `json:"unspent" doc:"Available, or frozen"`
	Held        money.Decimal `json:"held" doc:"Set aside by reservations"`
	CostBasis   money.Decimal `json:"cost_basis,omitempty" doc:"Of one whole credit, in minor units"`
	WouldRevoke money.Decimal `json:"would_revoke" doc:"What the refund would take back now"`
	WouldMiss   money.Decimal `json:"would_miss" doc:"What it should take back besides, and was spent"`
}

// AutoTopUp is a customer's agreement that a pack is bought for them as soon as a balance is below a
// threshold.
type AutoTopUp struct {
	CustomerID string        `json:"customer_id"`
	CreditID   string        `json:"credit_id"`
	Enabled    bool          `json:"enabled"`
	Threshold  money.Decimal `json:"threshold" doc:"A balance that is strictly less is topped up"`
	PackID     string        `json:"pack_id"`
	Quantity   int64         `json:"quantity"`
	Caps       TopUpCaps     `json:"caps"`
	ConsentAt  clock.Instant `json:"consent_at,omitzero" doc:"When the customer agreed"`
	OrderID    string        `json:"order_id,omitempty" doc:"The charge that is under way"`
	OffReason  string        `json:"off_reason,omitempty" doc:"Why it was switched off by itself"`
	NotBefore  clock.Instant `json:"not_before,omitzero" doc:"Nothing is bought before, since a charge was given up"`
	Day        TopUpSpent    `json:"day" doc:"In the running day, UTC"`
	Month      TopUpSpent    `json:"month" doc:"In the running month, UTC"`
}

// TopUpCaps bound what is bought automatically; absent is no bound.
type TopUpCaps struct {
	DayCount    int64 `json:"day_count,omitempty" minimum:"0"`
	DayAmount   int64 `json:"day_amount,omitempty" minimum:"0" doc:"In minor units of the pack's currency"`
	MonthCount  int64 `json:"month_count,omitempty" minimum:"0"`
	MonthAmount int64 `json:"month_amount,omitempty" minimum:"0" doc:"In minor units of the pack's currency"`
}

// TopUpSpent is what was bought automatically in a stretch of time.
type TopUpSpent struct {
	Count  int64 `json:"count"`
	Amount int64 `json:"amount" doc:"In minor units"`
}

// SetAutoTopUp agrees on automatic top-ups of a credit, or changes what was agreed.
type SetAutoTopUp struct {
	CreditID  string        `json:"credit_id"`
	Enabled   bool          `json:"enabled" doc:"Switching on says that the customer has agreed; the time is kept"`
	Threshold money.Decimal `json:"threshold,omitempty"`
	PackID    string        `json:"pack_id,omitempty" doc:"The pack's id, or its name in any case"`
	Quantity  int64         `json:"quantity,omitempty" minimum:"0" maximum:"10000" doc:"How many of the pack; one when absent"`
	Caps      TopUpCaps     `json:"caps,omitzero"`
	Metadata  Metadata      `json:"metadata,omitempty" doc:"Of the orders that are placed"`
}

// PaymentMethod is the card that is kept of a customer.
type PaymentMethod struct {
	CustomerID string        `json:"customer_id"`
	Saved      bool          `json:"saved"`
	ID         string        `json:"id,omitempty" doc:"The payment provider's"`
	Label      string        `json:"label,omitempty" example:"visa •••• 4242"`
	SavedAt    clock.Instant `json:"saved_at,omitzero"`
}

// PortalRequest asks for the payment provider's own page on which a customer manages their cards.
type PortalRequest struct {
	ReturnURL string `json:"return_url,omitempty" maxLength:"2000"`
}

// Portal is that page.
type Portal struct {
	URL string `json:"url"`
}

// ReconcileRequest says whose orders the payment provider is asked about.
type ReconcileRequest struct {
	CustomerID string `json:"customer_id,omitempty" maxLength:"256" doc:"All customers when absent"`
}

// Reconciled says what asking the payment provider has brought to light.
type Reconciled struct {
	Checked int `json:"checked" doc:"Orders that the provider was asked about"`
	Changed int `json:"changed" doc:"Of which something was news"`
}

// WebhookOrder is the data of payment.*, credits.top_up, refund.*, dispute.* and auto_top_up.*: the
// order as it is when this is sent, or, where it tells of a decline, as it was then.
type WebhookOrder struct {
	Order        Order         `json:"order"`
	UserID       string        `json:"userId" doc:"The customer's id"`
	Email        string        `json:"email,omitempty"`
	Name         string        `json:"name,omitempty"`
	CreditsAdded money.Decimal `json:"creditsAdded,omitempty" doc:"Of credits.top_up: credits of the order's first credit"`
	AmountText   string        `json:"amountText,omitempty" doc:"What was paid, for people" example:"$10.00"`
	Refund       *Refund       `json:"refund,omitempty" doc:"Of refund.*: which one"`
}

// WebhookExpiring is the data of credit.expiring: what ends in seven days unless it is used.
type WebhookExpiring struct {
	CustomerID string        `json:"customer_id"`
	CreditID   string        `json:"credit_id"`
	CreditName string        `json:"credit_name"`
	Unit       string        `json:"unit"`
	Amount     money.Decimal `json:"amount"`
	ExpiresAt  clock.Instant `json:"expires_at"`
	GrantIDs   []string      `json:"grant_ids"`
}

// WebhookTrialEnding is the data of subscription.trial_ending.
type WebhookTrialEnding struct {
	Subscription Subscription  `json:"subscription"`
	TrialEndsAt  clock.Instant `json:"trial_ends_at"`
}

// MailQuery selects letters, newest first.
type MailQuery struct {
	Status string `query:"status" enum:"pending,delivered,failed,skipped"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

// Mail is a letter to a customer: sent, or waiting until mail is set up.
type Mail struct {
	ID         string        `json:"id"`
	CustomerID string        `json:"customer_id"`
	Kind       string        `json:"kind"`
	To         string        `json:"to,omitempty"`
	Subject    string        `json:"subject,omitempty"`
	Text       string        `json:"text,omitempty"`
	HTML       string        `json:"html,omitempty"`
	Status     string        `json:"status" enum:"pending,delivered,failed,skipped" doc:"skipped: the customer has no address, or the letter had waited for too long"`
	CreatedAt  clock.Instant `json:"created_at"`
	SentAt     clock.Instant `json:"sent_at,omitzero"`
	Error      string        `json:"error,omitempty" doc:"Why the last attempt failed, as it was logged, of one that is not sent"`
}

package dodo

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// refundRoutes are money that goes back (dodo.md section 12).
var refundRoutes = []route{
	{http.MethodPost, "/refunds", http.StatusOK, (*call).createRefund},
	{http.MethodGet, "/refunds", http.StatusOK, (*call).listRefunds},
	{http.MethodGet, "/refunds/{refund}", http.StatusOK, (*call).getRefund},
}

// refundRow is a refund as a list has it, and a payment.
type refundRow struct {
	RefundID   string        `json:"refund_id"`
	PaymentID  string        `json:"payment_id"`
	BusinessID string        `json:"business_id"`
	Status     string        `json:"status"`
	IsPartial  bool          `json:"is_partial"`
	Amount     int64         `json:"amount"`
	Currency   string        `json:"currency"`
	Reason     *string       `json:"reason"`
	CreatedAt  clock.Instant `json:"created_at"`
}

// refund is one refund.
type refund struct {
	refundRow
	BrandID  string            `json:"brand_id"`
	Customer subscriber        `json:"customer"`
	Metadata map[string]string `json:"metadata"`
}

// refundStatuses are the vendor's, by ours.
var refundStatuses = map[wallet.RefundStatus]string{
	wallet.RefundAsked: "pending", wallet.RefundPending: "pending", wallet.RefundSucceeded: "succeeded", wallet.RefundFailed: "failed",
}

// refundID names a refund by its place in the order: refunds are only ever added there.
func refundID(f *payments.Found, i int) string {
	return alias(id.PrefixRefund, f.Order.ID(f.Key.ID())) + "_" + strconv.Itoa(i+1)
}

func refundRowOut(app string, f *payments.Found, i int) refundRow {
	r := &f.Order.Refunds[i]
	return refundRow{
		RefundID: refundID(f, i), PaymentID: paymentID(f), BusinessID: app, Status: refundStatuses[r.Status], IsPartial: r.Minor < f.Order.Paid,
		Amount: r.Minor, Currency: paidIn(f.Order), Reason: unlessZero(r.Reason), CreatedAt: r.At,
	}
}

func refundRows(app string, f *payments.Found) []refundRow {
	rows := make([]refundRow, len(f.Order.Refunds))
	for i := range rows {
		rows[i] = refundRowOut(app, f, i)
	}
	return rows
}

func refundOut(app string, f *payments.Found, i int, customer *v1.Customer) refund {
	return refund{
		refundRow: refundRowOut(app, f, i), BrandID: app, Customer: subscriberOut(customer), Metadata: present(f.Order.Refunds[i].Meta),
	}
}

// refundBody is what creating a refund takes. Without items it is all that is left.
type refundBody struct {
	PaymentID optional[string] `json:"payment_id"`
	Items     []refundItem     `json:"items"`
	Reason    string           `json:"reason"`
	Metadata  v1.Metadata      `json:"metadata"`
}

type refundItem struct {
	ItemID string `json:"item_id"`
	Amount *int64 `json:"amount"`
}

func notRefundable(code, message string) error {
	return &refusal{http.StatusUnprocessableEntity, code, message}
}

// ask is the refund of an order that the body asks for.
func (b *refundBody) ask(f *payments.Found) (*wallet.AskRefund, error) {
	o := f.Order
	switch {
	case o.Status != wallet.OrderPaid:
		return nil, notRefundable("PAYMENT_NOT_SUCCEEDED", "the payment has not succeeded: it is "+intentOf(o))
	case o.Minor == 0:
		return nil, notRefundable("ZERO_AMOUNT_PAYMENT_REFUND_NOT_ALLOWED", "nothing was paid")
	case o.Refundable() == 0:
		return nil, notRefundable("PAYMENT_ALREADY_REFUNDED", "nothing is left of the payment to refund")
	}
	ask := &wallet.AskRefund{Note: wallet.Note{Reason: b.Reason, Metadata: wallet.Metadata(b.Metadata)}}
	lines := lineItemsOf(f)
	for _, item := range b.Items {
		i := slices.IndexFunc(lines, func(l lineItem) bool { return l.ItemsID == item.ItemID })
		if i < 0 {
			return nil, notRefundable("LINE_ITEM_NOT_FOUND", "the payment has no such item")
		}
		left := lines[i].RefundableAmount
		amount := left
		v1.Set(&amount, item.Amount)
		switch {
		case left == 0:
			return nil, notRefundable("LINE_ITEM_FULLY_REFUNDED", "nothing is left of the item to refund")
		case amount <= 0:
			return nil, notRefundable("NOTHING_TO_REFUND", "amount must be more than zero")
		case amount > left:
			return nil, notRefundable("REFUND_AMOUNT_EXCEEDS_PAID_AMOUNT", "at most "+money.Display(left, o.Currency)+" of the item can be refunded")
		}
		if ask.Minor += amount; len(o.Cart) > 1 {
			ask.Lines = append(ask.Lines, wallet.RefundLine{Line: i, Minor: amount})
		}
	}
	return ask, nil
}

func (c *call) createRefund() (any, error) {
	var body refundBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.PaymentID.has() {
		return nil, invalidBody("payment_id is required")
	}
	found, err := c.orderOf(paymentPrefix, body.PaymentID.value)
	if err != nil {
		return nil, err
	}
	ask, err := body.ask(found)
	if err != nil {
		return nil, err
	}
	found, own, err := c.Refund(c, found.Order.ID(found.Key.ID()), ask)
	if err != nil {
		return nil, err
	}
	return c.refundOf(found, slices.IndexFunc(found.Order.Refunds, func(r wallet.OrderRefund) bool { return r.Own == own }))
}

func (c *call) refundOf(found *payments.Found, i int) (any, error) {
	customer, err := c.GetCustomer(c, found.Key.Customer)
	if err != nil {
		return nil, err
	}
	return refundOut(c.app, found, i, &customer), nil
}

func (c *call) getRefund() (any, error) {
	bare, place, _ := strings.Cut(strings.TrimPrefix(c.path("refund"), id.PrefixRefund+"_"), "_")
	found, err := c.orderOf(id.PrefixRefund, id.PrefixRefund+"_"+bare)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(place)
	if err != nil || n < 1 || n > len(found.Order.Refunds) || c.path("refund") != refundID(found, n-1) {
		return nil, notFound("there is no such refund")
	}
	return c.refundOf(found, n-1)
}

// listRefunds lists refunds by their payments, the newest of those first.
func (c *call) listRefunds() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	q, none, err := c.orderQuery(w)
	if err != nil {
		return nil, err
	}
	from, to, status := q.From, q.To, c.query.Get("status")
	if !slices.Contains([]string{"", "succeeded", "failed", "pending", "review"}, status) {
		return nil, invalidQuery("status must be succeeded, failed, pending or review")
	}
	if none {
		return listed[refundRow](nil), nil
	}
	// The bounds are of the refunds, which are of any age of payment.
	q.Paid, q.From, q.To, q.Skip, q.Limit = true, 0, 0, 0, w.offset+w.limit
	rows := []refundRow{}
	keep := c.keep()
	_, err = c.OrdersWhere(c, q, func(f *payments.Found) bool {
		if !keep(f) {
			return false
		}
		before := len(rows)
		for i := len(f.Order.Refunds) - 1; i >= 0; i-- {
			row := refundRowOut(c.app, f, i)
			if (status == "" || status == row.Status) && row.CreatedAt >= from && (to.IsZero() || row.CreatedAt < to) {
				rows = append(rows, row)
			}
		}
		return len(rows) > before
	})
	if err != nil {
		return nil, err
	}
	return listed(cut(rows, w)), nil
}

// dispute is a payment that the customer's bank has called back.
type dispute struct {
	DisputeID     string        `json:"dispute_id"`
	PaymentID     string        `json:"payment_id"`
	BusinessID    string        `json:"business_id"`
	Amount        string        `json:"amount"`
	Currency      string        `json:"currency"`
	DisputeStage  string        `json:"dispute_stage"`
	DisputeStatus string        `json:"dispute_status"`
	CreatedAt     clock.Instant `json:"created_at"`
}

// disputeStatuses are the vendor's, by ours.
var disputeStatuses = map[wallet.DisputeStatus]string{
	wallet.DisputeOpen: "dispute_opened", wallet.DisputeWon: "dispute_won", wallet.DisputeLost: "dispute_lost",
}

func disputeOut(app string, f *payments.Found) dispute {
	o := f.Order
	return dispute{
		DisputeID: alias(disputePrefix, o.ID(f.Key.ID())), PaymentID: paymentID(f), BusinessID: app, Amount: strconv.FormatInt(o.Paid, 10),
		Currency: paidIn(o), DisputeStage: "dispute", DisputeStatus: disputeStatuses[o.Dispute], CreatedAt: o.DisputedAt,
	}
}

package payments

import (
	"context"
	"net/url"
	"slices"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// CheckAddress accepts an address that a customer can come back to: http or https, or none.
func CheckAddress(text, field string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(text) > wallet.MaxAddressLength {
		return fault.New("payments.CheckAddress", fault.CodeInvalidRequest, "%s must be an http or https address of at most %d bytes", field, wallet.MaxAddressLength).In(field)
	}
	return nil
}

// GetOrder reads an order.
func (s *Session) GetOrder(ctx context.Context, orderID string) (v1.Order, error) {
	found, err := s.FindOrder(ctx, orderID)
	if err != nil {
		return v1.Order{}, err
	}
	return s.say(ctx, found.Key, found.Order)
}

// statuses are those that can be asked for.
var statuses = []wallet.OrderStatus{
	wallet.OrderOpen, wallet.OrderDue, wallet.OrderWaiting, wallet.OrderProcessing, wallet.OrderPaid, wallet.OrderFailed,
	wallet.OrderExpired, wallet.OrderCanceled, wallet.OrderMismatched,
}

// ListOrders lists orders, newest first.
func (s *Session) ListOrders(ctx context.Context, q v1.OrderQuery) (v1.Page[v1.Order], error) {
	none := v1.Page[v1.Order]{Data: []v1.Order{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return none, err
	}
	query := store.OrderQuery{
		App: s.caller.App, Mode: s.caller.Mode, Kind: wallet.OrderKind(q.Kind), Session: q.SessionID, Payment: q.PaymentID,
		Unmet: q.Unmet, From: q.From, To: q.To, Limit: limit + 1,
	}
	if q.Status != "" {
		if query.Status = []wallet.OrderStatus{wallet.OrderStatus(q.Status)}; !slices.Contains(statuses, query.Status[0]) {
			return none, fault.New("payments.ListOrders", fault.CodeInvalidRequest, "%q is no status of an order", q.Status).In("status")
		}
	}
	if q.CustomerID != "" {
		key, err := caller.Wallet(s.caller, q.CustomerID)
		if err != nil {
			return none, err
		}
		query.Wallet = key.ID()
	}
	if q.Cursor != "" {
		if query.After, err = caller.Position("ord", q.Cursor); err != nil {
			return none, err
		}
	}
	found, err := s.core.Store.Orders(ctx, query)
	if err != nil {
		return none, err
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return none, err
	}
	return caller.Page(found, limit, func(f *store.FoundOrder) (v1.Order, string) {
		return wording.Order(defs, f.Key, f.Key.ID(), f.Order), caller.Cursor("ord", f.Order.CreatedAt, f.Key.ID(), f.Order.N)
	}), nil
}

// Orders is ListOrders for translators, within the caller's app and mode.
func (s *Session) Orders(ctx context.Context, q Selection) ([]Found, error) {
	q.App, q.Mode = s.caller.App, s.caller.Mode
	return s.core.Store.Orders(ctx, q)
}

// OrdersWhere is Orders of those that keep accepts; Skip and Limit count these.
func (s *Session) OrdersWhere(ctx context.Context, q store.OrderQuery, keep func(*store.FoundOrder) bool) ([]store.FoundOrder, error) {
	skip, limit := q.Skip, q.Limit
	q.Skip, q.Limit = 0, v1.MaxPage
	var kept []store.FoundOrder
	for {
		rows, err := s.Orders(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			switch f := &rows[i]; {
			case !keep(f):
			case skip > 0:
				skip--
			default:
				if kept = append(kept, *f); len(kept) == limit {
					return kept, nil
				}
			}
		}
		if len(rows) < q.Limit {
			return kept, nil
		}
		last := &rows[len(rows)-1]
		q.After = store.ListPosition{At: last.Order.CreatedAt, Wallet: last.Key.ID(), N: last.Order.N}
	}
}

// FindPromised finds the order of a plan by the subscription that it will begin when it is paid; the
// newest where several promise it.
func (s *Session) FindPromised(ctx context.Context, subscriptionID string) (*store.FoundOrder, error) {
	none := fault.New("payments.FindPromised", fault.CodeSubscriptionNotFound, "there is no such subscription").In("subscription_id")
	w, n, err := id.ParseObject(id.PrefixSubscription, subscriptionID)
	if err != nil {
		return nil, none
	}
	found, err := s.OrdersWhere(ctx, store.OrderQuery{Wallet: w, Kind: wallet.PlanOrder, Limit: 1}, func(f *store.FoundOrder) bool {
		return f.Order.Subscription == n && f.Order.Promised() != nil
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, none
	}
	return &found[0], nil
}

// RetryOrder makes the next attempt of a charge that was declined now.
func (s *Session) RetryOrder(ctx context.Context, orderID string, opts ...v1.Option) (*store.FoundOrder, error) {
	found, err := s.FindOrder(ctx, orderID)
	if err != nil {
		return nil, err
	}
	req, err := s.request(found.Key.Customer, opts, &wallet.RetryOrder{Order: found.Order.N})
	if err != nil {
		return nil, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	found.Order, err = s.core.carryOut(ctx, res.Key, res.Order)
	return found, err
}

// CancelOrder ends an order that is not paid, and closes its page.
func (s *Session) CancelOrder(ctx context.Context, orderID string, r v1.CancelOrder, opts ...v1.Option) (v1.Order, error) {
	found, err := s.FindOrder(ctx, orderID)
	if err != nil {
		return v1.Order{}, err
	}
	if o := found.Order; o.Session != "" && o.Status == wallet.OrderOpen {
		if err := s.core.closePage(ctx, found); err != nil {
			return v1.Order{}, err
		}
	}
	req, err := s.request(found.Key.Customer, opts, &wallet.CancelOrder{Order: found.Order.N, Note: wallet.Note{Reason: r.Reason}})
	if err != nil {
		return v1.Order{}, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Order{}, err
	}
	return s.say(ctx, res.Key, res.Order)
}

// closePage closes the page of an order that is to be canceled, and tells the order what was paid there
// before: one that is paid, or for which money is on its way, is not canceled, though no webhook has told.
func (c *Core) closePage(ctx context.Context, found *store.FoundOrder) error {
	p, err := c.named(found.Key.Mode, found.Order.Provider)
	if err != nil {
		return err
	}
	place, payer, err := c.place(ctx, found.Key)
	if err != nil {
		return err
	}
	if err := p.ClosePage(ctx, with(place, payer, p.Name()), found.Order.Session); err != nil {
		return err
	}
	news, err := c.ask(ctx, found)
	if err != nil {
		return err
	}
	for i := range news {
		if news[i].Kind == wallet.NewsExpired {
			continue // that is our doing
		}
		if _, err := c.do(ctx, found.Key, &wallet.TellOrder{Order: found.Order.N, News: news[i]}); err != nil {
			return err
		}
	}
	return nil
}

// RefundOrder asks for money to be paid back. Credits follow when the provider has accepted it.
func (s *Session) RefundOrder(ctx context.Context, orderID string, r v1.RefundRequest, opts ...v1.Option) (v1.Order, error) {
	ask := &wallet.AskRefund{Minor: r.Amount, Note: wallet.Note{Reason: r.Reason, Metadata: wallet.Metadata(r.Metadata)}}
	found, _, err := s.Refund(ctx, orderID, ask, opts...)
	if err != nil {
		return v1.Order{}, err
	}
	return s.say(ctx, found.Key, found.Order)
}

// Refund is RefundOrder for translators: the order as it stands, and the number of the refund within it.
func (s *Session) Refund(ctx context.Context, orderID string, ask *wallet.AskRefund, opts ...v1.Option) (*store.FoundOrder, int64, error) {
	found, err := s.FindOrder(ctx, orderID)
	if err != nil {
		return nil, 0, err
	}
	ask.Order = found.Order.N
	req, err := s.request(found.Key.Customer, opts, ask)
	if err != nil {
		return nil, 0, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	// The outbox asks the provider in any case; asked here too, the answer says what came of it.
	asked := &res.Order.Refunds[len(res.Order.Refunds)-1]
	if err := s.core.Due(ctx, res.Key, res.Order, asked); err != nil {
		s.core.Log.Warn("a refund will be asked for again", "order", orderID, "cause", err)
	}
	found, err = s.FindOrder(ctx, orderID)
	return found, asked.Own, err
}

// PreviewRefund says what a refund would take back, and what may fairly be paid back.
func (s *Session) PreviewRefund(ctx context.Context, orderID string, q v1.RefundQuery) (v1.RefundPreview, error) {
	found, err := s.FindOrder(ctx, orderID)
	if err != nil {
		return v1.RefundPreview{}, err
	}
	o := found.Order
	out := v1.RefundPreview{
		OrderID: orderID, Currency: o.Currency, Paid: o.Paid, Refunded: o.Refunded(), Refundable: o.Refundable(), Grants: []v1.RefundGrant{},
	}
	if out.Amount = q.Amount; q.Amount == 0 {
		out.Amount = out.Refundable
	}
	if q.Amount < 0 || q.Amount > out.Refundable {
		return out, fault.New("payments.PreviewRefund", fault.CodeRefundTooLarge, "at most %s can be paid back", money.Display(out.Refundable, o.Currency)).In("amount")
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return out, err
	}
	fate, err := s.core.fate(ctx, found, out.Amount)
	if err != nil {
		return out, err
	}
	for i := range fate {
		f := &fate[i]
		p := wording.Precision(defs, f.Credit)
		out.Grants = append(out.Grants, v1.RefundGrant{
			GrantID: wording.GrantID(found.Key.ID(), f.Grant), CreditID: f.Credit, Category: string(f.Category),
			Amount: wording.Amount(f.Amount, p), Unspent: wording.Amount(f.Unspent, p), Held: wording.Amount(f.Held, p),
			CostBasis: f.CostBasis, WouldRevoke: wording.Amount(f.Takes, p), WouldMiss: wording.Amount(f.Misses, p),
		})
		out.Unspent += f.Worth(p)
	}
	out.Unspent = min(out.Unspent, out.Refundable)
	return out, nil
}

package billing

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// NextInvoice is what a subscription would be invoiced when its cycle ends, were nothing used until
// then; it is a draft, and nothing is written. The total is zero where nothing would be invoiced.
func (s *Session) NextInvoice(ctx context.Context, subscriptionID string) (v1.Invoice, error) {
	v, sub, r, err := s.find(ctx, subscriptionID)
	if err != nil {
		return v1.Invoice{}, err
	}
	now := s.now(v.defs)
	if r == nil || !sub.ActiveAt(now) {
		return v1.Invoice{}, fault.New("billing.NextInvoice", fault.CodeSubscriptionNotFound, "the subscription does not run, so nothing more is invoiced").In("subscription_id")
	}
	due := sub.CycleEnd
	if !sub.EndsAt.IsZero() {
		due = min(due, sub.EndsAt)
	}
	invoices, err := s.core.Engine.Ahead(ctx, r, due)
	if err != nil {
		return v1.Invoice{}, err
	}
	draft := wallet.Invoice{Subscription: sub.N, Status: wallet.InvoiceDraft, Currency: sub.Terms.Currency, From: sub.CycleStart, To: sub.CycleEnd, IssuedAt: due}
	for _, inv := range invoices {
		if inv.IssuedAt == due {
			draft = *inv
			draft.N, draft.Status, draft.ClosedAt = 0, wallet.InvoiceDraft, 0
			break
		}
	}
	return v.invoice(&draft), nil
}

// GetInvoice reads an invoice.
func (s *Session) GetInvoice(ctx context.Context, invoiceID string) (v1.Invoice, error) {
	v, inv, err := s.invoice(ctx, invoiceID)
	if err != nil {
		return v1.Invoice{}, err
	}
	return v.invoice(inv), nil
}

// invoice finds an invoice, whether or not anybody has written down what time made of it.
func (s *Session) invoice(ctx context.Context, invoiceID string) (view, *wallet.Invoice, error) {
	w, n, err := parse(id.PrefixInvoice, invoiceID, "invoice_id", fault.CodeInvoiceNotFound)
	if err != nil {
		return view{}, nil, err
	}
	r, defs, err := s.read(ctx, w)
	if err != nil {
		return view{}, nil, err
	}
	if r != nil {
		for _, inv := range r.Invoices {
			if inv.N == n {
				return newView(defs, r.State.Key), inv, nil
			}
		}
		found, err := s.core.Store.Invoices(ctx, store.InvoiceQuery{Wallet: w, N: n, Limit: 1})
		if err != nil {
			return view{}, nil, err
		}
		if len(found) == 1 {
			return newView(defs, r.State.Key), found[0].Invoice, nil
		}
	}
	return view{}, nil, fault.New("billing.invoice", fault.CodeInvoiceNotFound, "there is no such invoice").In("invoice_id")
}

// ListInvoices lists invoices, newest first. Those of one customer are as time has made them.
func (s *Session) ListInvoices(ctx context.Context, q v1.InvoiceQuery) (v1.Page[v1.Invoice], error) {
	none := v1.Page[v1.Invoice]{Data: []v1.Invoice{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return none, err
	}
	switch wallet.InvoiceStatus(q.Status) {
	case "", wallet.InvoiceOpen, wallet.InvoicePaid, wallet.InvoiceVoid:
	default:
		return none, fault.New("billing.ListInvoices", fault.CodeInvalidRequest, "status must be open, paid or void").In("status")
	}
	query := store.InvoiceQuery{App: s.caller.App, Mode: s.caller.Mode, Status: wallet.InvoiceStatus(q.Status), Limit: limit + 1}
	if q.CustomerID != "" {
		key, err := caller.Wallet(s.caller, q.CustomerID)
		if err != nil {
			return none, err
		}
		query.Wallet = key.ID()
	}
	if q.SubscriptionID != "" {
		w, n, err := parse(id.PrefixSubscription, q.SubscriptionID, "subscription_id", fault.CodeSubscriptionNotFound)
		if err != nil {
			return none, err
		}
		if query.Wallet != (id.Wallet{}) && query.Wallet != w {
			return none, fault.New("billing.ListInvoices", fault.CodeSubscriptionNotFound, "the customer has no such subscription").In("subscription_id")
		}
		query.Wallet, query.Subscription = w, n
	}
	if q.Cursor != "" {
		if query.After, err = caller.Position("inv", q.Cursor); err != nil {
			return none, err
		}
	}
	found, err := s.invoices(ctx, query)
	if err != nil {
		return none, err
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return none, err
	}
	return caller.Page(found, limit, func(f *store.FoundInvoice) (v1.Invoice, string) {
		return newView(defs, f.Key).invoice(f.Invoice), caller.Cursor("inv", f.Invoice.IssuedAt, f.Key.ID(), f.Invoice.N)
	}), nil
}

// invoices lists what a query selects; of one wallet, what time made of it too.
func (s *Session) invoices(ctx context.Context, q store.InvoiceQuery) ([]store.FoundInvoice, error) {
	if q.Wallet == (id.Wallet{}) {
		return s.core.Store.Invoices(ctx, q)
	}
	r, _, err := s.read(ctx, q.Wallet)
	if err != nil {
		return nil, err
	}
	if r == nil && q.Subscription != 0 {
		return nil, fault.New("billing.invoices", fault.CodeSubscriptionNotFound, "there is no such subscription").In("subscription_id")
	}
	if r == nil {
		return nil, nil
	}
	var made []store.FoundInvoice
	stored := r.State.InvoiceSeq - int64(len(r.Invoices))
	for i := len(r.Invoices) - 1; i >= 0; i-- {
		inv := r.Invoices[i]
		if (q.Subscription == 0 || inv.Subscription == q.Subscription) && (q.Status == "" || inv.Status == q.Status) &&
			(q.After.N == 0 || inv.N < q.After.N) {
			made = append(made, store.FoundInvoice{Key: r.State.Key, Invoice: inv})
		}
	}
	if len(made) > 0 {
		last := made[len(made)-1].Invoice
		q.After = store.ListPosition{At: last.IssuedAt, Wallet: q.Wallet, N: last.N}
	}
	rows, err := s.core.Store.Invoices(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.Invoice.N <= stored { // what was written since it was read is among those that time made
			made = append(made, row)
		}
	}
	return made, nil
}

// PayInvoice says that an open invoice was paid; saying it again changes nothing.
func (s *Session) PayInvoice(ctx context.Context, invoiceID string, r v1.CloseInvoice, opts ...v1.Option) (v1.Invoice, error) {
	return s.closeInvoice(ctx, invoiceID, wallet.InvoicePaid, r, opts)
}

// VoidInvoice says that an open invoice is owed no longer; saying it again changes nothing.
func (s *Session) VoidInvoice(ctx context.Context, invoiceID string, r v1.CloseInvoice, opts ...v1.Option) (v1.Invoice, error) {
	return s.closeInvoice(ctx, invoiceID, wallet.InvoiceVoid, r, opts)
}

func (s *Session) closeInvoice(ctx context.Context, invoiceID string, status wallet.InvoiceStatus, r v1.CloseInvoice, opts []v1.Option) (v1.Invoice, error) {
	w, n, err := parse(id.PrefixInvoice, invoiceID, "invoice_id", fault.CodeInvoiceNotFound)
	if err != nil {
		return v1.Invoice{}, err
	}
	req := caller.Inside(s.caller, opts, w)
	req.Command = &wallet.CloseInvoice{Invoice: n, Status: status, Ref: r.Reference}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Invoice{}, err
	}
	defs, err := s.core.Engine.Known(ctx, s.caller.App)
	if err != nil {
		return v1.Invoice{}, err
	}
	return newView(defs, res.Key).invoice(&res.Invoices[0]), nil
}

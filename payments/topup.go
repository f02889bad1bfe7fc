package payments

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// SetAutoTopUp agrees on automatic top-ups of a credit, or changes what was agreed.
func (s *Session) SetAutoTopUp(ctx context.Context, customerID string, r v1.SetAutoTopUp, opts ...v1.Option) (v1.AutoTopUp, error) {
	const op = "payments.SetAutoTopUp"
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return v1.AutoTopUp{}, err
	}
	credit, ok := defs.Credit(r.CreditID)
	if !ok {
		return v1.AutoTopUp{}, fault.New(op, fault.CodeCreditNotFound, "there is no credit %q in this app", r.CreditID).In("credit_id")
	}
	c := &wallet.SetTopUp{
		Credit: credit.ID, Enabled: r.Enabled, Quantity: r.Quantity, Note: wallet.Note{Metadata: wallet.Metadata(r.Metadata)},
		Caps: wallet.Caps{
			DayCount: r.Caps.DayCount, DayMinor: r.Caps.DayAmount, MonthCount: r.Caps.MonthCount, MonthMinor: r.Caps.MonthAmount,
		},
	}
	if r.Threshold != "" {
		if c.Threshold, err = r.Threshold.Units(credit.Precision); err != nil {
			return v1.AutoTopUp{}, fault.As(err).In("threshold")
		}
	}
	if r.PackID != "" {
		pack, ok := defs.Pack(r.PackID)
		if !ok {
			return v1.AutoTopUp{}, fault.New(op, fault.CodePackNotFound, "there is no pack %q in this app", r.PackID).In("pack_id")
		}
		c.Pack = pack.ID
	}
	req, err := s.request(customerID, opts, c)
	if err != nil {
		return v1.AutoTopUp{}, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.AutoTopUp{}, err
	}
	all, err := s.AutoTopUps(ctx, customerID)
	if err != nil {
		return v1.AutoTopUp{}, err
	}
	for _, t := range all.Data {
		if t.CreditID == credit.ID {
			return t, nil
		}
	}
	return v1.AutoTopUp{}, fault.New(op, fault.CodeInternalError, "what was agreed for %s cannot be read", res.Key.Customer)
}

// AutoTopUps reads what is agreed about automatic top-ups of a customer.
func (s *Session) AutoTopUps(ctx context.Context, customerID string) (v1.Page[v1.AutoTopUp], error) {
	out := v1.Page[v1.AutoTopUp]{Data: []v1.AutoTopUp{}}
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return out, err
	}
	r, err := s.core.Engine.Read(ctx, key.ID())
	if err != nil || r == nil {
		return out, err
	}
	defs, err := s.core.Engine.Known(ctx, key.App)
	if err != nil {
		return out, err
	}
	for _, t := range r.State.TopUps {
		out.Data = append(out.Data, wording.AutoTopUp(defs, key, key.ID(), t))
	}
	return out, nil
}

// PaymentMethod reads which card is kept of a customer.
func (s *Session) PaymentMethod(ctx context.Context, customerID string) (v1.PaymentMethod, error) {
	out := v1.PaymentMethod{CustomerID: customerID}
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return out, err
	}
	r, err := s.core.Engine.Read(ctx, key.ID())
	if err != nil || r == nil || r.State.Payer == nil {
		return out, err
	}
	p := r.State.Payer
	out.Saved, out.ID, out.Label, out.SavedAt = p.Method != "", p.Method, p.Label, p.SavedAt
	return out, nil
}

// ForgetPaymentMethod forgets the card that is kept, and ends what would be charged to it.
func (s *Session) ForgetPaymentMethod(ctx context.Context, customerID string, opts ...v1.Option) (v1.PaymentMethod, error) {
	req, err := s.request(customerID, opts, &wallet.ForgetPayer{})
	if err != nil {
		return v1.PaymentMethod{}, err
	}
	if _, err := s.core.Engine.Do(ctx, req); err != nil {
		return v1.PaymentMethod{}, err
	}
	return s.PaymentMethod(ctx, customerID)
}

// PaymentPortal opens the provider's own page on which a customer manages their cards.
func (s *Session) PaymentPortal(ctx context.Context, customerID string, r v1.PortalRequest) (v1.Portal, error) {
	const op = "payments.PaymentPortal"
	if err := CheckAddress(r.ReturnURL, "return_url"); err != nil {
		return v1.Portal{}, err
	}
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return v1.Portal{}, err
	}
	p, err := s.core.provider(key.Mode)
	if err != nil {
		return v1.Portal{}, err
	}
	place, payer, err := s.core.place(ctx, key)
	if err != nil {
		return v1.Portal{}, err
	}
	place = with(place, payer, p.Name())
	if place.Customer == "" {
		return v1.Portal{}, fault.New(op, fault.CodeNoPaymentMethod, "the payment provider does not know the customer yet: let them buy or save a card first").In("customer_id")
	}
	address, err := p.Portal(ctx, place, r.ReturnURL)
	return v1.Portal{URL: address}, err
}

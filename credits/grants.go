package credits

import (
	"context"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Grant gives a customer credits. Under an external_ref it does so once, for ever.
func (s *Session) Grant(ctx context.Context, r v1.GrantRequest, opts ...v1.Option) (v1.Grants, error) {
	cmd, err := s.giveCredits(ctx, &r)
	if err != nil {
		return v1.Grants{}, err
	}
	res, err := s.do(ctx, r.CustomerID, cmd, opts)
	if err != nil {
		return v1.Grants{}, err
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Grants{}, err
	}
	v := newView(defs, res.Key)
	out := v1.Grants{Grants: make([]v1.Grant, len(res.Grants)), Entries: v.entries(res.Entries), Existing: res.Existing}
	for i := range res.Grants {
		out.Grants[i] = v.grant(&res.Grants[i])
	}
	return out, nil
}

func (s *Session) giveCredits(ctx context.Context, r *v1.GrantRequest) (*wallet.GiveCredits, error) {
	const op = "credits.Grant"
	if err := checkNote(r.Reason, r.Metadata); err != nil {
		return nil, err
	}
	scope, err := rulesIn(r.Scope)
	if err != nil {
		return nil, err
	}
	cmd := &wallet.GiveCredits{
		Category: catalog.Category(r.Category), Priority: r.Priority, EffectiveAt: r.EffectiveAt,
		ExpiresAt: r.ExpiresAt.At, Never: r.ExpiresAt.Given && r.ExpiresAt.At.IsZero(), Scope: scope,
		ExternalRef: r.ExternalRef, Source: wallet.Source(r.Source), CostBasis: r.CostBasis, CostCurr: strings.ToLower(r.CostCurrency),
		Note: wallet.Note{Reason: r.Reason, Metadata: wallet.Metadata(r.Metadata)},
	}
	if r.Source != "" && !cmd.Source.Valid() {
		return nil, fault.New(op, fault.CodeInvalidRequest, "source must be purchase, grant, refund, manual, api or subscription").In("source")
	}
	if r.CostBasis != "" {
		if cmd.CostBasis, err = catalog.ReadPrice(r.CostBasis, "cost_basis"); err != nil {
			return nil, err
		}
	}
	switch {
	case r.PackID != "" && r.CreditID != "":
		return nil, fault.New(op, fault.CodeConflictingFields, "a pack fixes credits and amounts: give pack_id, or credit_id and amount").In("pack_id")
	case r.PackID != "" && r.Amount != "":
		return nil, fault.New(op, fault.CodeInvalidRequest, "the items of a pack fix the amounts: leave amount out").In("amount")
	case r.PackID != "":
		pack, err := s.pack(ctx, r.PackID)
		if err != nil {
			return nil, err
		}
		cmd.Pack = pack.ID
	default:
		def, err := s.credit(ctx, r.CreditID)
		if err != nil {
			return nil, err
		}
		cmd.Credit = def.ID
		if cmd.Amount, err = units(r.Amount, def.Precision, "amount"); err != nil {
			return nil, err
		}
	}
	return cmd, nil
}

// RevokeGrant takes back what is left of a grant; what was spent stays spent.
func (s *Session) RevokeGrant(ctx context.Context, grantID string, r v1.RevokeRequest, opts ...v1.Option) (v1.Grant, error) {
	req, n, err := s.inside(id.PrefixGrant, grantID, "grant_id", fault.CodeGrantNotFound, opts)
	if err != nil {
		return v1.Grant{}, err
	}
	if err := checkNote(r.Reason, nil); err != nil {
		return v1.Grant{}, err
	}
	cmd := &wallet.RevokeGrant{Grant: n, Note: wallet.Note{Reason: r.Reason}}
	if r.Amount != nil {
		g, _, err := s.grant(ctx, grantID)
		if err != nil {
			return v1.Grant{}, err
		}
		amount, err := s.unitsOf(ctx, g.Credit, *r.Amount)
		if err != nil {
			return v1.Grant{}, err
		}
		cmd.Amount = &amount
	}
	req.Command = cmd
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Grant{}, err
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Grant{}, err
	}
	return newView(defs, res.Key).grant(&res.Grants[0]), nil
}

func (s *Session) unitsOf(ctx context.Context, credit string, amount money.Decimal) (int64, error) {
	def, err := s.credit(ctx, credit)
	if err != nil {
		return 0, err
	}
	return units(amount, def.Precision, "amount")
}

// GetGrant reads a grant.
func (s *Session) GetGrant(ctx context.Context, grantID string) (v1.Grant, error) {
	g, r, err := s.grant(ctx, grantID)
	if err != nil {
		return v1.Grant{}, err
	}
	return r.view.grant(g), nil
}

// grant reads a grant as it is now, time's doing included.
func (s *Session) grant(ctx context.Context, grantID string) (*wallet.Grant, *reading, error) {
	r, n, err := s.readAt(ctx, id.PrefixGrant, grantID, "grant_id", fault.CodeGrantNotFound)
	if err != nil {
		return nil, nil, err
	}
	if g, ok := r.Grant(n); ok {
		return g, r, nil
	}
	found, err := s.core.Store.Grants(ctx, store.GrantQuery{Wallet: r.State.ID, Only: []int64{n}, Limit: 1})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, fault.New("credits.grant", fault.CodeGrantNotFound, "there is no such grant").In("grant_id")
	}
	return found[0], r, nil
}

// GetReservation reads a reservation.
func (s *Session) GetReservation(ctx context.Context, reservationID string) (v1.Reservation, error) {
	r, n, err := s.readAt(ctx, id.PrefixReservation, reservationID, "reservation_id", fault.CodeReservationNotFound)
	if err != nil {
		return v1.Reservation{}, err
	}
	h, ok := r.Hold(n)
	if !ok {
		found, err := s.core.Store.Fetch(ctx, r.State.ID, wallet.Needs{Holds: []int64{n}})
		if err != nil {
			return v1.Reservation{}, err
		}
		if len(found.Holds) == 0 {
			return v1.Reservation{}, fault.New("credits.GetReservation", fault.CodeReservationNotFound, "there is no such reservation").In("reservation_id")
		}
		h = found.Holds[0]
	}
	credits, err := s.creditsOf(ctx, r.key, h)
	if err != nil {
		return v1.Reservation{}, err
	}
	return r.reservation(h, credits), nil
}

func (s *Session) creditsOfGrants(ctx context.Context, key wallet.Key, numbers []int64) (map[int64]string, error) {
	credits := make(map[int64]string, len(numbers))
	if len(numbers) == 0 {
		return credits, nil
	}
	found, err := s.core.Store.Grants(ctx, store.GrantQuery{Wallet: key.ID(), Only: numbers, Limit: len(numbers)})
	for _, g := range found {
		credits[g.N] = g.Credit
	}
	return credits, err
}

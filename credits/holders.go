package credits

import (
	"context"

	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// CreditBalances reads the standing of every customer who was ever granted a credit, or used it,
// by customer id. Each is as it is now, time's doing included.
func (s *Session) CreditBalances(ctx context.Context, creditID string, q v1.CreditBalanceQuery) (v1.Page[v1.CustomerBalance], error) {
	page := v1.Page[v1.CustomerBalance]{Data: []v1.CustomerBalance{}}
	limit, err := pageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	def, err := s.credit(ctx, creditID)
	if err != nil {
		return page, err
	}
	query := store.HolderQuery{
		App: s.caller.App, Mode: s.caller.Mode, Credit: def.ID, Customer: q.CustomerID, Offset: max(q.Offset, 0), Limit: limit + 1,
	}
	if q.Cursor != "" {
		if query.After, err = fromCursor("h", q.Cursor); err != nil {
			return page, err
		}
	}
	holders, err := s.core.Store.Holders(ctx, query)
	if err != nil {
		return page, err
	}
	if len(holders) > limit {
		holders, page.HasMore = holders[:limit], true
		page.NextCursor = cursor("h", holders[limit-1].Customer)
	}
	for i := range holders {
		balance, err := s.holding(ctx, def.ID, &holders[i])
		if err != nil {
			return page, err
		}
		page.Data = append(page.Data, balance)
	}
	return page, nil
}

// holding reads one holder's standing in a credit.
func (s *Session) holding(ctx context.Context, credit string, h *store.Holder) (v1.CustomerBalance, error) {
	r, err := s.read(ctx, h.Customer)
	if err != nil {
		return v1.CustomerBalance{}, err
	}
	out := v1.CustomerBalance{CustomerID: h.Customer, CreatedAt: h.CreatedAt, LastEntryAt: h.LastAt}
	standing := r.State.Credits[credit]
	if standing == nil {
		standing = &wallet.CreditState{Credit: credit} // what was granted has yet to begin
	}
	out.Balance = r.view.balance(standing)
	for i := range r.Entries { // made by time alone
		if e := &r.Entries[i]; e.Credit == credit && e.Type != wallet.HoldPlaced && e.Type != wallet.HoldReleased {
			out.LastEntryAt = max(out.LastEntryAt, e.EffectiveAt)
		}
	}
	return out, nil
}

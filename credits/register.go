package credits

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// RegisterCustomer says that somebody has registered: they get the sign-up bonus of every credit that
// has one, once for ever, and what is told of them is kept. Whoever is known already keeps what is
// not told again.
func (s *Session) RegisterCustomer(ctx context.Context, r v1.RegisterCustomer, opts ...v1.Option) (v1.Registered, error) {
	told, err := json.Marshal(r)
	if err != nil {
		return v1.Registered{}, fault.New("credits.RegisterCustomer", fault.CodeInternalError, "the request cannot be remembered").Because(err)
	}
	customer := r.ID
	if customer == "" {
		customer = s.newCustomerID(v1.NewCall(opts).IdempotencyKey)
	}
	key, err := caller.Wallet(s.caller, customer)
	if err != nil {
		return v1.Registered{}, fault.As(err).In("id")
	}
	if err := checkNote("", r.Metadata); err != nil {
		return v1.Registered{}, err
	}
	if err := checkContact(&r.Name, &r.Email, &r.Phone); err != nil {
		return v1.Registered{}, err
	}
	res, err := s.core.Engine.Do(ctx, caller.Request(s.caller, opts, key, &wallet.Register{Told: string(told)}))
	if err != nil {
		return v1.Registered{}, err
	}
	var out v1.Registered
	if out.Customer, err = s.keepTold(ctx, key, &r, res.Replayed); err != nil {
		return v1.Registered{}, err
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Registered{}, err
	}
	v := newView(defs, key)
	for i := range res.Grants {
		out.SignupBonus = append(out.SignupBonus, v.grant(&res.Grants[i]))
	}
	return out, nil
}

// newCustomerID is an id of our own. Under an idempotency key it is always the same, so that asking
// again does not make a second customer.
func (s *Session) newCustomerID(idempotency string) string {
	if idempotency == "" {
		return id.New(id.PrefixCustomer)
	}
	sum := sha256.Sum256([]byte("customer\x00" + idempotency))
	return id.PrefixCustomer + "_" + strings.ToLower(codeEncoding.EncodeToString(sum[:16]))
}

// keepTold stores what is told of a customer. A registration that happened before does not undo what
// was changed since.
func (s *Session) keepTold(ctx context.Context, key wallet.Key, r *v1.RegisterCustomer, replayed bool) (v1.Customer, error) {
	found, err := s.core.Store.Customers(ctx, store.CustomerQuery{App: key.App, Mode: key.Mode, ID: key.Customer, Limit: 1})
	if err != nil {
		return v1.Customer{}, err
	}
	if len(found) == 0 {
		return s.SaveCustomer(ctx, key.Customer, v1.SaveCustomer{Name: r.Name, Email: r.Email, Phone: r.Phone, Metadata: r.Metadata})
	}
	known := &found[0]
	if replayed && known.Name+known.Email+known.Phone != "" {
		return customerOut(known), nil
	}
	change := v1.UpdateCustomer{Name: unlessEmpty(r.Name), Email: unlessEmpty(r.Email), Phone: unlessEmpty(r.Phone)}
	if len(r.Metadata) > 0 {
		change.Metadata = &r.Metadata
	}
	return s.UpdateCustomer(ctx, key.Customer, change)
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

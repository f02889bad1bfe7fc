package credits

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// claimTries bounds how often a claim is tried again when the store asks for it.
const claimTries = 8

// RedeemCode gives a customer what a code gives, as often as the code allows.
//
// The uses of a code are counted across wallets, so this is no single transaction: a use is claimed,
// then granted, then noted as granted. Whoever stops in between leaves a claim that nobody else can
// have; the customer's next try completes it, or FinishCodes.
func (s *Session) RedeemCode(ctx context.Context, r v1.RedeemCode, opts ...v1.Option) (v1.Redeemed, error) {
	const op = "credits.RedeemCode"
	key, err := caller.Wallet(s.caller, r.CustomerID)
	if err != nil {
		return v1.Redeemed{}, err
	}
	if r.Code = strings.TrimSpace(r.Code); r.Code == "" {
		return v1.Redeemed{}, fault.New(op, fault.CodeMissingField, "code is missing").In("code")
	}
	for try := 1; ; try++ {
		code, use, err := s.claim(ctx, key, r.Code, opts)
		if err == nil {
			return s.giveCode(ctx, code, use, opts)
		}
		if !errors.Is(err, store.ErrRetry) {
			return v1.Redeemed{}, err
		}
		if try == claimTries || ctx.Err() != nil {
			return v1.Redeemed{}, fault.New(op, fault.CodeStoreUnavailable, "the code could not be claimed: try again").Because(err)
		}
	}
}

// claim finds the use that is to be granted: the one of the idempotency key, one that the customer
// claimed before and did not get, or a new one.
func (s *Session) claim(ctx context.Context, key wallet.Key, text string, opts []v1.Option) (*catalog.Code, *store.CodeUse, error) {
	idempotency := v1.NewCall(opts).IdempotencyKey
	if code, use, err := s.claimUnder(ctx, key, text, idempotency); err != nil || use != nil {
		return code, use, err
	}
	if !catalog.ValidCode(text) {
		return nil, nil, errNoCode(text) // and so would anything with which the text would not be kept
	}
	found, err := s.core.Store.Codes(ctx, store.CodeQuery{App: key.App, Mode: key.Mode, Text: text, Limit: 1})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, errNoCode(text)
	}
	code := found[0].Code
	refusal, err := s.tryCode(ctx, key, code, opts)
	if fault.CodeOf(err) == fault.CodeIdempotencyKeyReused {
		use, again := s.granted(ctx, key, code, opts)
		if again != nil || use == nil {
			return nil, nil, cmp.Or(again, err)
		}
		return code, use, nil
	}
	if err != nil {
		return nil, nil, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := claim{key: key, idempotency: idempotency, actor: s.caller.Name(), now: now, refusal: refusal}
	err = s.core.Store.ClaimCode(ctx, store.CodeClaim{App: key.App, Code: code.ID, Mode: key.Mode, Customer: key.Customer}, c.decide)
	return code, c.use, err
}

// claimUnder finds what was claimed under an idempotency key.
func (s *Session) claimUnder(ctx context.Context, key wallet.Key, text, idempotency string) (*catalog.Code, *store.CodeUse, error) {
	if idempotency == "" || !catalog.ValidText(idempotency) {
		return nil, nil, nil
	}
	use, err := s.core.Store.CodeUseUnder(ctx, key, idempotency)
	if err != nil || use == nil {
		return nil, nil, err
	}
	code, err := s.core.codeOf(ctx, use)
	if err == nil && catalog.FoldCode(code.Text) != catalog.FoldCode(text) {
		err = fault.New("credits.RedeemCode", fault.CodeIdempotencyKeyReused, "this idempotency key was used before with another request: use a new key for a new request").In("Idempotency-Key")
	}
	return code, use, err
}

// codeOf is the code of a use, which is there as long as the use.
func (c *Core) codeOf(ctx context.Context, use *store.CodeUse) (*catalog.Code, error) {
	found, err := c.Store.Codes(ctx, store.CodeQuery{App: use.App, Mode: use.Mode, ID: use.Code, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New("credits.codeOf", fault.CodeInvariantViolated, "code %s of a use is not stored", use.Code)
	}
	return found[0].Code, nil
}

// tryCode asks whether what the code gives could be granted now. What speaks against a new use is
// the refusal: one that was claimed before is granted all the same. It comes before the claim,
// because a use that is claimed in vain would be lost to others.
func (s *Session) tryCode(ctx context.Context, key wallet.Key, code *catalog.Code, opts []v1.Option) (refusal, err error) {
	defs, err := s.core.Engine.Definitions(ctx, key.App)
	if err != nil {
		return nil, err
	}
	if refusal = code.Sold(defs); refusal != nil {
		return refusal, nil
	}
	req := caller.Request(s.caller, opts, key, redeeming(code, 0))
	req.Preview = true
	_, err = s.core.Engine.Do(ctx, req)
	switch fault.CodeOf(err) {
	case fault.CodeCreditArchived, fault.CodeTooManyGrants, fault.CodeTooManyScopes, fault.CodeAmountOutOfRange, fault.CodePackNotFound:
		return err, nil
	}
	return nil, err
}

// granted finds the use of the customer that was granted under the call's idempotency key, though
// maybe claimed under another; nil when the key was used for something else. Nothing is granted here:
// the wallet knows the key already.
func (s *Session) granted(ctx context.Context, key wallet.Key, code *catalog.Code, opts []v1.Option) (*store.CodeUse, error) {
	var uses []store.CodeUse
	err := s.core.Store.ClaimCode(ctx, store.CodeClaim{App: key.App, Code: code.ID, Mode: key.Mode, Customer: key.Customer},
		func(_ *store.FoundCode, own []store.CodeUse) (*store.CodeUse, error) {
			uses = own
			return nil, nil
		})
	for i := range uses {
		if _, err := s.core.Engine.Do(ctx, caller.Request(s.caller, opts, key, redeeming(code, uses[i].N))); err == nil {
			return &uses[i], nil
		}
	}
	return nil, err
}

// claim is one try to claim a use.
type claim struct {
	key         wallet.Key
	idempotency string
	actor       string
	now         clock.Instant
	refusal     error          // of a new use; nil: none
	use         *store.CodeUse // the one that is to be granted
}

// decide says which use the customer gets, under the lock of the code.
func (c *claim) decide(found *store.FoundCode, own []store.CodeUse) (*store.CodeUse, error) {
	c.use = nil
	for i := range own {
		if own[i].GrantedAt.IsZero() || c.idempotency != "" && own[i].Idempotency == c.idempotency {
			c.use = &own[i]
			return nil, nil
		}
	}
	switch {
	case int64(len(own)) >= found.MaxUsesPerCustomer:
		return nil, c.redeemedAlready(found, own)
	case found.Open(c.now) != nil:
		return nil, found.Open(c.now)
	case found.MaxUses > 0 && found.Uses >= found.MaxUses:
		return nil, fault.New("credits.RedeemCode", fault.CodeCodeUsedUp, "the code has been redeemed %d times, as often as it may be", found.Uses).In("code")
	case c.refusal != nil:
		return nil, c.refusal
	}
	n := found.Uses + 1
	c.use = &store.CodeUse{
		App: c.key.App, Code: found.ID, Mode: c.key.Mode, N: n, Customer: c.key.Customer, Idempotency: c.idempotency,
		Actor: c.actor, Left: found.Left(n), ClaimedAt: c.now,
	}
	return c.use, nil
}

// redeemedAlready names what the customer was granted.
func (c *claim) redeemedAlready(found *store.FoundCode, own []store.CodeUse) error {
	v := newView(nil, c.key)
	grants := []string{}
	for i := range own {
		for _, n := range own[i].Grants {
			grants = append(grants, v.grantID(n))
		}
	}
	return fault.New("credits.RedeemCode", fault.CodeCodeAlreadyRedeemed, "the customer has redeemed the code already").In("code").
		With("code_id", found.ID).With("grants", grants)
}

// redeeming is the command that grants a use of a code.
func redeeming(code *catalog.Code, use int64) *wallet.Redeem {
	return &wallet.Redeem{
		Code: code.ID, Text: code.Text, Use: use, Pack: code.Pack, Credit: code.Credit, Amount: code.Amount, Category: code.Category,
		Days: code.ExpiresAfterDays,
	}
}

// giveCode grants a use, once for ever however often it is called, and notes it.
func (s *Session) giveCode(ctx context.Context, code *catalog.Code, use *store.CodeUse, opts []v1.Option) (v1.Redeemed, error) {
	key := wallet.Key{App: use.App, Mode: use.Mode, Customer: use.Customer}
	res, err := s.core.Engine.Do(ctx, caller.Request(s.caller, opts, key, redeeming(code, use.N)))
	if err != nil {
		return v1.Redeemed{}, err
	}
	// Where this fails the customer has the credits all the same, and the claim stays theirs until the
	// next pass of FinishCodes notes it.
	_ = s.core.noteGranted(ctx, use, &res)
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Redeemed{}, err
	}
	v := newView(defs, key)
	out := v1.Redeemed{CodeID: code.ID, Grants: make([]v1.Grant, len(res.Grants))}
	for i := range res.Grants {
		out.Grants[i] = v.grant(&res.Grants[i])
	}
	if use.Left >= 0 {
		out.UsesLeft = &use.Left
	}
	return out, nil
}

func (c *Core) noteGranted(ctx context.Context, use *store.CodeUse, res *engine.Result) error {
	if !use.GrantedAt.IsZero() {
		return nil
	}
	noted := *use
	noted.GrantedAt, noted.Grants = max(res.At, 1), make([]int64, len(res.Grants))
	for i := range res.Grants {
		noted.Grants[i] = res.Grants[i].N
	}
	slices.Sort(noted.Grants)
	return c.Store.CodeGranted(ctx, &noted)
}

// finishPage bounds the claims that are read at one time.
const finishPage = 100

// FinishCodes grants what customers have claimed with codes and did not get, because a process
// stopped in between. It returns how many it granted, and the errors of those that it could not.
func (c *Core) FinishCodes(ctx context.Context) (int, error) {
	var failed []error
	done := 0
	var after store.CodeUsePosition
	for {
		uses, err := c.Store.ClaimedCodes(ctx, after, finishPage)
		if err != nil {
			return done, errors.Join(append(failed, err)...)
		}
		for i := range uses {
			after = uses[i].Position()
			if err := c.finish(ctx, &uses[i]); err != nil {
				failed = append(failed, err)
				continue
			}
			done++
		}
		if len(uses) < finishPage || ctx.Err() != nil {
			return done, errors.Join(failed...)
		}
	}
}

func (c *Core) finish(ctx context.Context, use *store.CodeUse) error {
	code, err := c.codeOf(ctx, use)
	if err != nil {
		return err
	}
	key := wallet.Key{App: use.App, Mode: use.Mode, Customer: use.Customer}
	res, err := c.Engine.Do(ctx, engine.Request{Wallet: key, Command: redeeming(code, use.N), Actor: use.Actor})
	if err != nil {
		return err
	}
	return c.noteGranted(ctx, use, &res)
}

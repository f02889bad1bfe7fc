package credits

import (
	"context"
	"slices"
	"time"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// charge reads a charge: amounts become units, names become ids.
func (s *Session) charge(ctx context.Context, r *v1.Charge) (wallet.Charge, wallet.Note, error) {
	const op = "credits.charge"
	c := wallet.Charge{Event: r.Event, Metadata: wallet.Metadata(r.Metadata), Shortfall: wallet.Shortfall(r.Shortfall)}
	note := wallet.Note{Reason: r.Reason}
	if err := checkNote(r.Reason, r.Metadata); err != nil {
		return c, note, err
	}
	if r.CreditID == "" && r.Event == "" {
		return c, note, fault.New(op, fault.CodeMissingField, "name a credit_id and an amount, or an event and a quantity").In("credit_id")
	}
	if r.CreditID != "" {
		def, err := s.credit(ctx, r.CreditID)
		if err != nil {
			return c, note, err
		}
		c.Credit = def.ID
		if r.Event == "" {
			if r.Quantity != "" {
				return c, note, fault.New(op, fault.CodeConflictingFields, "a credit_id goes with an amount, an event with a quantity").In("quantity")
			}
			c.Amount, err = units(r.Amount, def.Precision, "amount")
			return c, note, err
		}
	}
	if r.Amount != "" {
		return c, note, fault.New(op, fault.CodeConflictingFields, "an event goes with a quantity, a credit_id with an amount: not both event and amount").In("amount")
	}
	c.Quantity = wallet.MicrosPerUnit
	if r.Quantity == "" {
		return c, note, nil
	}
	n, err := r.Quantity.Units(wallet.QuantityDecimals)
	if err != nil {
		return c, note, fault.New(op, fault.CodeInvalidQuantity, "quantity must be a positive decimal of at most %d decimals", wallet.QuantityDecimals).In("quantity").Because(err)
	}
	c.Quantity = n
	return c, note, nil
}

// insufficient is the error of a charge that must not be an answer.
func insufficient(v view, c *wallet.Charge, a *wallet.Answer) error {
	const op = "credits.Deduct"
	code := fault.CodeInsufficientCredits
	if len(a.Reasons) > 0 && a.Reasons[len(a.Reasons)-1] == wallet.OverageLimitReached {
		code = fault.CodeOverageLimitReached
	}
	e := fault.New(op, code, "the charge needs %s, of which %s is there; nothing was taken",
		v.measure(c, a.Shortage.Required), v.measure(c, a.Shortage.Available))
	return e.With("required", v.measure(c, a.Shortage.Required)).
		With("available", v.measure(c, a.Shortage.Available)).
		With("reasons", reasonsOut(a.Reasons)).
		With("can_continue", a.CanContinue)
}

func reasonsOut(reasons []wallet.Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = string(r)
	}
	return out
}

// Deduct spends at once; insufficient_credits when it cannot.
func (s *Session) Deduct(ctx context.Context, r v1.DeductRequest, opts ...v1.Option) (v1.Deducted, error) {
	c, note, err := s.charge(ctx, &r.Charge)
	if err != nil {
		return v1.Deducted{}, err
	}
	res, err := s.do(ctx, r.CustomerID, &wallet.Deduct{Charge: c, Note: note}, opts)
	if err != nil {
		return v1.Deducted{}, err
	}
	return s.deducted(ctx, &c, res)
}

func (s *Session) deducted(ctx context.Context, c *wallet.Charge, res engine.Result) (v1.Deducted, error) {
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Deducted{}, err
	}
	v := newView(defs, res.Key)
	if !res.Allowed {
		return v1.Deducted{}, insufficient(v, c, &res.Answer)
	}
	out := v1.Deducted{
		Counters: wording.Counters(res.Counters), Taken: v.measure(c, res.Taken), Short: v.measure(c, res.Short),
	}
	if entries := v.entries(res.Entries); len(entries) > 0 {
		out.Entry = &entries[0]
		if len(entries) > 1 {
			out.Entries = entries
		}
	}
	if balances := v.balances(res.Standing); len(balances) > 0 {
		out.Balance = &balances[0]
		if len(balances) > 1 {
			out.Balances = balances
		}
	}
	return out, nil
}

// Adjust corrects a balance by hand.
func (s *Session) Adjust(ctx context.Context, r v1.AdjustRequest, opts ...v1.Option) (v1.Deducted, error) {
	if r.Reason == "" {
		return v1.Deducted{}, fault.New("credits.Adjust", fault.CodeMissingField, "reason is missing: the ledger keeps why a balance was corrected").In("reason")
	}
	if err := checkNote(r.Reason, r.Metadata); err != nil {
		return v1.Deducted{}, err
	}
	def, err := s.credit(ctx, r.CreditID)
	if err != nil {
		return v1.Deducted{}, err
	}
	delta, err := units(r.Amount, def.Precision, "amount")
	if err != nil {
		return v1.Deducted{}, err
	}
	note := wallet.Note{Reason: r.Reason, Metadata: wallet.Metadata(r.Metadata)}
	res, err := s.do(ctx, r.CustomerID, &wallet.Adjust{Credit: def.ID, Delta: delta, Note: note}, opts)
	if err != nil {
		return v1.Deducted{}, err
	}
	return s.deducted(ctx, &wallet.Charge{Credit: def.ID, Amount: max(delta, -delta)}, res)
}

// CanUse says what a charge would come to, and changes nothing.
func (s *Session) CanUse(ctx context.Context, r v1.CanUseRequest) (v1.Decision, error) {
	c, note, err := s.charge(ctx, &r.Charge)
	if err != nil {
		return v1.Decision{}, err
	}
	key, err := caller.Wallet(s.caller, r.CustomerID)
	if err != nil {
		return v1.Decision{}, err
	}
	req := caller.Request(s.caller, nil, key, &wallet.Deduct{Charge: c, Note: note})
	req.Preview = true
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Decision{}, err
	}
	return s.decision(ctx, &c, res)
}

// Reserve sets credits aside until they are committed, released, or the time is up.
func (s *Session) Reserve(ctx context.Context, r v1.ReserveRequest, opts ...v1.Option) (v1.Decision, error) {
	c, note, err := s.charge(ctx, &r.Charge)
	if err != nil {
		return v1.Decision{}, err
	}
	cmd := &wallet.Reserve{Charge: c, TTL: seconds(r.TTLSeconds), Note: note}
	res, err := s.do(ctx, r.CustomerID, cmd, opts)
	if err != nil {
		return v1.Decision{}, err
	}
	return s.decision(ctx, &c, res)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func (s *Session) decision(ctx context.Context, c *wallet.Charge, res engine.Result) (v1.Decision, error) {
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Decision{}, err
	}
	v := newView(defs, res.Key)
	out := v1.Decision{
		Allowed: res.Allowed, Matched: res.Matched, Reasons: reasonsOut(res.Reasons),
		Grants: v.drawn(res.Draw), Counters: wording.Counters(res.Counters),
	}
	if !res.Allowed {
		out.Required, out.Available = v.measure(c, res.Shortage.Required), v.measure(c, res.Shortage.Available)
		out.CanContinue = res.CanContinue
		return out, nil
	}
	out.Taken, out.Short = v.measure(c, res.Taken), v.measure(c, res.Short)
	if h := res.Hold; h != nil {
		out.ReservationID, out.ExpiresAt = id.Object(id.PrefixReservation, v.id, h.N), h.ExpiresAt
	}
	return out, nil
}

// inside reads the id of something in a wallet into the request for a command about it.
func (s *Session) inside(prefix, text, field string, code fault.Code, opts []v1.Option) (engine.Request, int64, error) {
	w, n, err := id.ParseObject(prefix, text)
	if err != nil {
		// What is not even an id of ours cannot exist.
		return engine.Request{}, 0, fault.New("credits.inside", code, "there is no such %s", field).In(field).Because(err)
	}
	return caller.Inside(s.caller, opts, w), n, nil
}

func (s *Session) onReservation(ctx context.Context, text string, opts []v1.Option, command func(n int64) (wallet.Command, error)) (v1.Reservation, error) {
	req, n, err := s.inside(id.PrefixReservation, text, "reservation_id", fault.CodeReservationNotFound, opts)
	if err != nil {
		return v1.Reservation{}, err
	}
	if req.Command, err = command(n); err != nil {
		return v1.Reservation{}, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Reservation{}, err
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Reservation{}, err
	}
	v := newView(defs, res.Key)
	if !res.Allowed {
		return v1.Reservation{}, insufficient(v, chargeOf(res), &res.Answer)
	}
	credits, err := s.creditsOf(ctx, res.Key, res.Hold)
	if err != nil {
		return v1.Reservation{}, err
	}
	out := v.reservation(res.Hold, credits)
	if res.Hold.Status == wallet.ReservationCommitted {
		out.Short = v.measure(&res.Hold.Charge, res.Short)
	}
	out.Entries, out.Balances = v.entries(res.Entries), v.balances(res.Standing)
	return out, nil
}

// chargeOf is the charge that a denied commit was about: its measure is the shortage's.
func chargeOf(res engine.Result) *wallet.Charge {
	if res.Shortage.Credit == "" {
		return &wallet.Charge{Event: "*"}
	}
	return &wallet.Charge{Credit: res.Shortage.Credit}
}

// creditsOf tells the credit of each grant that a hold is pinned to. Where the charge named
// its credit, they are all of it.
func (s *Session) creditsOf(ctx context.Context, key wallet.Key, h *wallet.Hold) (map[int64]string, error) {
	credits := make(map[int64]string, len(h.Slices))
	if h.Charge.Credit != "" {
		for _, part := range h.Slices {
			credits[part.Grant] = h.Charge.Credit
		}
		return credits, nil
	}
	numbers := make([]int64, len(h.Slices))
	for i, part := range h.Slices {
		numbers[i] = part.Grant
	}
	return s.creditsOfGrants(ctx, key, numbers)
}

// Commit takes a reservation, or part of it.
func (s *Session) Commit(ctx context.Context, r v1.CommitRequest, opts ...v1.Option) (v1.Reservation, error) {
	return s.onReservation(ctx, r.ReservationID, opts, func(n int64) (wallet.Command, error) {
		cmd := &wallet.Commit{Hold: n, AllowMore: r.AllowMore, ErrorCode: r.ErrorCode, Response: r.Response, Note: wallet.Note{Reason: r.Reason}}
		if r.Amount != nil {
			cmd.Amount = *r.Amount
		}
		return cmd, checkNote(r.Reason, nil)
	})
}

// Release gives a reservation back to the very grants it came from.
func (s *Session) Release(ctx context.Context, r v1.ReleaseRequest, opts ...v1.Option) (v1.Reservation, error) {
	return s.onReservation(ctx, r.ReservationID, opts, func(n int64) (wallet.Command, error) {
		note := wallet.Note{Reason: r.Reason}
		return &wallet.Release{Hold: n, ErrorCode: r.ErrorCode, Response: r.Response, Note: note}, checkNote(r.Reason, nil)
	})
}

// Extend moves a reservation's expiry.
func (s *Session) Extend(ctx context.Context, r v1.ExtendRequest, opts ...v1.Option) (v1.Reservation, error) {
	return s.onReservation(ctx, r.ReservationID, opts, func(n int64) (wallet.Command, error) {
		note := wallet.Note{Reason: r.Reason}
		return &wallet.Extend{Hold: n, TTL: seconds(r.TTLSeconds), ErrorCode: r.ErrorCode, Response: r.Response, Note: note}, checkNote(r.Reason, nil)
	})
}

// Track records a usage event and charges it; limit_reached when it cannot.
func (s *Session) Track(ctx context.Context, r v1.TrackRequest, opts ...v1.Option) (v1.Tracked, error) {
	const op = "credits.Track"
	if r.Event == "" {
		return v1.Tracked{}, fault.New(op, fault.CodeMissingField, "event is missing").In("event")
	}
	c, note, err := s.charge(ctx, &r.Charge)
	if err != nil {
		return v1.Tracked{}, err
	}
	res, err := s.do(ctx, r.CustomerID, &wallet.Track{Charge: c, Response: r.Response, Note: note}, opts)
	if err != nil {
		return v1.Tracked{}, err
	}
	if res.Usage == nil {
		return v1.Tracked{}, fault.New(op, fault.CodeLimitReached, "the customer has used up what they may use of %q", c.Event).
			With("reasons", reasonsOut(res.Reasons))
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Tracked{}, err
	}
	v := newView(defs, res.Key)
	return v1.Tracked{
		EventID: res.Usage.ID, MatchStatus: string(res.Usage.Match), Taken: quantity(res.Taken), Short: quantity(res.Short), Entries: v.entries(res.Entries),
		Balances: v.balances(res.Standing), Counters: wording.Counters(res.Counters),
	}, nil
}

// Reverse gives a deduction back to the very grants it came from.
func (s *Session) Reverse(ctx context.Context, entryID string, r v1.ReverseRequest, opts ...v1.Option) (v1.Entry, error) {
	req, seq, err := s.inside(id.PrefixEntry, entryID, "entry_id", fault.CodeEntryNotFound, opts)
	if err != nil {
		return v1.Entry{}, err
	}
	if err := checkNote(r.Reason, nil); err != nil {
		return v1.Entry{}, err
	}
	cmd := &wallet.Reverse{Entry: seq, Note: wallet.Note{Reason: r.Reason}}
	if r.Amount != nil {
		amount, err := s.entryUnits(ctx, req.ID, seq, *r.Amount)
		if err != nil {
			return v1.Entry{}, err
		}
		cmd.Amount = &amount
	}
	req.Command = cmd
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Entry{}, err
	}
	defs, err := s.after(ctx)
	if err != nil {
		return v1.Entry{}, err
	}
	i := slices.IndexFunc(res.Entries, func(e wallet.Entry) bool { return e.Type == wallet.Refund })
	return newView(defs, res.Key).entry(&res.Entries[i]), nil
}

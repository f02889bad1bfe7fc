package billing

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Subscribe gives a customer a plan, or changes what they have of one (wallet.Subscribe).
func (s *Session) Subscribe(ctx context.Context, r v1.Subscribe, opts ...v1.Option) (v1.Subscription, error) {
	req, err := s.subscribe(r, opts)
	if err != nil {
		return v1.Subscription{}, err
	}
	return s.change(ctx, req)
}

// PreviewSubscription is what Subscribe would come to, with what it would invoice; it changes
// nothing.
func (s *Session) PreviewSubscription(ctx context.Context, r v1.Subscribe) (v1.Subscription, error) {
	req, err := s.subscribe(r, nil)
	if err != nil {
		return v1.Subscription{}, err
	}
	req.Preview = true
	return s.change(ctx, req)
}

// subscribe is the request that both make of it.
func (s *Session) subscribe(r v1.Subscribe, opts []v1.Option) (engine.Request, error) {
	req, err := s.request(r.CustomerID, opts)
	if err != nil {
		return engine.Request{}, err
	}
	command, err := s.SubscribeCommand(r)
	req.Command = command
	return req, err
}

// SubscribeCommand is what a request asks of the wallet. Those who speak another vocabulary add
// what v1 does not say, and pass it to Begin or Change.
func (s *Session) SubscribeCommand(r v1.Subscribe) (*wallet.Subscribe, error) {
	const op = "billing.Subscribe"
	if r.PlanID == "" {
		return nil, fault.New(op, fault.CodeMissingField, "plan_id is missing").In("plan_id")
	}
	limits, err := readLimits(r.Limits)
	if err != nil {
		return nil, err
	}
	c := &wallet.Subscribe{
		Plan: r.PlanID, Quantity: r.Quantity, Limits: limits, OnChange: catalog.OnChange(r.OnChange), TrialDays: r.TrialDays,
		CycleStart: r.CycleStart, Zone: r.Zone, EndsAt: r.EndsAt, Retake: r.Retake,
		AtCycleEnd: r.When == "cycle_end", Charge: wallet.Charging(r.Charge),
		Note: wallet.Note{Reason: r.Reason, Metadata: wallet.Metadata(r.Metadata)},
	}
	if r.When != "" && r.When != "now" && r.When != "cycle_end" {
		return nil, fault.New(op, fault.CodeInvalidRequest, "when must be now or cycle_end").In("when")
	}
	return c, nil
}

// CancelSubscription ends a subscription, at once or later.
func (s *Session) CancelSubscription(ctx context.Context, r v1.CancelSubscription, opts ...v1.Option) (v1.Subscription, error) {
	const op = "billing.CancelSubscription"
	if r.AtCycleEnd && !r.EndsAt.IsZero() {
		return v1.Subscription{}, fault.New(op, fault.CodeConflictingFields, "the subscription ends at_cycle_end or at ends_at: name one").In("ends_at")
	}
	end := &wallet.EndSubscription{At: r.EndsAt, AtCycleEnd: r.AtCycleEnd, Note: wallet.Note{Reason: r.Reason}}
	if r.SubscriptionID != "" {
		return s.changeOf(ctx, r.SubscriptionID, opts, func(n int64) wallet.Command { end.N = n; return end })
	}
	if r.CustomerID == "" {
		return v1.Subscription{}, fault.New(op, fault.CodeMissingField, "name a customer_id or a subscription_id").In("customer_id")
	}
	req, err := s.request(r.CustomerID, opts)
	if err != nil {
		return v1.Subscription{}, err
	}
	req.Command = end
	return s.change(ctx, req)
}

// PauseSubscription lets a subscription's cycle stand still.
func (s *Session) PauseSubscription(ctx context.Context, subscriptionID string, r v1.PauseSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return s.changeOf(ctx, subscriptionID, opts, func(n int64) wallet.Command {
		return &wallet.PauseSubscription{N: n, Note: wallet.Note{Reason: r.Reason}}
	})
}

// ResumeSubscription lets a paused subscription go on where it was.
func (s *Session) ResumeSubscription(ctx context.Context, subscriptionID string, r v1.PauseSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return s.changeOf(ctx, subscriptionID, opts, func(n int64) wallet.Command {
		return &wallet.PauseSubscription{N: n, Resume: true, Note: wallet.Note{Reason: r.Reason}}
	})
}

// UpdateSubscription changes what was agreed with one customer.
func (s *Session) UpdateSubscription(ctx context.Context, subscriptionID string, r v1.UpdateSubscription, opts ...v1.Option) (v1.Subscription, error) {
	edit := &wallet.EditSubscription{
		NextCycle: r.NextCycleAt, KeepPlan: r.KeepPlan, KeepOn: r.KeepOn, Data: wallet.Metadata(r.Metadata), Note: wallet.Note{Reason: r.Reason},
	}
	defs, err := s.core.Engine.Known(ctx, s.caller.App)
	if err != nil {
		return v1.Subscription{}, err
	}
	for i := range r.Credits {
		c, err := readTerms(&r.Credits[i], defs)
		if err != nil {
			return v1.Subscription{}, err
		}
		edit.Credits = append(edit.Credits, c)
	}
	return s.changeOf(ctx, subscriptionID, opts, func(n int64) wallet.Command { edit.N = n; return edit })
}

// readTerms reads other terms of an included credit.
func readTerms(r *v1.CreditTerms, defs *catalog.Definitions) (catalog.ProductCredit, error) {
	def, ok := defs.Credit(r.CreditID)
	if !ok {
		return catalog.ProductCredit{}, fault.New("billing.readTerms", fault.CodeCreditNotFound, "there is no credit %q in this app", r.CreditID).In("credits.credit_id")
	}
	c := catalog.ProductCredit{Credit: def.ID, ExpiresAfterDays: r.ExpiresAfterDays, LowBalancePercent: r.LowBalancePercent}
	var err error
	if r.Amount != "" {
		if c.Amount, err = r.Amount.Units(def.Precision); err != nil {
			return c, fault.As(err).In("credits.amount")
		}
	}
	if o := r.Overage; o != nil {
		behavior := catalog.OverageBehavior(o.Behavior)
		c.OverageEnabled, c.OverageBehavior, c.PricePerUnit, c.Currency = &o.Enabled, &behavior, &o.PricePerUnit, &o.Currency
		if o.Limit != nil {
			units, err := o.Limit.Units(def.Precision)
			if err != nil {
				return c, fault.As(err).In("credits.overage.limit")
			}
			c.OverageLimit = &units
		}
	}
	if o := r.Rollover; o != nil {
		on := !o.Off
		validity := catalog.Interval{Count: o.ValidityCount, Unit: catalog.IntervalUnit(o.ValidityUnit)}
		c.RolloverEnabled, c.RolloverPercent, c.RolloverValidity, c.RolloverMaxCount = &on, &o.Percent, &validity, &o.MaxCount
	}
	return c, nil
}

// changeOf runs a command on the subscription of an id.
func (s *Session) changeOf(ctx context.Context, subscriptionID string, opts []v1.Option, command func(n int64) wallet.Command) (v1.Subscription, error) {
	found, err := s.Change(ctx, subscriptionID, command, opts...)
	return found.V1, err
}

// change runs a command about a subscription, and tells how that is then.
func (s *Session) change(ctx context.Context, req engine.Request) (v1.Subscription, error) {
	found, err := s.run(ctx, req)
	return found.V1, err
}

// Begin gives a customer a plan.
func (s *Session) Begin(ctx context.Context, customerID string, command *wallet.Subscribe, opts ...v1.Option) (Found, error) {
	req, err := s.request(customerID, opts)
	if err != nil {
		return Found{}, err
	}
	req.Command = command
	return s.run(ctx, req)
}

// Change runs a command on the subscription of an id.
func (s *Session) Change(ctx context.Context, subscriptionID string, command func(n int64) wallet.Command, opts ...v1.Option) (Found, error) {
	req, err := s.requestOn(subscriptionID, opts, command)
	if err != nil {
		return Found{}, err
	}
	return s.run(ctx, req)
}

// PreviewChange is what Change would come to; nothing is changed.
func (s *Session) PreviewChange(ctx context.Context, subscriptionID string, command func(n int64) wallet.Command, opts ...v1.Option) (Found, error) {
	req, err := s.requestOn(subscriptionID, opts, command)
	if err != nil {
		return Found{}, err
	}
	req.Preview = true
	return s.run(ctx, req)
}

// requestOn is a command on the subscription of an id.
func (s *Session) requestOn(subscriptionID string, opts []v1.Option, command func(n int64) wallet.Command) (engine.Request, error) {
	w, n, err := parse(id.PrefixSubscription, subscriptionID, "subscription_id", fault.CodeSubscriptionNotFound)
	if err != nil {
		return engine.Request{}, err
	}
	req := caller.Inside(s.caller, opts, w)
	req.Command = command(n)
	return req, nil
}

func (s *Session) run(ctx context.Context, req engine.Request) (Found, error) {
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return Found{}, err
	}
	defs, err := s.core.Engine.Known(ctx, s.caller.App)
	if err != nil {
		return Found{}, err
	}
	v := newView(defs, res.Key)
	out := Found{res.Key, res.Subscription, v.subscription(res.Subscription, res.At)}
	for i := range res.Invoices {
		out.V1.Invoices = append(out.V1.Invoices, v.invoice(&res.Invoices[i]))
	}
	return out, nil
}

// GetSubscription reads a subscription, as time has made it.
func (s *Session) GetSubscription(ctx context.Context, subscriptionID string) (v1.Subscription, error) {
	found, err := s.FindSubscription(ctx, subscriptionID)
	return found.V1, err
}

// FindSubscription reads a subscription with its terms, as time has made it.
func (s *Session) FindSubscription(ctx context.Context, subscriptionID string) (Found, error) {
	v, sub, _, err := s.find(ctx, subscriptionID)
	if err != nil {
		return Found{}, err
	}
	return Found{v.key, sub, v.subscription(sub, s.now(v.defs))}, nil
}

// find reads a subscription: the wallet's last as time has made it, an earlier one as it was
// written.
func (s *Session) find(ctx context.Context, subscriptionID string) (view, *wallet.Subscription, *engine.Reading, error) {
	w, n, err := parse(id.PrefixSubscription, subscriptionID, "subscription_id", fault.CodeSubscriptionNotFound)
	if err != nil {
		return view{}, nil, nil, err
	}
	r, defs, err := s.read(ctx, w)
	if err != nil {
		return view{}, nil, nil, err
	}
	if r != nil {
		v := newView(defs, r.State.Key)
		if sub := r.State.Subscription; sub != nil && sub.N == n {
			return v, sub, r, nil
		}
		found, err := s.core.Store.Subscriptions(ctx, store.SubscriptionQuery{Wallet: w, N: n, Limit: 1})
		if err != nil {
			return view{}, nil, nil, err
		}
		if len(found) == 1 {
			return v, found[0].Subscription, nil, nil
		}
	}
	return view{}, nil, nil, fault.New("billing.find", fault.CodeSubscriptionNotFound, "there is no such subscription").In("subscription_id")
}

// read reads a wallet that the caller may see; nil when there is none.
func (s *Session) read(ctx context.Context, w id.Wallet) (*engine.Reading, *catalog.Definitions, error) {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.core.Engine.Read(ctx, w)
	if err != nil || r == nil || r.State.Key.App != s.caller.App || r.State.Key.Mode != s.caller.Mode {
		return nil, defs, err
	}
	return r, defs, nil
}

// ListSubscriptions lists subscriptions, newest first.
func (s *Session) ListSubscriptions(ctx context.Context, q v1.SubscriptionQuery) (v1.Page[v1.Subscription], error) {
	none := v1.Page[v1.Subscription]{Data: []v1.Subscription{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return none, err
	}
	switch q.Status {
	case "", wording.Active, wording.Paused, wording.Ended:
	default:
		return none, fault.New("billing.ListSubscriptions", fault.CodeInvalidRequest, "status must be active, paused or ended").In("status")
	}
	now, err := s.core.Engine.Now(ctx, s.caller.App, s.caller.Mode)
	if err != nil {
		return none, err
	}
	query := store.SubscriptionQuery{App: s.caller.App, Mode: s.caller.Mode, Status: store.SubscriptionStatus(q.Status), At: now, Limit: limit + 1}
	if q.CustomerID != "" {
		key, err := caller.Wallet(s.caller, q.CustomerID)
		if err != nil {
			return none, err
		}
		query.Wallet = key.ID()
	}
	if q.PlanID != "" {
		p, err := s.plan(ctx, q.PlanID)
		if err != nil {
			return none, err
		}
		query.Plan = p.ID
	}
	if q.Cursor != "" {
		if query.After, err = caller.Position("sub", q.Cursor); err != nil {
			return none, err
		}
	}
	found, err := s.subscriptions(ctx, query)
	if err != nil {
		return none, err
	}
	return caller.Page(found, limit, func(f *Found) (v1.Subscription, string) {
		return f.V1, caller.Cursor("sub", f.Subscription.StartedAt, f.Key.ID(), f.Subscription.N)
	}), nil
}

// Found is a subscription with whose it is.
type Found struct {
	Key          wallet.Key
	Subscription *wallet.Subscription
	V1           v1.Subscription
}

// subscriptions lists what a query selects, each as time has made it.
func (s *Session) subscriptions(ctx context.Context, q store.SubscriptionQuery) ([]Found, error) {
	q.App, q.Mode = s.caller.App, s.caller.Mode
	rows, err := s.core.Store.Subscriptions(ctx, q)
	if err != nil {
		return nil, err
	}
	all := make([]Found, len(rows))
	for i := range rows {
		key := rows[i].Key
		sub := rows[i].Subscription
		r, defs, err := s.read(ctx, key.ID())
		if err != nil {
			return nil, err
		}
		if r != nil && r.State.Subscription != nil && r.State.Subscription.N == sub.N {
			sub = r.State.Subscription
		}
		all[i] = Found{key, sub, newView(defs, key).subscription(sub, s.now(defs))}
	}
	return all, nil
}

// Selection selects subscriptions of the caller's mode.
type Selection struct {
	CustomerID string        // empty: all
	PlanID     string        // empty: all
	Status     string        // wording.Active, Paused or Ended; empty: any
	At         clock.Instant // when the status is asked for
	From       clock.Instant // started at or after
	To         clock.Instant // started before; zero: no bound
	Skip       int
	Limit      int
	Keep       func(*Found) bool // nil: all of these
}

// Matching lists the subscriptions that a selection accepts, newest first.
func (s *Session) Matching(ctx context.Context, sel Selection) ([]Found, error) {
	q := store.SubscriptionQuery{
		Plan: sel.PlanID, Status: store.SubscriptionStatus(sel.Status), At: sel.At, From: sel.From, To: sel.To, Skip: sel.Skip, Limit: sel.Limit,
	}
	if sel.CustomerID != "" {
		q.Wallet = wallet.Key{App: s.caller.App, Mode: s.caller.Mode, Customer: sel.CustomerID}.ID()
	}
	if sel.Keep == nil {
		return s.subscriptions(ctx, q)
	}
	skip, limit := q.Skip, q.Limit
	var kept []Found
	q.Skip, q.Limit = 0, v1.MaxPage
	for {
		rows, err := s.subscriptions(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			f := &rows[i]
			if !sel.Keep(f) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if kept = append(kept, *f); len(kept) == limit {
				return kept, nil
			}
		}
		if len(rows) < q.Limit {
			return kept, nil
		}
		last := &rows[len(rows)-1]
		q.After = store.ListPosition{At: last.Subscription.StartedAt, Wallet: last.Key.ID(), N: last.Subscription.N}
	}
}

// SubscriptionHistory lists what happened to a subscription, newest first.
func (s *Session) SubscriptionHistory(ctx context.Context, subscriptionID string, q v1.PageQuery) (v1.Page[v1.SubscriptionEvent], error) {
	none := v1.Page[v1.SubscriptionEvent]{Data: []v1.SubscriptionEvent{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return none, err
	}
	before := int64(0)
	if q.Cursor != "" {
		at, err := caller.Position("she", q.Cursor)
		if err != nil {
			return none, err
		}
		before = at.N
	}
	_, sub, r, err := s.find(ctx, subscriptionID)
	if err != nil {
		return none, err
	}
	w, _, err := parse(id.PrefixSubscription, subscriptionID, "subscription_id", fault.CodeSubscriptionNotFound)
	if err != nil {
		return none, err
	}
	var lines []wallet.SubscriptionEvent
	if r != nil {
		for i := len(r.History) - 1; i >= 0; i-- {
			if e := r.History[i]; e.Subscription == sub.N && (before == 0 || e.N < before) {
				lines = append(lines, e)
			}
		}
	}
	if n := len(lines); n > 0 {
		before = lines[n-1].N // what time did is perhaps written down meanwhile: not twice
	}
	stored, err := s.core.Store.SubscriptionEvents(ctx, w, sub.N, before, limit+1)
	if err != nil {
		return none, err
	}
	return caller.Page(append(lines, stored...), limit, func(e *wallet.SubscriptionEvent) (v1.SubscriptionEvent, string) {
		return wording.SubscriptionEvent(e), caller.Cursor("she", e.At, w, e.N)
	}), nil
}

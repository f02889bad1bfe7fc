package wording

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Statuses of a subscription as readers see them.
const (
	Trialing = "trialing"
	Active   = "active"
	Paused   = "paused"
	Ended    = "ended"
)

// SubscriptionStatus is how a subscription stands at an instant.
func SubscriptionStatus(s *wallet.Subscription, at clock.Instant) string {
	switch {
	case !s.RunsAt(at):
		return Ended
	case !s.PausedAt.IsZero():
		return Paused
	case s.TrialAt(at):
		return Trialing
	}
	return Active
}

// Subscription is what a customer has of a plan, at an instant.
func Subscription(defs *catalog.Definitions, key wallet.Key, w id.Wallet, s *wallet.Subscription, at clock.Instant) v1.Subscription {
	out := v1.Subscription{
		ID: s.ID(w), CustomerID: key.Customer, PlanID: s.Plan, PlanName: s.Terms.Name, Status: SubscriptionStatus(s, at),
		Quantity: max(1, s.Quantity), Price: s.Terms.Minor, Currency: s.Terms.Currency, Interval: interval(s.Terms.Every),
		StartedAt: s.StartedAt, EndsAt: s.EndsAt, TrialEndsAt: s.TrialEnds, PausedAt: s.PausedAt, OnHoldAt: s.HeldAt, CycleAnchorAt: s.Anchor,
		Zone: s.Zone, Cycle: v1.Period{Start: s.CycleStart, End: s.CycleEnd}, BalanceMinor: s.Owed,
		Allowances: Counters(s.Counters(at, "")), Credits: make([]v1.IncludedCredit, len(s.Terms.Credits)),
		Reason: s.Reason, Metadata: v1.Metadata(s.Metadata),
	}
	if n := s.Next; n != nil {
		out.Next = &v1.NextPlan{PlanID: n.Plan, PlanName: n.Terms.Name, Quantity: n.Quantity, At: s.CycleEnd}
	}
	for i := range s.Terms.Credits {
		out.Credits[i] = included(defs, w, &s.Terms.Credits[i], &s.Included[i])
	}
	return out
}

func included(defs *catalog.Definitions, w id.Wallet, c *wallet.IncludedCredit, cycle *wallet.CreditCycle) v1.IncludedCredit {
	p := Precision(defs, c.Credit)
	out := v1.IncludedCredit{
		CreditID: c.Credit, Amount: Amount(c.Amount, p), Cycle: v1.Period{Start: cycle.Start, End: cycle.End},
		GrantID: GrantID(w, cycle.Grant), Expires: "never", ExpiresAfterDays: c.ExpiresAfterDays,
		Overage: Overage(c.Overage, p), Rollover: Rollover(c.Rollover),
	}
	switch {
	case c.AtCycleEnd:
		out.Expires = "cycle_end"
	case c.ExpiresAfterDays > 0:
		out.Expires = "after_days"
	}
	return out
}

func interval(i catalog.Interval) v1.Interval {
	return v1.Interval{Count: i.Count, Unit: string(i.Unit)}
}

// Invoice is what a subscription came to.
func Invoice(key wallet.Key, w id.Wallet, i *wallet.Invoice) v1.Invoice {
	out := v1.Invoice{
		CustomerID: key.Customer,
		Status:     string(i.Status), Currency: i.Currency, Total: i.Total, Lines: make([]v1.InvoiceLine, len(i.Lines)),
		IssuedAt: i.IssuedAt, ClosedAt: i.ClosedAt, Reference: i.Ref,
	}
	if i.Subscription > 0 {
		out.SubscriptionID, out.Period = id.Object(id.PrefixSubscription, w, i.Subscription), &v1.Period{Start: i.From, End: i.To}
	}
	if i.N > 0 {
		out.ID, out.Number = id.Object(id.PrefixInvoice, w, i.N), i.Number(w)
	}
	for k, l := range i.Lines {
		out.Lines[k] = v1.InvoiceLine{
			Kind: string(l.Kind), ItemID: l.What, Description: l.Text, Quantity: l.Quantity, UnitPrice: l.Price,
			Amount: l.Minor, From: l.From, To: l.To,
		}
	}
	return out
}

// SubscriptionEvent is one line of a subscription's history.
func SubscriptionEvent(e *wallet.SubscriptionEvent) v1.SubscriptionEvent {
	return v1.SubscriptionEvent{
		Type: string(e.Change), FromPlanID: e.From, ToPlanID: e.To, Reason: e.Reason, Actor: e.Actor, At: e.At,
	}
}

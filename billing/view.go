package billing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// view writes subscriptions and invoices in the vocabulary of v1.
type view struct {
	defs *catalog.Definitions
	key  wallet.Key
	id   id.Wallet
}

func newView(defs *catalog.Definitions, key wallet.Key) view {
	return view{defs: defs, key: key, id: key.ID()}
}

// Statuses of a subscription as readers see them.
const (
	Trialing = "trialing"
	Active   = "active"
	Paused   = "paused"
	Ended    = "ended"
)

// StatusOf is how a subscription stands at an instant.
func StatusOf(s *wallet.Subscription, at clock.Instant) string {
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

func (v view) subscription(s *wallet.Subscription, at clock.Instant) v1.Subscription {
	out := v1.Subscription{
		ID: s.ID(v.id), CustomerID: v.key.Customer, PlanID: s.Plan, PlanName: s.Terms.Name, Status: StatusOf(s, at),
		Quantity: max(1, s.Quantity), Price: s.Terms.Minor, Currency: s.Terms.Currency, Interval: interval(s.Terms.Every),
		StartedAt: s.StartedAt, EndsAt: s.EndsAt, TrialEndsAt: s.TrialEnds, PausedAt: s.PausedAt, CycleAnchorAt: s.Anchor,
		Zone: s.Zone, Cycle: v1.Period{Start: s.CycleStart, End: s.CycleEnd}, BalanceMinor: s.Owed,
		Allowances: wording.Counters(s.Counters(at, "")), Credits: make([]v1.IncludedCredit, len(s.Terms.Credits)),
		Reason: s.Reason, Metadata: v1.Metadata(s.Metadata),
	}
	if n := s.Next; n != nil {
		out.Next = &v1.NextPlan{PlanID: n.Plan, PlanName: n.Terms.Name, Quantity: n.Quantity, At: s.CycleEnd}
	}
	for i := range s.Terms.Credits {
		out.Credits[i] = v.included(&s.Terms.Credits[i], &s.Included[i])
	}
	return out
}

func (v view) included(c *wallet.IncludedCredit, cycle *wallet.CreditCycle) v1.IncludedCredit {
	p := wording.Precision(v.defs, c.Credit)
	out := v1.IncludedCredit{
		CreditID: c.Credit, Amount: wording.Amount(c.Amount, p), Cycle: v1.Period{Start: cycle.Start, End: cycle.End},
		GrantID: wording.GrantID(v.id, cycle.Grant), Expires: "never", ExpiresAfterDays: c.ExpiresAfterDays,
		Overage: wording.Overage(c.Overage, p), Rollover: wording.Rollover(c.Rollover),
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

func (v view) invoice(i *wallet.Invoice) v1.Invoice {
	out := v1.Invoice{
		CustomerID: v.key.Customer, SubscriptionID: id.Object(id.PrefixSubscription, v.id, i.Subscription),
		Status: string(i.Status), Currency: i.Currency, Total: i.Total, Lines: make([]v1.InvoiceLine, len(i.Lines)),
		Period: v1.Period{Start: i.From, End: i.To}, IssuedAt: i.IssuedAt, ClosedAt: i.ClosedAt, Reference: i.Ref,
	}
	if i.N > 0 {
		out.ID, out.Number = id.Object(id.PrefixInvoice, v.id, i.N), i.Number(v.id)
	}
	for k, l := range i.Lines {
		out.Lines[k] = v1.InvoiceLine{
			Kind: string(l.Kind), ItemID: l.What, Description: l.Text, Quantity: l.Quantity, UnitPrice: l.Price,
			Amount: l.Minor, From: l.From, To: l.To,
		}
	}
	return out
}

// page cuts what was found, one more than asked for when there is more.
func page[T, Out any](found []T, limit int, write func(*T) (Out, string)) v1.Page[Out] {
	out := v1.Page[Out]{Data: []Out{}}
	for i := range found {
		if i == limit {
			out.HasMore = true
			_, out.NextCursor = write(&found[i-1])
			break
		}
		one, _ := write(&found[i])
		out.Data = append(out.Data, one)
	}
	return out
}

// cursor and position write and read a place in a list over wallets.
func cursor(kind string, at clock.Instant, w id.Wallet, n int64) string {
	return v1.Cursor(kind, fmt.Sprintf("%d.%s.%d", int64(at), w, n))
}

func position(kind, text string) (store.ListPosition, error) {
	raw, err := v1.FromCursor(kind, text)
	if err != nil {
		return store.ListPosition{}, err
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return store.ListPosition{}, v1.ErrCursor()
	}
	at, err1 := strconv.ParseInt(parts[0], 10, 64)
	w, err2 := id.ParseWallet(parts[1])
	n, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return store.ListPosition{}, v1.ErrCursor()
	}
	return store.ListPosition{At: clock.Instant(at), Wallet: w, N: n}, nil
}

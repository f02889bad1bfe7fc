package metering

import (
	"context"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

func eventOut(u *store.CustomerUsage) v1.Event {
	out := v1.Event{
		EventID: u.ID, CustomerID: u.Customer, EventName: u.Event, Timestamp: u.At, RecordedAt: u.RecordedAt,
		Quantity: wording.Amount(u.Quantity, wallet.QuantityDecimals), Metadata: u.Metadata, MatchStatus: string(u.Match),
		Response: u.Response, VoidedAt: u.VoidedAt, Corrects: u.Corrects,
	}
	if u.Hold != 0 {
		out.ReservationID = id.Object(id.PrefixReservation, u.Wallet, u.Hold)
	}
	return out
}

// GetEvent reads a usage event. Where several customers have one of this id, the owner is
// needed to tell which.
func (s *Session) GetEvent(ctx context.Context, eventID string, owner v1.EventOwner) (v1.Event, error) {
	u, err := s.event(ctx, eventID, owner.CustomerID)
	if err != nil {
		return v1.Event{}, err
	}
	return eventOut(u), nil
}

// event finds a usage event; customer may be empty.
func (s *Session) event(ctx context.Context, eventID, customer string) (*store.CustomerUsage, error) {
	const op = "metering.event"
	found, err := s.core.Store.Usages(ctx, store.UsageQuery{App: s.caller.App, Mode: s.caller.Mode, Customer: customer, ID: eventID, Limit: 2})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fault.New(op, fault.CodeEventNotFound, "there is no event %q", caller.Clip(eventID)).In("event_id")
	case len(found) > 1:
		return nil, fault.New(op, fault.CodeMissingField, "several customers have an event %q: say whose is meant", caller.Clip(eventID)).In("customer_id")
	}
	return &found[0], nil
}

// ListEvents lists usage events by when they took place, newest first.
func (s *Session) ListEvents(ctx context.Context, q v1.EventQuery) (v1.Page[v1.Event], error) {
	page := v1.Page[v1.Event]{Data: []v1.Event{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	query, accepts, err := s.eventQuery(ctx, &q)
	if err != nil {
		return page, err
	}
	skip := max(q.Offset, 0)
	if q.MeterID == "" { // the store can leave out what nobody has to look at
		query.Skip, skip = skip, 0
	}
	err = s.eachEvent(ctx, query, func(u *store.CustomerUsage) bool {
		if !accepts(u) {
			return true
		}
		if skip > 0 {
			skip--
			return true
		}
		if len(page.Data) == limit {
			page.HasMore = true
			return false
		}
		page.Data = append(page.Data, eventOut(u))
		query.After = u.Position()
		return true
	})
	if page.HasMore {
		page.NextCursor = v1.Cursor("u", position(query.After))
	}
	return page, err
}

// eachEvent hands over the events of a query, until the function has enough.
func (s *Session) eachEvent(ctx context.Context, q store.UsageQuery, each func(*store.CustomerUsage) bool) error {
	q.Limit = store.MaxPage
	for {
		found, err := s.core.Store.Usages(ctx, q)
		if err != nil {
			return err
		}
		for i := range found {
			if !each(&found[i]) {
				return nil
			}
		}
		if len(found) < q.Limit {
			return nil
		}
		q.After, q.Skip = found[len(found)-1].Position(), 0
	}
}

func (s *Session) eventQuery(ctx context.Context, q *v1.EventQuery) (store.UsageQuery, func(*store.CustomerUsage) bool, error) {
	const op = "metering.eventQuery"
	out := store.UsageQuery{App: s.caller.App, Mode: s.caller.Mode, Customer: q.CustomerID, Event: q.EventName, From: q.From, To: q.To}
	accepts := func(*store.CustomerUsage) bool { return true }
	if !q.To.IsZero() && q.To < q.From {
		return out, nil, fault.New(op, fault.CodeInvalidTime, "to lies before from").In("to")
	}
	if q.MeterID != "" {
		m, err := s.meter(ctx, q.MeterID)
		if err != nil {
			return out, nil, err
		}
		if q.EventName != "" && q.EventName != m.Event {
			return out, nil, fault.New(op, fault.CodeConflictingFields, "the meter counts events named %q: leave event_name out", m.Event).In("event_name")
		}
		out.Event = m.Event
		accepts = func(u *store.CustomerUsage) bool { return counts(m, &u.Usage) }
	}
	if q.Cursor == "" {
		return out, accepts, nil
	}
	text, err := v1.FromCursor("u", q.Cursor)
	if err != nil {
		return out, nil, err
	}
	var ok bool
	if out.After, ok = fromPosition(text); !ok {
		return out, nil, v1.ErrCursor()
	}
	return out, accepts, nil
}

// counts reports whether a meter counts an event, archived or not.
func counts(m *catalog.Meter, u *wallet.Usage) bool {
	_, _, ok := m.Reads(u.Event, u.Metadata)
	return ok
}

// position writes a place in a list of events: the instant, the number, the wallet.
func position(p store.UsagePosition) string {
	return strconv.FormatInt(int64(p.At), 10) + "," + strconv.FormatInt(p.N, 10) + "," + string(p.Wallet[:])
}

func fromPosition(text string) (store.UsagePosition, bool) {
	var p store.UsagePosition
	parts := strings.SplitN(text, ",", 3)
	if len(parts) != 3 || len(parts[2]) != len(p.Wallet) {
		return p, false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return p, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	p.At, p.N = clock.Instant(at), n
	copy(p.Wallet[:], parts[2])
	return p, err == nil
}

// MeterUsages lists what meters have counted of a customer, newest period first.
func (s *Session) MeterUsages(ctx context.Context, customer string, q v1.MeterUsageQuery) (v1.Page[v1.MeterUsage], error) {
	page := v1.Page[v1.MeterUsage]{Data: []v1.MeterUsage{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	key, err := caller.Wallet(s.caller, customer)
	if err != nil {
		return page, err
	}
	query := store.TallyQuery{Wallet: key.ID(), From: q.From, To: q.To, Limit: limit + 1}
	if q.MeterID != "" {
		m, err := s.meter(ctx, q.MeterID)
		if err != nil {
			return page, err
		}
		query.Meter = m.ID
	}
	if query.After, err = tallyAfter(q.Cursor); err != nil {
		return page, err
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	tallies, err := s.core.Store.Tallies(ctx, query)
	if page.HasMore = len(tallies) > limit; page.HasMore {
		tallies = tallies[:limit]
		last := tallies[limit-1]
		page.NextCursor = v1.Cursor("m", strconv.FormatInt(int64(last.From), 10)+","+last.Meter+","+last.Credit)
	}
	for _, t := range tallies {
		page.Data = append(page.Data, usageOut(defs, t))
	}
	return page, err
}

// tallyAfter reads a cursor of MeterUsages; an empty one is before the first.
func tallyAfter(cursor string) (wallet.TallyKey, error) {
	if cursor == "" {
		return wallet.TallyKey{}, nil
	}
	text, err := v1.FromCursor("m", cursor)
	if err != nil {
		return wallet.TallyKey{}, err
	}
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return wallet.TallyKey{}, v1.ErrCursor()
	}
	from, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return wallet.TallyKey{}, v1.ErrCursor()
	}
	return wallet.TallyKey{From: clock.Instant(from), Meter: parts[1], Credit: parts[2]}, nil
}

func usageOut(defs *catalog.Definitions, t *wallet.Tally) v1.MeterUsage {
	micros := func(n int64) money.Decimal { return wording.Amount(n, wallet.QuantityDecimals) }
	out := v1.MeterUsage{
		MeterID: t.Meter, CreditID: t.Credit, PeriodStart: t.From, PeriodEnd: t.To, Events: t.Events,
		Aggregate: micros(t.Aggregate), FreeThreshold: micros(t.FreeThreshold), Chargeable: micros(max(0, t.Aggregate-t.FreeThreshold)),
		UnitsPerCredit: money.Decimal(t.UnitsPerCredit.String()), Credits: wording.Amount(t.Due, wording.Precision(defs, t.Credit)),
	}
	if t.To == wallet.Forever {
		out.PeriodEnd = 0
	}
	if m, ok := defs.Meters[t.Meter]; ok {
		out.MeterName = m.Name
	}
	return out
}

package credits

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// reading is a wallet as it is now, to be written in the vocabulary of v1.
type reading struct {
	view
	*engine.Reading // nil: the customer is unknown
}

func (s *Session) read(ctx context.Context, customer string) (*reading, error) {
	key, err := caller.Wallet(s.caller, customer)
	if err != nil {
		return nil, err
	}
	r, err := s.core.Engine.Read(ctx, key.ID())
	if err != nil {
		return nil, err
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return nil, err
	}
	return &reading{view: newView(defs, key), Reading: r}, nil
}

// readAt reads the wallet that an id points into, if the caller may see it.
func (s *Session) readAt(ctx context.Context, prefix, text, field string, code fault.Code) (*reading, int64, error) {
	req, n, err := s.inside(prefix, text, field, code, nil)
	if err != nil {
		return nil, 0, err
	}
	found, err := s.core.Engine.Read(ctx, req.ID)
	if err != nil {
		return nil, 0, err
	}
	if found == nil || found.State.Key.App != s.caller.App || found.State.Key.Mode != s.caller.Mode {
		return nil, 0, fault.New("credits.readAt", code, "there is no such %s", field).In(field)
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return nil, 0, err
	}
	return &reading{view: newView(defs, found.State.Key), Reading: found}, n, nil
}

// Balances reads a customer's standing, now or at any earlier instant; at is zero for now. A
// customer nobody has seen has no balances, which is not an error.
func (s *Session) Balances(ctx context.Context, customer, creditID string, at clock.Instant) (v1.Balances, error) {
	r, err := s.read(ctx, customer)
	if err != nil {
		return v1.Balances{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return v1.Balances{}, err
	}
	out := v1.Balances{CustomerID: customer, At: now, Data: []v1.Balance{}}
	only := ""
	if creditID != "" {
		def, err := s.credit(ctx, creditID)
		if err != nil {
			return v1.Balances{}, err
		}
		only = def.ID
	}
	if at > now {
		return v1.Balances{}, fault.New("credits.Balances", fault.CodeInvalidTime, "at lies in the future; a balance is known up to now").In("at")
	}
	standings := map[string]*wallet.CreditState{}
	if r.Reading != nil {
		standings = r.State.Credits
	}
	if !at.IsZero() && r.Reading != nil {
		out.At = at
		if standings, err = s.standingsAt(ctx, r, at); err != nil {
			return v1.Balances{}, err
		}
	}
	if only != "" && standings[only] == nil {
		standings = map[string]*wallet.CreditState{only: {Credit: only}}
	}
	for _, credit := range slices.Sorted(maps.Keys(standings)) {
		if only == "" || only == credit {
			out.Data = append(out.Data, r.view.balance(standings[credit]))
		}
	}
	return out, nil
}

// standingsAt goes back from now: it undoes every entry that took effect after the instant.
func (s *Session) standingsAt(ctx context.Context, r *reading, at clock.Instant) (map[string]*wallet.CreditState, error) {
	then := map[string]*wallet.CreditState{}
	for credit, c := range r.State.Credits {
		copied := *c
		copied.OverageHeld = 0
		then[credit] = &copied
	}
	later, err := s.entriesAfter(ctx, r, at)
	if err != nil {
		return nil, err
	}
	categories, err := s.categories(ctx, r, later)
	if err != nil {
		return nil, err
	}
	for i := range later {
		undo(then, &later[i], categories)
	}
	return then, nil
}

// entriesAfter lists what took effect after an instant, newest first.
func (s *Session) entriesAfter(ctx context.Context, r *reading, at clock.Instant) ([]wallet.Entry, error) {
	var later []wallet.Entry
	for i := len(r.Entries) - 1; i >= 0; i-- {
		if r.Entries[i].EffectiveAt > at {
			later = append(later, r.Entries[i])
		}
	}
	// What was written after the wallet was read must not be undone.
	q := store.EntryQuery{Wallet: r.State.ID, From: at + 1, Before: r.Stored() + 1, Limit: store.MaxPage}
	for {
		page, err := s.core.Store.Entries(ctx, q)
		if err != nil {
			return nil, err
		}
		later = append(later, page...)
		if len(page) < q.Limit {
			return later, nil
		}
		q.Before = page[len(page)-1].Seq
	}
}

// categories tells the category of every grant that entries touched.
func (s *Session) categories(ctx context.Context, r *reading, entries []wallet.Entry) (map[int64]catalog.Category, error) {
	known := map[int64]catalog.Category{}
	var ask []int64
	for i := range entries {
		for _, slice := range entries[i].Slices {
			if _, ok := known[slice.Grant]; ok {
				continue
			}
			known[slice.Grant] = ""
			if g, ok := r.Grant(slice.Grant); ok {
				known[slice.Grant] = g.Category
				continue
			}
			ask = append(ask, slice.Grant)
		}
	}
	for chunk := range slices.Chunk(ask, store.MaxPage) {
		found, err := s.core.Store.Grants(ctx, store.GrantQuery{Wallet: r.State.ID, Only: chunk, Limit: len(chunk)})
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			known[g.N] = g.Category
		}
	}
	return known, nil
}

func undo(then map[string]*wallet.CreditState, e *wallet.Entry, categories map[int64]catalog.Category) {
	c := then[e.Credit]
	for _, slice := range e.Slices {
		sums := &c.Paid
		if categories[slice.Grant] == catalog.Promotional {
			sums = &c.Promotional
		}
		sums.Available -= slice.Available
		sums.Frozen -= slice.Frozen
		sums.Held -= slice.Held
	}
	c.Overage = e.OverageBefore
	c.Used -= e.UsedChange()
}

// Ledger reads a customer's entries, newest first, time's doing included.
func (s *Session) Ledger(ctx context.Context, customer string, q v1.LedgerQuery) (v1.Page[v1.Entry], error) {
	none := v1.Page[v1.Entry]{Data: []v1.Entry{}}
	query, err := s.entryQuery(ctx, &q)
	if err != nil {
		return none, err
	}
	r, err := s.read(ctx, customer)
	if err != nil || r.Reading == nil {
		return none, err
	}
	query.Wallet = r.State.ID
	var entries []wallet.Entry
	for i := len(r.Entries) - 1; i >= 0; i-- {
		if e := &r.Entries[i]; query.Accepts(e) {
			entries = append(entries, *e)
		}
	}
	limit := query.Limit
	query.Limit = limit + 1
	made := len(entries) // by time alone
	entries = entries[min(made, query.Offset):]
	query.Offset = max(0, query.Offset-made)
	// Somebody may write down meanwhile what the reading has from time alone: not twice.
	if most := r.Stored() + 1; query.Before == 0 || query.Before > most {
		query.Before = most
	}
	stored, err := s.core.Store.Entries(ctx, query)
	if err != nil {
		return none, err
	}
	entries = append(entries, stored...)
	page := v1.Page[v1.Entry]{HasMore: len(entries) > limit}
	if page.HasMore {
		entries = entries[:limit]
		page.NextCursor = v1.Cursor("e", strconv.FormatInt(entries[limit-1].Seq, 10))
	}
	page.Data = r.view.entries(entries)
	return page, nil
}

func (s *Session) entryQuery(ctx context.Context, q *v1.LedgerQuery) (store.EntryQuery, error) {
	const op = "credits.Ledger"
	out := store.EntryQuery{From: q.From, To: q.To, Offset: max(q.Offset, 0)}
	var err error
	if out.Limit, err = v1.PageLimit(q.Limit); err != nil {
		return out, err
	}
	if q.CreditID != "" {
		def, err := s.credit(ctx, q.CreditID)
		if err != nil {
			return out, err
		}
		out.Credit = def.ID
	}
	if q.Type != "" {
		for _, t := range strings.Split(q.Type, ",") {
			if !slices.Contains(wallet.EntryTypes(), wallet.EntryType(t)) {
				return out, fault.New(op, fault.CodeInvalidRequest, "there is no entry type %q", caller.Clip(t)).In("type")
			}
			out.Types = append(out.Types, wallet.EntryType(t))
		}
	}
	if !q.To.IsZero() && q.To < q.From {
		return out, fault.New(op, fault.CodeInvalidTime, "to lies before from").In("to")
	}
	if q.Cursor != "" {
		text, err := v1.FromCursor("e", q.Cursor)
		if err != nil {
			return out, err
		}
		if out.Before, err = strconv.ParseInt(text, 10, 64); err != nil || out.Before < 1 {
			return out, v1.ErrCursor()
		}
	}
	return out, nil
}

// GetEntry reads one entry.
func (s *Session) GetEntry(ctx context.Context, entryID string) (v1.Entry, error) {
	e, r, err := s.entry(ctx, entryID)
	if err != nil {
		return v1.Entry{}, err
	}
	return r.view.entry(e), nil
}

func (s *Session) entry(ctx context.Context, entryID string) (*wallet.Entry, *reading, error) {
	notFound := fault.New("credits.entry", fault.CodeEntryNotFound, "there is no such entry").In("entry_id")
	r, seq, err := s.readAt(ctx, id.PrefixEntry, entryID, "entry_id", fault.CodeEntryNotFound)
	if err != nil {
		return nil, nil, err
	}
	for i := range r.Entries {
		if r.Entries[i].Seq == seq {
			return &r.Entries[i], r, nil
		}
	}
	found, err := s.core.Store.Entries(ctx, store.EntryQuery{Wallet: r.State.ID, Seq: seq, Limit: 1})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, notFound
	}
	return &found[0], r, nil
}

func (s *Session) entryUnits(ctx context.Context, w id.Wallet, seq int64, amount money.Decimal) (int64, error) {
	e, _, err := s.entry(ctx, id.Object(id.PrefixEntry, w, seq))
	if err != nil {
		return 0, err
	}
	return s.unitsOf(ctx, e.Credit, amount)
}

// CustomerGrants reads a customer's grants in the order in which they are drawn: what is open
// first, then the rest, newest first.
func (s *Session) CustomerGrants(ctx context.Context, customer string, q v1.GrantQuery) (v1.Page[v1.Grant], error) {
	page := v1.Page[v1.Grant]{Data: []v1.Grant{}}
	only := ""
	if q.CreditID != "" {
		def, err := s.credit(ctx, q.CreditID)
		if err != nil {
			return page, err
		}
		only = def.ID
	}
	statuses, err := statusesIn(q.Status)
	if err != nil {
		return page, err
	}
	r, err := s.read(ctx, customer)
	if err != nil || r.Reading == nil {
		return page, err
	}
	all, err := s.grantsOf(ctx, r, store.GrantQuery{Credit: only, Ref: q.ExternalRef})
	if err != nil {
		return page, err
	}
	wallet.SortForReading(all, r.defs)
	for _, g := range all {
		if slices.Contains(statuses, g.ReadStatus()) {
			page.Data = append(page.Data, r.grant(g))
		}
	}
	return cutPage(page, q)
}

// statusesIn reads a list of statuses; none is all of them.
func statusesIn(list string) ([]wallet.GrantStatus, error) {
	if list == "" {
		return grantStatuses, nil
	}
	var statuses []wallet.GrantStatus
	for s := range strings.SplitSeq(list, ",") {
		if !slices.Contains(grantStatuses, wallet.GrantStatus(s)) {
			return nil, fault.New("credits.CustomerGrants", fault.CodeInvalidRequest, "status must be pending, active, depleted, expired, revoked or rolled_over, or several of them with commas between").In("status")
		}
		statuses = append(statuses, wallet.GrantStatus(s))
	}
	return statuses, nil
}

// cutPage takes one page out of a list that was made whole, because its order is not that of
// any index. The cursor is the id that the last page ended with.
func cutPage(all v1.Page[v1.Grant], q v1.GrantQuery) (v1.Page[v1.Grant], error) {
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return v1.Page[v1.Grant]{}, err
	}
	if q.Cursor != "" {
		last, err := v1.FromCursor("g", q.Cursor)
		if err != nil {
			return v1.Page[v1.Grant]{}, err
		}
		i := slices.IndexFunc(all.Data, func(g v1.Grant) bool { return g.ID == last })
		all.Data = all.Data[i+1:]
	}
	all.Data = all.Data[min(len(all.Data), max(q.Offset, 0)):]
	if len(all.Data) > limit {
		all.Data, all.HasMore = all.Data[:limit], true
		all.NextCursor = v1.Cursor("g", all.Data[limit-1].ID)
	}
	return all, nil
}

var grantStatuses = []wallet.GrantStatus{
	wallet.GrantPending, wallet.GrantActive, wallet.GrantDepleted, wallet.GrantExpired, wallet.GrantRevoked, wallet.GrantRolledOver,
}

// allGrants reads every grant of a wallet; where time has moved one, or just made it, the
// reading knows better than the rows.
func (s *Session) allGrants(ctx context.Context, r *reading, credit string) ([]*wallet.Grant, error) {
	return s.grantsOf(ctx, r, store.GrantQuery{Credit: credit})
}

// grantsOf is allGrants of a credit, or under a reference.
func (s *Session) grantsOf(ctx context.Context, r *reading, q store.GrantQuery) ([]*wallet.Grant, error) {
	var all []*wallet.Grant
	q.Wallet, q.Limit = r.State.ID, store.MaxPage
	last := int64(0)
	for {
		page, err := s.core.Store.Grants(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, g := range page {
			last = g.N
			if moved, ok := r.Grants[g.N]; ok {
				g = moved
			}
			all = append(all, g)
		}
		if len(page) < q.Limit {
			break
		}
		q.After = last
	}
	for n, g := range r.Grants {
		if n > last && (q.Credit == "" || g.Credit == q.Credit) && (q.Ref == "" || g.ExternalRef == q.Ref) {
			all = append(all, g)
		}
	}
	return all, nil
}

package sqlite

import (
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

func (r row) instant(i int) clock.Instant { return clock.Instant(r.int(i)) }

func (r row) bool(i int) bool { return r.int(i) != 0 }

// json reads what jsonOf wrote; empty text leaves the value as it is.
func (r row) json(i int, into any) error {
	s := r.text(i)
	if s == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(s), into); err != nil {
		return fault.New("sqlite.json", fault.CodeInternalError, "a stored value is damaged").Because(err)
	}
	return nil
}

// jsonOf is a value's column: JSON, and empty for an empty list or map.
func jsonOf(v any, length int) string {
	if length == 0 {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		// Only our own types of text and integers come here, and those always marshal.
		panic(err)
	}
	return string(b)
}

func (r row) header() wallet.Header {
	return wallet.Header{
		ID:      id.Wallet(r.blob(0)),
		Key:     wallet.Key{App: r.text(1), Mode: catalog.Mode(r.text(2)), Customer: r.text(3)},
		Version: r.int(4), Seq: r.int(5), GrantSeq: r.int(6), HoldSeq: r.int(7), UsageSeq: r.int(8), InvoiceSeq: r.int(9),
		OrderSeq: r.int(10), TellSeq: r.int(11), Head: wallet.Hash(r.blob(12)), LastAt: r.instant(13), NextDue: r.instant(14), CreatedAt: r.instant(15),
	}
}

func (r row) grant() (*wallet.Grant, error) {
	g := &wallet.Grant{
		N: r.int(0), Lane: int(r.int(1)), Credit: r.text(2), Amount: r.int(3),
		Available: r.int(4), Frozen: r.int(5), Held: r.int(6), Spent: r.int(7), Metered: r.int(8),
		Expired: r.int(9), Revoked: r.int(10), RolledOver: r.int(11),
		Status: wallet.GrantStatus(r.text(12)), Disputed: r.bool(13),
		Category: catalog.Category(r.text(14)), Priority: int(r.int(15)),
		EffectiveAt: r.instant(16), ExpiresAt: r.instant(17), EndedAt: r.instant(18), CreatedAt: r.instant(19),
		Source: wallet.Source(r.text(20)), SourceID: r.text(21), Pack: r.text(22), PackItem: r.text(23), ExternalRef: r.text(24),
		CostBasis: money.Decimal(r.text(25)), CostCurr: r.text(26), RolloverCount: int(r.int(28)),
		Parent: r.int(29), RolledInto: r.int(30), Reason: r.text(31), Actor: r.text(32),
	}
	if err := r.json(27, &g.Rollover); err != nil {
		return nil, err
	}
	return g, r.json(33, &g.Metadata)
}

func (r row) hold() (*wallet.Hold, error) {
	h := &wallet.Hold{
		N: r.int(0), Status: wallet.HoldStatus(r.text(1)),
		Charge: wallet.Charge{
			Credit: r.text(2), Amount: r.int(3), Event: r.text(4), Quantity: r.int(5), Shortfall: wallet.Shortfall(r.text(6)),
		},
		Committed: r.int(12), CreatedAt: r.instant(13), ExpiresAt: r.instant(14), ClosedAt: r.instant(15),
		Reason: r.text(16), ErrorCode: r.text(17), Response: r.text(18), Actor: r.text(19),
	}
	for i, into := range map[int]any{7: &h.Charge.Metadata, 8: &h.Plan, 9: &h.Slices, 10: &h.Overage, 11: &h.Metered} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (r row) entry() (wallet.Entry, error) {
	e := wallet.Entry{
		Seq: r.int(0), Type: wallet.EntryType(r.text(1)), Credit: r.text(2), Amount: r.int(3),
		BalanceBefore: r.int(4), BalanceAfter: r.int(5), OverageBefore: r.int(6), OverageAfter: r.int(7),
		Op: r.int(9), RefType: r.text(10), RefID: r.text(11), Reason: r.text(12), Idempotency: r.text(14), Actor: r.text(15),
		EffectiveAt: r.instant(16), RecordedAt: r.instant(17), Prev: wallet.Hash(r.blob(18)), Hash: wallet.Hash(r.blob(19)),
	}
	var err error
	if e.Slices, err = store.DecodeSlices(r.blob(8)); err != nil {
		return e, err
	}
	return e, r.json(13, &e.Metadata)
}

func (r row) subscription() (*wallet.Subscription, error) {
	s := &wallet.Subscription{
		N: r.int(0), Plan: r.text(1), Quantity: r.int(2), StartedAt: r.instant(3), EndsAt: r.instant(4), TrialEnds: r.instant(5),
		PausedAt: r.instant(6), Ended: r.bool(7), Anchor: r.instant(8), Zone: r.text(9), CycleStart: r.instant(10), CycleEnd: r.instant(11),
		Owed: r.int(12), Reason: r.text(13), Events: r.int(14), Collect: r.bool(20), Unpaid: r.int(21),
		Outside: r.text(22), PaidTo: r.instant(23), HeldAt: r.instant(24),
	}
	for i, into := range map[int]any{15: &s.Terms, 16: &s.Included, 17: &s.Next, 18: (*store.Instants)(&s.Cycles), 19: &s.Metadata} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (r row) invoice() (*wallet.Invoice, error) {
	v := &wallet.Invoice{
		N: r.int(0), Subscription: r.int(1), Status: wallet.InvoiceStatus(r.text(2)), Currency: r.text(3), Total: r.int(4),
		From: r.instant(5), To: r.instant(6), IssuedAt: r.instant(7), ClosedAt: r.instant(8), Ref: r.text(9),
	}
	return v, r.json(10, &v.Lines)
}

func (r row) allowance() (wallet.Allowance, error) {
	a := wallet.Allowance{
		ID: r.text(0), Label: r.text(1), Unit: r.text(2), Quota: r.int(3),
		WindowStart: r.instant(6), WindowEnd: r.instant(7), Used: r.int(8),
	}
	if err := r.json(4, &a.Rules); err != nil {
		return a, err
	}
	return a, r.json(5, &a.Period)
}

func (r row) usage() (*wallet.Usage, error) {
	u := &wallet.Usage{
		N: r.int(0), ID: r.text(1), Event: r.text(2), Quantity: r.int(3), Match: wallet.MatchStatus(r.text(5)),
		Metered: r.bool(6), Hold: r.int(7), Response: r.text(8), At: r.instant(9), RecordedAt: r.instant(10),
		VoidedAt: r.instant(11), Corrects: r.text(12),
	}
	var err error
	if u.Counted, err = store.DecodeTallyKeys(r.blob(13)); err != nil {
		return u, err
	}
	return u, r.json(4, &u.Metadata)
}

func (r row) tally() *wallet.Tally {
	return &wallet.Tally{
		TallyKey: wallet.TallyKey{Meter: r.text(0), Credit: r.text(1), From: r.instant(2)}, To: r.instant(3),
		UnitsPerCredit: money.Ratio{Num: r.int(4), Den: r.int(5)}, FreeThreshold: r.int(6),
		Events: r.int(7), Aggregate: r.int(8), Held: r.int(9), LastAt: r.instant(10), LastID: r.text(11), Due: r.int(12),
	}
}

func (r row) meter() (*catalog.Meter, error) {
	m := &catalog.Meter{
		ID: r.text(0), App: r.text(1), Name: r.text(2), Description: r.text(3), Event: r.text(4), Unit: r.text(7),
		CreatedAt: r.instant(9), UpdatedAt: r.instant(10), ArchivedAt: r.instant(11),
	}
	for i, into := range map[int]any{5: &m.Filter, 6: &m.Aggregation, 8: &m.Links} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (r row) credit() (*catalog.Credit, error) {
	c := &catalog.Credit{
		ID: r.text(0), App: r.text(1), Name: r.text(2), Unit: r.text(3), Description: r.text(4), Precision: int(r.int(5)),
		ExpiresAfterDays: int(r.int(8)), CreatedAt: r.instant(11), UpdatedAt: r.instant(12), ArchivedAt: r.instant(13),
		LowBalance: r.int(14),
	}
	for i, into := range map[int]any{6: &c.DrawOrder, 7: &c.Scope, 9: &c.Overage, 10: &c.Rollover, 15: &c.Sales} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (r row) pack() (*catalog.Pack, error) {
	p := &catalog.Pack{
		ID: r.text(0), App: r.text(1), Name: r.text(2), Description: r.text(3), PriceMinor: r.int(4), Currency: r.text(5),
		ExpiresAfterDays: int(r.int(6)), CreatedAt: r.instant(8), UpdatedAt: r.instant(9), ArchivedAt: r.instant(10), PriceRef: r.text(11),
	}
	return p, r.json(7, &p.Items)
}

func (r row) product() (*catalog.Product, error) {
	p := &catalog.Product{
		App: r.text(0), ID: r.text(1), Name: r.text(2), Description: r.text(3), TaxCategory: r.text(4),
		CreatedAt: r.instant(8), UpdatedAt: r.instant(9), ArchivedAt: r.instant(10), OnChange: catalog.OnChange(r.text(12)),
	}
	for i, into := range map[int]any{5: &p.Price, 6: &p.Credits, 7: &p.Metadata, 11: &p.Allowances} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (r row) endpoint() (*catalog.Endpoint, error) {
	e := &catalog.Endpoint{
		ID: r.text(0), App: r.text(1), Mode: catalog.Mode(r.text(2)), URL: r.text(3), Description: r.text(4), Format: r.text(5),
		Secret: r.text(8), PreviousSecret: r.text(9), PreviousUntil: r.instant(10), Disabled: r.bool(11), Ordered: r.bool(12),
		RateLimit: int(r.int(13)), CreatedAt: r.instant(15), UpdatedAt: r.instant(16), ArchivedAt: r.instant(17),
	}
	for i, into := range map[int]any{6: &e.Events, 7: &e.Headers, 14: &e.Metadata} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (r row) delivery() (store.Delivery, error) {
	d := store.Delivery{
		Wallet: id.Wallet(r.blob(0)), N: r.int(1), Seq: r.int(2), Endpoint: r.text(3), Type: catalog.EventType(r.text(4)),
		Status: store.DeliveryStatus(r.text(6)), Tries: int(r.int(7)), CreatedAt: r.instant(8), NextAt: r.instant(9), FinishedAt: r.instant(10),
		Event: r.int(12),
	}
	if err := r.json(5, &d.About); err != nil {
		return d, err
	}
	d.Complete()
	return d, r.json(11, &d.Log)
}

// leased reads a delivery with its wallet's key, and its entry where it tells of one.
func (r row) leased() (store.Leased, error) {
	const key, entry = 13, 16 // where their columns begin
	d, err := r.delivery()
	if err != nil {
		return store.Leased{}, err
	}
	l := store.Leased{Delivery: d, Key: r.keyAt(key)}
	if d.Seq > 0 {
		e, err := r[entry:].entry()
		l.Entry = &e
		return l, err
	}
	return l, nil
}

// keyAt reads whose a row is.
func (r row) keyAt(i int) wallet.Key {
	return wallet.Key{App: r.text(i), Mode: catalog.Mode(r.text(i + 1)), Customer: r.text(i + 2)}
}

func (r row) key() store.Key {
	return store.Key{
		ID: r.text(0), App: r.text(1), Mode: catalog.Mode(r.text(2)), Kind: store.KeyKind(r.text(3)), Label: r.text(4),
		Prefix: r.text(5), Hash: [32]byte(r.blob(6)), CreatedAt: r.instant(7), RevokedAt: r.instant(8),
	}
}

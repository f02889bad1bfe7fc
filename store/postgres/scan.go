package postgres

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// fixed receives a bytea of 32 bytes; the tables' CHECKs keep it to that.
type fixed [32]byte

// ScanBytes takes the value that the driver read.
func (f *fixed) ScanBytes(v []byte) error {
	if len(v) != len(f) {
		return fault.New("postgres.scan", fault.CodeInternalError, "a hash of %d bytes", len(v))
	}
	copy(f[:], v)
	return nil
}

// packed receives the varints of an entry's slices.
type packed []wallet.Slice

// ScanBytes takes the value that the driver read.
func (p *packed) ScanBytes(v []byte) (err error) {
	*p, err = store.DecodeSlices(v)
	return err
}

// tallyKeys receives what counted a usage event.
type tallyKeys []wallet.TallyKey

// ScanBytes takes the value that the driver read.
func (k *tallyKeys) ScanBytes(v []byte) (err error) {
	*k, err = store.DecodeTallyKeys(v)
	return err
}

// document receives jsonb into a value of Go. An empty one leaves the value as it is.
type document[T any] struct{ to *T }

func doc[T any](to *T) document[T] { return document[T]{to} }

// ScanBytes takes the value that the driver read.
func (d document[T]) ScanBytes(v []byte) error {
	if bytes.Equal(v, []byte("{}")) || bytes.Equal(v, []byte("[]")) {
		return nil
	}
	return json.Unmarshal(v, d.to)
}

// planParts receives what a hold's allowances carry.
type planParts []wallet.PlanPart

// planPart is one of them as it is stored: instants as numbers, like everywhere in the tables.
type planPart struct {
	Allowance   string `json:"allowance"`
	WindowStart int64  `json:"window_start"`
	Micros      int64  `json:"micros"`
}

// ScanBytes takes the value that the driver read.
func (p *planParts) ScanBytes(v []byte) error {
	var parts []planPart
	if err := json.Unmarshal(v, &parts); err != nil {
		return err
	}
	*p = nil
	for _, part := range parts {
		*p = append(*p, wallet.PlanPart{
			Allowance: part.Allowance, WindowStart: clock.Instant(part.WindowStart), Micros: part.Micros,
		})
	}
	return nil
}

// holdSlices receives what a hold's grants carry.
type holdSlices []wallet.HoldSlice

// ScanBytes takes the value that the driver read.
func (s *holdSlices) ScanBytes(v []byte) error {
	var parts []holdSlice
	if err := json.Unmarshal(v, &parts); err != nil {
		return err
	}
	*s = nil
	for _, part := range parts {
		*s = append(*s, wallet.HoldSlice(part))
	}
	return nil
}

// overageParts receives what a hold carries beyond zero.
type overageParts []wallet.OveragePart

// ScanBytes takes the value that the driver read.
func (o *overageParts) ScanBytes(v []byte) error {
	var parts []overagePart
	if err := json.Unmarshal(v, &parts); err != nil {
		return err
	}
	*o = nil
	for _, part := range parts {
		*o = append(*o, wallet.OveragePart(part))
	}
	return nil
}

// meteredParts receives what meters will count of a hold.
type meteredParts []wallet.MeteredPart

// meteredPart is one of them as it is stored.
type meteredPart struct {
	Meter  string `json:"meter"`
	Credit string `json:"credit"`
	From   int64  `json:"period_start"`
	Micros int64  `json:"micros"`
}

// ScanBytes takes the value that the driver read.
func (m *meteredParts) ScanBytes(v []byte) error {
	var parts []meteredPart
	if err := json.Unmarshal(v, &parts); err != nil {
		return err
	}
	*m = nil
	for _, p := range parts {
		key := wallet.TallyKey{Meter: p.Meter, Credit: p.Credit, From: clock.Instant(p.From)}
		*m = append(*m, wallet.MeteredPart{TallyKey: key, Micros: p.Micros})
	}
	return nil
}

func instant(i *clock.Instant) *int64 { return (*int64)(i) }

func key(w *id.Wallet) *[16]byte { return (*[16]byte)(w) }

// Columns, each list in the order in which its scan function takes them.
const (
	headerColumns = "w.wallet, w.app_id, w.mode, w.customer_id, w.version, w.seq, w.grant_seq, w.hold_seq, w.usage_seq, " +
		"w.invoice_seq, w.order_seq, w.tell_seq, w.head, w.last_at, w.next_due, w.created_at"

	grantColumns = "g.wallet, g.n, g.lane, g.credit_id, g.amount, g.available, g.frozen, g.held, g.spent, g.metered, g.expired, " +
		"g.revoked, g.rolled_over, g.status, g.disputed, g.category, g.priority, g.effective_at, g.expires_at, " +
		"g.ended_at, g.created_at, l.scope, l.inherited, g.source, g.source_id, g.pack_id, g.pack_item_id, " +
		"g.external_ref, g.cost_basis, g.cost_currency, g.rollover, g.rollover_count, g.parent, g.rolled_into, " +
		"g.reason, g.actor, g.metadata"

	holdColumns = "h.wallet, h.n, h.status, h.credit_id, h.amount, h.event, h.quantity, h.shortfall, h.metadata, " +
		"h.plan, h.slices, h.overage, h.metered, h.committed, h.created_at, h.expires_at, h.closed_at, h.reason, " +
		"h.error_code, h.response, h.actor"

	entryColumns = "e.wallet, e.seq, e.type, e.credit_id, e.amount, e.balance_before, e.balance_after, " +
		"e.overage_before, e.overage_after, e.slices, e.op, e.ref_type, e.ref_id, e.reason, e.metadata, " +
		"e.idempotency_key, e.actor, e.effective_at, e.recorded_at, e.prev_hash, e.hash"

	usageColumns = "u.wallet, u.n, u.id, u.event, u.quantity, u.metadata, u.match, u.metered, u.hold, u.response, u.at, " +
		"u.recorded_at, u.voided_at, u.corrects, u.counted"

	// Of a subscription that is not its wallet's last the allowances are gone: those stored are of
	// the last.
	subscriptionColumns = "s.wallet, s.n, s.plan_id, s.quantity, s.started_at, s.ends_at, s.trial_ends_at, s.paused_at, s.ended, " +
		"s.anchor, s.zone, s.cycle_start, s.cycle_end, s.owed, s.reason, s.events, s.collect, s.unpaid, s.outside, s.paid_to, s.held_at, s.terms, s.included, s.next, s.cycles, s.metadata, " +
		"CASE WHEN s.n = (SELECT max(b.n) FROM subscriptions b WHERE b.bucket = s.bucket AND b.wallet = s.wallet) THEN " +
		"(SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'label', a.label, 'unit', a.unit, 'quota', a.quota, " +
		"'rules', a.rules, 'period', a.period, 'window_start', a.window_start, 'window_end', a.window_end, 'used', a.used) " +
		"ORDER BY a.position), '[]') FROM allowances a WHERE a.bucket = s.bucket AND a.wallet = s.wallet) ELSE '[]'::jsonb END"

	invoiceColumns = "v.wallet, v.n, v.subscription, v.status, v.currency, v.total, v.period_from, v.period_to, v.issued_at, " +
		"v.closed_at, v.ref, v.lines"

	tallyColumns = "t.wallet, t.meter_id, t.credit_id, t.period_start, t.period_end, t.units_num, t.units_den, " +
		"t.free_threshold, t.events, t.aggregate, t.held, t.last_at, t.last_id, t.due"
)

func scanHeader(r pgx.Rows, h *wallet.Header) error {
	return r.Scan(
		key(&h.ID), &h.Key.App, (*string)(&h.Key.Mode), &h.Key.Customer, &h.Version, &h.Seq, &h.GrantSeq, &h.HoldSeq, &h.UsageSeq,
		&h.InvoiceSeq, &h.OrderSeq, &h.TellSeq, (*fixed)(&h.Head), instant(&h.LastAt), instant(&h.NextDue), instant(&h.CreatedAt),
	)
}

func scanGrant(r pgx.Rows, w *id.Wallet) (*wallet.Grant, error) {
	g := &wallet.Grant{}
	return g, r.Scan(
		key(w), &g.N, &g.Lane, &g.Credit, &g.Amount, &g.Available, &g.Frozen, &g.Held, &g.Spent, &g.Metered, &g.Expired,
		&g.Revoked, &g.RolledOver, (*string)(&g.Status), &g.Disputed, (*string)(&g.Category), &g.Priority,
		instant(&g.EffectiveAt), instant(&g.ExpiresAt), instant(&g.EndedAt), instant(&g.CreatedAt),
		doc(&g.Scope), &g.Inherited, (*string)(&g.Source), &g.SourceID, &g.Pack, &g.PackItem, &g.ExternalRef,
		(*string)(&g.CostBasis), &g.CostCurr, doc(&g.Rollover), &g.RolloverCount, &g.Parent, &g.RolledInto,
		&g.Reason, &g.Actor, doc(&g.Metadata),
	)
}

func scanHold(r pgx.Rows, w *id.Wallet) (*wallet.Hold, error) {
	h := &wallet.Hold{}
	c := &h.Charge
	return h, r.Scan(
		key(w), &h.N, (*string)(&h.Status), &c.Credit, &c.Amount, &c.Event, &c.Quantity, (*string)(&c.Shortfall),
		doc(&c.Metadata), (*planParts)(&h.Plan), (*holdSlices)(&h.Slices), (*overageParts)(&h.Overage), (*meteredParts)(&h.Metered),
		&h.Committed, instant(&h.CreatedAt),
		instant(&h.ExpiresAt), instant(&h.ClosedAt), &h.Reason, &h.ErrorCode, &h.Response, &h.Actor,
	)
}

// scanEntry reads entryColumns, and more columns behind them.
func scanEntry(r pgx.Rows, w *id.Wallet, e *wallet.Entry, more ...any) error {
	return r.Scan(append([]any{
		key(w), &e.Seq, (*string)(&e.Type), &e.Credit, &e.Amount, &e.BalanceBefore, &e.BalanceAfter,
		&e.OverageBefore, &e.OverageAfter, (*packed)(&e.Slices), &e.Op, &e.RefType, &e.RefID, &e.Reason,
		doc(&e.Metadata), &e.Idempotency, &e.Actor, instant(&e.EffectiveAt), instant(&e.RecordedAt),
		(*fixed)(&e.Prev), (*fixed)(&e.Hash),
	}, more...)...)
}

// scanSubscription reads subscriptionColumns, and more columns behind them.
func scanSubscription(r pgx.Rows, w *id.Wallet, more ...any) (*wallet.Subscription, error) {
	s := &wallet.Subscription{}
	return s, r.Scan(append([]any{
		key(w), &s.N, &s.Plan, &s.Quantity, instant(&s.StartedAt), instant(&s.EndsAt), instant(&s.TrialEnds), instant(&s.PausedAt),
		&s.Ended, instant(&s.Anchor), &s.Zone, instant(&s.CycleStart), instant(&s.CycleEnd), &s.Owed, &s.Reason, &s.Events,
		&s.Collect, &s.Unpaid, &s.Outside, instant(&s.PaidTo), instant(&s.HeldAt),
		doc(&s.Terms), doc(&s.Included), doc(&s.Next), doc((*store.Instants)(&s.Cycles)), doc(&s.Metadata),
		(*allowances)(&s.Allowances),
	}, more...)...)
}

// allowances receives the allowances of a subscription, gathered into one list.
type allowances []wallet.Allowance

// allowance is one of them, as subscriptionColumns names its columns.
type allowance struct {
	ID     string         `json:"id"`
	Label  string         `json:"label"`
	Unit   string         `json:"unit"`
	Quota  int64          `json:"quota"`
	Rules  catalog.Scope  `json:"rules"`
	Period catalog.Period `json:"period"`
	Start  int64          `json:"window_start"`
	End    int64          `json:"window_end"`
	Used   int64          `json:"used"`
}

// ScanBytes takes the value that the driver read.
func (l *allowances) ScanBytes(v []byte) error {
	var rows []allowance
	if err := json.Unmarshal(v, &rows); err != nil {
		return err
	}
	*l = nil
	for _, a := range rows {
		*l = append(*l, wallet.Allowance{
			ID: a.ID, Label: a.Label, Unit: a.Unit, Quota: a.Quota, Rules: a.Rules, Period: a.Period,
			WindowStart: clock.Instant(a.Start), WindowEnd: clock.Instant(a.End), Used: a.Used,
		})
	}
	return nil
}

// scanInvoice reads invoiceColumns, and more columns behind them.
func scanInvoice(r pgx.Rows, w *id.Wallet, more ...any) (*wallet.Invoice, error) {
	v := &wallet.Invoice{}
	return v, r.Scan(append([]any{
		key(w), &v.N, &v.Subscription, (*string)(&v.Status), &v.Currency, &v.Total, instant(&v.From), instant(&v.To),
		instant(&v.IssuedAt), instant(&v.ClosedAt), &v.Ref, doc(&v.Lines),
	}, more...)...)
}

func scanLane(r pgx.Rows, w *id.Wallet) (*wallet.Lane, error) {
	l := &wallet.Lane{}
	return l, r.Scan(key(w), &l.N, &l.Credit, doc(&l.Scope), &l.Inherited)
}

// written receives JSON that is kept as text, because its numbers must come back as they were
// written. Empty text leaves the value as it is.
type written[T any] struct{ to *T }

// ScanText takes the value that the driver read.
func (w written[T]) ScanText(v pgtype.Text) error {
	if v.String == "" {
		return nil
	}
	return json.Unmarshal([]byte(v.String), w.to)
}

// scanUsage reads usageColumns, and more columns behind them.
func scanUsage(r pgx.Rows, w *id.Wallet, more ...any) (*wallet.Usage, error) {
	u := &wallet.Usage{}
	return u, r.Scan(append([]any{
		key(w), &u.N, &u.ID, &u.Event, &u.Quantity,
		written[catalog.Values]{&u.Metadata},
		(*string)(&u.Match), &u.Metered, &u.Hold,
		&u.Response, instant(&u.At), instant(&u.RecordedAt), instant(&u.VoidedAt), &u.Corrects, (*tallyKeys)(&u.Counted),
	}, more...)...)
}

func scanTally(r pgx.Rows, w *id.Wallet) (*wallet.Tally, error) {
	t := &wallet.Tally{}
	return t, r.Scan(
		key(w), &t.Meter, &t.Credit, instant(&t.From), instant(&t.To), &t.UnitsPerCredit.Num, &t.UnitsPerCredit.Den,
		&t.FreeThreshold, &t.Events, &t.Aggregate, &t.Held, instant(&t.LastAt), &t.LastID, &t.Due,
	)
}

const creditColumns = "id, app_id, name, unit, description, decimals, draw_order, scope, expires_after_days, overage, " +
	"rollover, created_at, updated_at, archived_at, low_balance, sales"

func scanCredit(r pgx.Rows) (*catalog.Credit, error) {
	c := &catalog.Credit{}
	return c, r.Scan(
		&c.ID, &c.App, &c.Name, &c.Unit, &c.Description, &c.Precision, doc(&c.DrawOrder), doc(&c.Scope),
		&c.ExpiresAfterDays, doc(&c.Overage), doc(&c.Rollover), instant(&c.CreatedAt), instant(&c.UpdatedAt),
		instant(&c.ArchivedAt), &c.LowBalance, doc(&c.Sales),
	)
}

const packColumns = "id, app_id, name, description, price_minor, currency, expires_after_days, items, created_at, " +
	"updated_at, archived_at, price_ref"

func scanPack(r pgx.Rows) (*catalog.Pack, error) {
	p := &catalog.Pack{}
	return p, r.Scan(
		&p.ID, &p.App, &p.Name, &p.Description, &p.PriceMinor, &p.Currency, &p.ExpiresAfterDays, doc(&p.Items),
		instant(&p.CreatedAt), instant(&p.UpdatedAt), instant(&p.ArchivedAt), &p.PriceRef,
	)
}

const productColumns = "app_id, id, name, description, tax_category, price, credits, allowances, on_change, metadata, " +
	"created_at, updated_at, archived_at"

func scanProduct(r pgx.Rows) (*catalog.Product, error) {
	p := &catalog.Product{}
	return p, r.Scan(
		&p.App, &p.ID, &p.Name, &p.Description, &p.TaxCategory, doc(&p.Price), doc(&p.Credits),
		doc(&p.Allowances), (*string)(&p.OnChange), doc(&p.Metadata),
		instant(&p.CreatedAt), instant(&p.UpdatedAt), instant(&p.ArchivedAt),
	)
}

const endpointColumns = "id, app_id, mode, url, description, format, events, headers, secret, previous_secret, previous_until, " +
	"disabled, ordered, rate_limit, metadata, created_at, updated_at, archived_at"

func scanEndpoint(r pgx.Rows) (*catalog.Endpoint, error) {
	e := &catalog.Endpoint{}
	return e, r.Scan(
		&e.ID, &e.App, (*string)(&e.Mode), &e.URL, &e.Description, &e.Format, doc(&e.Events), doc(&e.Headers), &e.Secret,
		&e.PreviousSecret, instant(&e.PreviousUntil), &e.Disabled, &e.Ordered, &e.RateLimit, doc(&e.Metadata),
		instant(&e.CreatedAt), instant(&e.UpdatedAt), instant(&e.ArchivedAt),
	)
}

// deliveryColumns are in the order in which deliveryTargets takes them; a log only where it is
// asked for.
const deliveryColumns = "v.wallet, v.n, v.event, coalesce(v.seq, 0), v.endpoint_id, v.type, v.about, v.status, v.tries, v.created_at, v.next_at, v.finished_at"

func deliveryTargets(d *store.Delivery) []any {
	return []any{
		key(&d.Wallet), &d.N, &d.Event, &d.Seq, &d.Endpoint, (*string)(&d.Type), doc(&d.About), (*string)(&d.Status), &d.Tries,
		instant(&d.CreatedAt), instant(&d.NextAt), instant(&d.FinishedAt),
	}
}

// selectLeased reads deliveries with what it takes to write their bodies.
const selectLeased = "SELECT " + entryColumns + ", w.app_id, w.mode, w.customer_id, v.log, " + deliveryColumns + " FROM deliveries v " +
	"JOIN wallets w ON w.bucket = v.bucket AND w.wallet = v.wallet " +
	"LEFT JOIN entries e ON e.bucket = v.bucket AND e.wallet = v.wallet AND e.seq = v.seq"

func scanLeased(r pgx.Rows) (store.Leased, error) {
	var l store.Leased
	rest := append([]any{&l.Key.App, (*string)(&l.Key.Mode), &l.Key.Customer, doc(&l.Log)}, deliveryTargets(&l.Delivery)...)
	if r.RawValues()[0] == nil { // it tells of no entry: its columns are passed over
		none := make([]any, strings.Count(entryColumns, ",")+1)
		err := r.Scan(append(none, rest...)...)
		l.Complete()
		return l, err
	}
	var w id.Wallet
	l.Entry = &wallet.Entry{}
	err := scanEntry(r, &w, l.Entry, rest...)
	l.Complete()
	return l, err
}

const apiKeyColumns = "id, app_id, mode, kind, label, prefix, hash, created_at, revoked_at"

func scanAPIKey(r pgx.Rows) (store.Key, error) {
	var k store.Key
	err := r.Scan(
		&k.ID, &k.App, (*string)(&k.Mode), (*string)(&k.Kind), &k.Label, &k.Prefix, (*fixed)(&k.Hash),
		instant(&k.CreatedAt), instant(&k.RevokedAt),
	)
	return k, err
}

const meterColumns = "id, app_id, name, description, event, filter, aggregation, unit, links, created_at, updated_at, archived_at"

func scanMeter(r pgx.Rows) (*catalog.Meter, error) {
	m := &catalog.Meter{}
	return m, r.Scan(
		&m.ID, &m.App, &m.Name, &m.Description, &m.Event, written[*catalog.Filter]{&m.Filter}, doc(&m.Aggregation), &m.Unit, doc(&m.Links),
		instant(&m.CreatedAt), instant(&m.UpdatedAt), instant(&m.ArchivedAt),
	)
}

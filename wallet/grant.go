package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

const opGrant = "wallet.Grant"

// DefaultPriority is the priority of a grant that names none (design section 5.1).
const DefaultPriority = 50

func (c *GiveCredits) decide(w *work) error {
	w.note = c.noteOf(c.Source, c.ExternalRef)
	if catalog.Longer(c.ExternalRef, MaxExternalRefLength) {
		return fault.New(opGrant, fault.CodeInvalidRequest, "external_ref has at most %d characters", MaxExternalRefLength).In("external_ref")
	}
	if existing := w.s.underRef(c.Needs(w.cx.Defs).External); len(existing) > 0 {
		// One reference grants once, for ever, whatever became of the credits since.
		w.d.Answer.Allowed, w.d.Answer.Existing, w.d.Answer.Grants = true, true, existing
		return nil
	}
	if c.Entry != "" && c.Entry != CreditAdded && c.Entry != AutoTopUp && c.Entry != ManualAdjustment {
		return fault.New(opGrant, fault.CodeInvalidRequest, "credits are added by credit_added, auto_top_up or manual_adjustment, not by %s", c.Entry)
	}
	if err := c.checkCost(); err != nil {
		return err
	}
	items, err := c.items(w)
	if err != nil {
		return err
	}
	if w.s.openN+len(items) > MaxOpenGrants {
		return fault.New(opGrant, fault.CodeTooManyGrants, "a customer has at most %d grants with something left", MaxOpenGrants)
	}
	made := make([]*Grant, 0, len(items))
	for _, item := range items {
		if def := w.cx.Defs.Credits[item.Credit]; def != nil && !def.ArchivedAt.IsZero() {
			return fault.New(opGrant, fault.CodeCreditArchived, "credit %q is archived: what was granted can be spent, nothing more can be granted", def.Name).In("credit_id")
		}
		g, err := w.newGrant(c, item)
		if err != nil {
			return err
		}
		made = append(made, g)
	}
	for _, g := range made {
		if g.EffectiveAt <= w.at {
			w.activate(g, c.Entry)
		}
	}
	for _, g := range made {
		w.d.Answer.Grants = append(w.d.Answer.Grants, *g)
	}
	w.d.Answer.Allowed = true
	return nil
}

// noteOf lets the ledger tell where credits came from: the source, and the reference of the order
// or the like.
func (n Note) noteOf(source Source, ref string) Note {
	if n.RefType != "" {
		return n
	}
	if source == "" {
		source = SourceAPI
	}
	n.RefType, n.RefID = string(source), ref
	return n
}

// checkCost refuses a cost that is no price, and one without its currency or a currency without it.
func (c *GiveCredits) checkCost() error {
	if c.CostBasis == "" && c.CostCurr == "" {
		return nil
	}
	if c.CostBasis == "" || c.CostCurr == "" {
		field := "cost_basis"
		if c.CostCurr == "" {
			field = "cost_currency"
		}
		return fault.New(opGrant, fault.CodeMissingField, "cost_basis and cost_currency go together: give both or neither").In(field)
	}
	if _, err := catalog.ReadPrice(c.CostBasis, "cost_basis"); err != nil {
		return err
	}
	return catalog.CheckCurrency(c.CostCurr, "cost_currency")
}

// items is what the command grants: the pack's items, or its own credit as the only one.
func (c *GiveCredits) items(w *work) ([]catalog.PackItem, error) {
	if c.Pack == "" {
		priority := DefaultPriority
		if c.Priority != nil {
			priority = *c.Priority
		}
		category := c.Category
		if category == "" {
			category = catalog.Paid
		}
		return []catalog.PackItem{{Credit: c.Credit, Amount: c.Amount, Scope: c.Scope, Category: category, Priority: priority}}, nil
	}
	if c.Credit != "" || c.Amount != 0 || len(c.Scope) > 0 {
		return nil, fault.New(opGrant, fault.CodeConflictingFields, "a pack fixes what is granted: leave out credit_id, amount and scope").In("pack_id")
	}
	pack, ok := w.cx.Defs.Packs[c.Pack]
	if !ok {
		return nil, fault.New(opGrant, fault.CodePackNotFound, "pack %q does not exist in this app", c.Pack).In("pack_id")
	}
	items := slices.Clone(pack.Items)
	for i := range items {
		if c.Priority != nil {
			items[i].Priority = *c.Priority
		}
		if c.Category != "" {
			items[i].Category = c.Category
		}
	}
	return items, nil
}

// newGrant makes a pending grant, not yet part of any balance. What was paid for is granted though its
// credit was archived since.
func (w *work) newGrant(c *GiveCredits, item catalog.PackItem) (*Grant, error) {
	def, err := w.definition(item.Credit)
	if err != nil {
		return nil, err
	}
	if item.Amount <= 0 || item.Amount > MaxUnits {
		return nil, fault.New(opGrant, fault.CodeInvalidAmount, "amount must be positive and at most %d units of the credit's precision", int64(MaxUnits)).In("amount")
	}
	if item.Priority < 0 || item.Priority > catalog.MaxPriority {
		return nil, fault.New(opGrant, fault.CodeInvalidPriority, "priority must be 0 to %d; lower is spent first", catalog.MaxPriority).In("priority")
	}
	if !item.Category.Valid() {
		return nil, fault.New(opGrant, fault.CodeInvalidRequest, "category must be paid or promotional").In("category")
	}
	if err := item.Scope.Validate(); err != nil {
		return nil, err
	}
	source := c.Source
	if source == "" {
		source = SourceAPI
	}
	g := &Grant{
		Credit: item.Credit, Amount: item.Amount, Status: GrantPending, Category: item.Category, Priority: item.Priority,
		EffectiveAt: max(c.EffectiveAt, w.at), CreatedAt: w.at, Source: source, SourceID: c.SourceID,
		Pack: c.Pack, PackItem: item.ID, ExternalRef: c.ExternalRef, CostBasis: c.CostBasis, CostCurr: c.CostCurr,
		Rollover: def.Rollover, Reason: c.Reason, Actor: w.cx.Actor, Metadata: c.Metadata,
	}
	if c.Rollover != nil {
		if err := c.Rollover.Validate(); err != nil {
			return nil, err
		}
		g.Rollover = *c.Rollover
	}
	if g.ExpiresAt, err = c.expiry(w, def, g.EffectiveAt); err != nil {
		return nil, err
	}
	g.Scope, g.Inherited = item.Scope, false
	if len(g.Scope) == 0 {
		g.Scope, g.Inherited = def.Scope, len(def.Scope) > 0
	}
	if err := w.fits(g.Credit, g.Amount); err != nil {
		return nil, err
	}
	return w.addGrant(g)
}

// fits refuses what a wallet could not hold once all that is granted has begun. Were a pending
// grant to find no room when its time comes, time could not go on.
func (w *work) fits(credit string, units int64) error {
	if units > w.room(credit) {
		return fault.New(opGrant, fault.CodeAmountOutOfRange, "the balance, with what is yet to begin, would pass what a wallet can hold").In("amount")
	}
	return nil
}

// room is how many more units of a credit the wallet can be granted.
func (w *work) room(credit string) int64 {
	standing := w.seeCredit(credit)
	total := standing.Balance()
	for _, g := range w.s.starting {
		if g = w.see(g); g.Credit == credit && g.Status == GrantPending {
			total += g.Amount - g.Revoked
		}
	}
	for _, g := range w.d.Grants {
		if g.N > w.s.GrantSeq && g.Credit == credit && g.Status == GrantPending {
			total += g.Amount
		}
	}
	return MaxUnits - total
}

// expiry is the caller's, else the pack's default, else the credit's, else never.
func (c *GiveCredits) expiry(w *work, def *catalog.Credit, effective clock.Instant) (clock.Instant, error) {
	if c.Never {
		return 0, nil
	}
	if !c.ExpiresAt.IsZero() {
		if c.ExpiresAt <= effective {
			return 0, fault.New(opGrant, fault.CodeInvalidTime, "expires_at must lie after the grant becomes effective (%s)", effective).In("expires_at")
		}
		return c.ExpiresAt, nil
	}
	days := def.ExpiresAfterDays
	if c.Pack != "" && w.cx.Defs.Packs[c.Pack].ExpiresAfterDays > 0 {
		days = w.cx.Defs.Packs[c.Pack].ExpiresAfterDays
	}
	if days == 0 {
		return 0, nil
	}
	return catalog.Interval{Count: days, Unit: catalog.Day}.After(effective), nil
}

// addGrant numbers a grant and finds its lane, making the lane where it is the first.
func (w *work) addGrant(g *Grant) (*Grant, error) {
	lane, err := w.lane(g.Credit, g.Scope, g.Inherited)
	if err != nil {
		return nil, err
	}
	return w.addTo(lane, g), nil
}

// addTo numbers a grant of a lane.
func (w *work) addTo(lane int, g *Grant) *Grant {
	w.d.grantSeq++
	g.N, g.Lane = w.d.grantSeq, lane
	return w.putGrant(g)
}

// lane is the number of the lane for a credit's grants under a scope, which is made where there
// is none.
func (w *work) lane(credit string, scope catalog.Scope, inherited bool) (int, error) {
	if n := w.findLane(credit, scope, inherited); n > 0 {
		return n, nil
	}
	if len(w.s.Lanes)+len(w.d.Lanes) >= MaxLanes {
		return 0, errTooManyScopes()
	}
	return w.newLane(credit, scope, inherited), nil
}

func errTooManyScopes() error {
	return fault.New(opGrant, fault.CodeTooManyScopes, "a customer's grants have at most %d different scopes", MaxLanes).In("scope")
}

// findLane is the number of the lane for a credit's grants under a scope; 0 when there is none.
func (w *work) findLane(credit string, scope catalog.Scope, inherited bool) int {
	canonical := scope.Canonical()
	same := func(l *Lane) bool {
		return l.Credit == credit && l.Inherited == inherited && l.Scope.Canonical() == canonical
	}
	for _, lanes := range [][]*Lane{w.s.Lanes, w.d.Lanes} {
		if i := slices.IndexFunc(lanes, same); i >= 0 {
			return lanes[i].N
		}
	}
	return 0
}

func (w *work) newLane(credit string, scope catalog.Scope, inherited bool) int {
	n := len(w.s.Lanes) + len(w.d.Lanes) + 1
	w.d.Lanes = append(w.d.Lanes, &Lane{N: n, Credit: credit, Scope: scope, Inherited: inherited})
	return n
}

// activate makes a pending grant part of the balance, and lets it repay overage where the
// credit's policy says so (design section 5.5).
func (w *work) activate(g *Grant, kind EntryType) {
	if kind == "" {
		kind = CreditAdded
	}
	g.Status = GrantActive
	units := g.Amount - g.Revoked // a part may have been revoked before it began
	w.book(line{kind: kind, credit: g.Credit, amount: units, slices: []Slice{{Grant: g.N, Available: units}}})
	w.freezeDisputed(g)
	w.repay(g)
}

// RefRepayment is the reference type of a deduction that repaid overage.
const RefRepayment = "overage_repayment"

func (w *work) repay(g *Grant) {
	def, ok := w.cx.Defs.Credits[g.Credit]
	if !ok || w.overagePolicy(def.ID).Behavior != catalog.CarryDeficitAutoRepay {
		return
	}
	pay := min(w.seeCredit(g.Credit).Overage, g.Available)
	if pay == 0 {
		return
	}
	// What meters drew is paid last, and by an entry of its own: it can go back by itself.
	c := w.credit(g.Credit)
	metered := max(0, pay-(c.Overage-c.MeteredOverage))
	c.MeteredOverage -= metered
	saved := w.note
	for _, part := range []struct {
		of    string
		units int64
	}{{"", pay - metered}, {RefUsage, metered}} {
		if part.units == 0 {
			continue
		}
		w.note.RefType, w.note.RefID = RefRepayment, part.of
		w.book(line{
			kind: CreditDeducted, credit: g.Credit, amount: -part.units, overage: -part.units,
			slices: []Slice{{Grant: g.N, Available: -part.units}}, metered: part.of == RefUsage,
		})
	}
	w.note = saved
}

func (c *Adjust) decide(w *work) error {
	const op = "wallet.Adjust"
	if c.Delta == 0 || c.Delta > MaxUnits || c.Delta < -MaxUnits {
		return fault.New(op, fault.CodeInvalidAmount, "the adjustment must not be zero: positive adds credits, negative takes them").In("amount")
	}
	if c.Delta > 0 {
		give := GiveCredits{
			Credit: c.Credit, Amount: c.Delta, Category: catalog.Promotional, Source: SourceManual,
			Entry: ManualAdjustment, Note: c.Note,
		}
		return give.decide(w)
	}
	w.note = c.Note
	if _, err := w.definition(c.Credit); err != nil {
		return err
	}
	parts, rest := w.anyOf(c.Credit, -c.Delta)
	if rest > 0 {
		w.d.Answer.Matched, w.d.Answer.Reasons = true, []Reason{CreditsExhausted}
		w.d.Answer.Shortage = &Shortage{Required: -c.Delta, Available: -c.Delta - rest, Credit: c.Credit}
		return nil
	}
	w.book(line{kind: ManualAdjustment, credit: c.Credit, amount: c.Delta, slices: parts})
	w.d.Answer.Allowed = true
	return nil
}

// anyOf takes from all grants of a credit along its draw order, whatever their scope.
func (w *work) anyOf(credit string, want int64) ([]Slice, int64) {
	var all []source
	for _, lane := range w.s.Lanes {
		if lane.Credit == credit {
			all = append(all, source{lane: lane, queue: lane.queue, rate: oneToOne})
		}
	}
	picks, rest := w.pick(all, w.cx.Defs.Credits[credit].DrawOrder, want)
	parts := make([]Slice, len(picks))
	for i, p := range picks {
		parts[i] = Slice{Grant: p.Grant, Available: -p.Units}
	}
	return parts, rest
}

// unasked are the references of which it is not known whether something was granted under them.
func (s *State) unasked(refs []ExternalRef) []ExternalRef {
	return slices.DeleteFunc(slices.Clone(refs), func(ref ExternalRef) bool { return s.askedExternal[ref] })
}

// underRef returns the grants that were made under an external reference, in their present
// state. They are in memory because the command's Needs named them.
func (s *State) underRef(refs []ExternalRef) []Grant {
	if len(refs) == 0 {
		return nil
	}
	ref := refs[0]
	var found []Grant
	for _, g := range s.grants {
		what := g.Pack
		if what == "" {
			what = g.Credit
		}
		if g.ExternalRef == ref.Ref && what == ref.What && g.Parent == 0 {
			found = append(found, *g)
		}
	}
	slices.SortFunc(found, func(a, b Grant) int { return int(a.N - b.N) })
	return found
}

package model

import (
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// checker compares a subject with the model after every step, and keeps what it needs to check
// the past: the entries that it has seen, and how grants stood at earlier instants.
type checker struct {
	model    *Model
	wallet   id.Wallet
	seen     int
	head     wallet.Hash
	last     wallet.Entry
	balances map[string]int64
	owed     map[string]int64
	live     map[int64]wallet.Slice // by grant, the sum over its slices
	earlier  []standing
	told     int // lines of subscriptions' history that were compared
}

// standing is how grants stood at an instant.
type standing struct {
	at     clock.Instant
	grants []GrantView
}

func newChecker(m *Model, key wallet.Key) *checker {
	return &checker{
		model: m, wallet: key.ID(), balances: map[string]int64{}, owed: map[string]int64{}, live: map[int64]wallet.Slice{},
	}
}

// check compares everything and returns what differs; empty: nothing.
func (k *checker) check(got, want View) string {
	if s := firstDifference("grant", got.Grants, want.Grants); s != "" {
		return s
	}
	if s := firstDifference("hold", got.Holds, want.Holds); s != "" {
		return s
	}
	if s := firstDifference("credit", got.Credits, want.Credits); s != "" {
		return s
	}
	if s := firstDifference("allowance", got.Counters, want.Counters); s != "" {
		return s
	}
	if s := k.entries(got.Entries); s != "" {
		return s
	}
	if s := k.comparePlans(got.Plan, want.Plan); s != "" {
		return s
	}
	if s := compareSales(got.Sales, want.Sales); s != "" {
		return s
	}
	return k.conservation(got)
}

// comparePlans compares what a subject tells of subscriptions, if it does.
func (k *checker) comparePlans(got, want *PlanView) string {
	if got == nil {
		return ""
	}
	if want == nil {
		return fmt.Sprintf("there is a subscription: %+v", got.Standing)
	}
	if got.Standing != want.Standing {
		return fmt.Sprintf("subscription differs:\n   got %+v\n  want %+v", got.Standing, want.Standing)
	}
	if s := firstDifference("included credit", got.Included, want.Included); s != "" {
		return s
	}
	from := min(k.told, len(got.Story), len(want.Story)) // they are only ever added to
	if s := firstDifference("line of history", got.Story[from:], want.Story[from:]); s != "" {
		return s
	}
	k.told = len(got.Story)
	return firstDifference("invoice", got.Invoices, want.Invoices)
}

func firstDifference[T comparable](what string, got, want []T) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("%s differs:\n   got %+v\n  want %+v", what, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		return fmt.Sprintf("there are %d %ss, the model expects %d\n   got %+v\n  want %+v", len(got), what, len(want),
			got[min(len(got), len(want)):], want[min(len(got), len(want)):])
	}
	return ""
}

// entries compares those that are new with the model's ledger, and checks their chain.
func (k *checker) entries(all []wallet.Entry) string {
	for ; k.seen < len(all); k.seen++ {
		e := &all[k.seen]
		if k.seen >= len(k.model.ledger) {
			return fmt.Sprintf("an entry that the model does not expect: %+v", *e)
		}
		if s := k.asExpected(e, &k.model.ledger[k.seen]); s != "" {
			return s
		}
		if s := k.chained(e); s != "" {
			return s
		}
	}
	if k.seen != len(k.model.ledger) {
		return fmt.Sprintf("an entry is missing: %+v", k.model.ledger[k.seen])
	}
	return ""
}

func (k *checker) asExpected(e *wallet.Entry, want *line) string {
	got := line{
		kind: e.Type, credit: e.Credit, at: e.EffectiveAt, amount: e.Amount, overage: e.OverageAfter - e.OverageBefore,
		used: want.used, balance: e.BalanceAfter, owed: e.OverageAfter, reverses: want.reverses,
	}
	same := got.kind == want.kind && got.credit == want.credit && got.at == want.at && got.amount == want.amount &&
		got.overage == want.overage && got.balance == want.balance && got.owed == want.owed && slices.Equal(e.Slices, want.parts)
	if !same {
		got.parts = e.Slices
		return fmt.Sprintf("entry %d differs:\n   got %+v\n  want %+v", e.Seq, got, *want)
	}
	if want.reverses != 0 && (e.RefType != wallet.RefEntry || e.RefID != id.Object(id.PrefixEntry, k.wallet, want.reverses)) {
		return fmt.Sprintf("entry %d does not point at entry %d, which it reverses", e.Seq, want.reverses)
	}
	if e.UsedChange() != want.used {
		return fmt.Sprintf("entry %d changes the usage by %d, not %d", e.Seq, e.UsedChange(), want.used)
	}
	return ""
}

// chained checks an entry against the one before it: number, hash, balances, instants.
func (k *checker) chained(e *wallet.Entry) string {
	bad := func(what string) string {
		return fmt.Sprintf("entry %d: %s\n  entry %+v\n  before %+v", e.Seq, what, *e, k.last)
	}
	var sum wallet.Slice
	for _, s := range e.Slices {
		live := k.live[s.Grant]
		live.Available += s.Available
		live.Frozen += s.Frozen
		live.Held += s.Held
		k.live[s.Grant] = live
		if live.Available < 0 || live.Frozen < 0 || live.Held < 0 {
			return bad(fmt.Sprintf("takes more of grant %d than it has", s.Grant))
		}
		sum.Available += s.Sum()
	}
	switch {
	case e.Seq != int64(k.seen)+1:
		return bad("the number is not the next")
	case e.Op > e.Seq || e.Op < 1 || (e.Op != e.Seq && e.Op != k.last.Op):
		return bad("the operation is not its own nor the one before")
	case e.Prev != k.head || e.Hash != e.Seal(k.wallet):
		return bad("the chain is broken")
	case e.BalanceBefore != k.balances[e.Credit] || e.OverageBefore != k.owed[e.Credit]:
		return bad("it does not follow on the balance before")
	case e.BalanceAfter-e.BalanceBefore != sum.Available:
		return bad("its slices are not the change of the balance")
	case e.EffectiveAt < k.last.EffectiveAt:
		return bad("it takes effect before the one before")
	case e.RecordedAt < e.EffectiveAt:
		return bad("it was recorded before it took effect")
	}
	k.balances[e.Credit], k.owed[e.Credit] = e.BalanceAfter, e.OverageAfter
	k.head, k.last = e.Hash, *e
	return ""
}

// conservation is law 1: every grant adds up, and entries agree with grants.
func (k *checker) conservation(v View) string {
	for i := range v.Grants {
		g := &v.Grants[i]
		live := g.Available + g.Frozen + g.Held
		if g.Status == wallet.GrantPending {
			if live != 0 {
				return fmt.Sprintf("a pending grant is part of the balance: %+v", *g)
			}
		} else if g.Amount != live+g.Spent+g.Expired+g.Revoked+g.RolledOver {
			return fmt.Sprintf("law 1: %+v", *g)
		}
		if s := k.live[g.N]; s.Available != g.Available || s.Frozen != g.Frozen || s.Held != g.Held {
			return fmt.Sprintf("entries say %+v of grant %+v", s, *g)
		}
		if g.Disputed && g.Available > 0 {
			return fmt.Sprintf("credits under dispute can be spent: %+v", *g)
		}
		if g.Available > 0 && g.ExpiresAt != 0 && g.ExpiresAt <= k.model.now {
			return fmt.Sprintf("expired credits can be spent: %+v", *g)
		}
	}
	return ""
}

// stands reports whether the last standing is of this very instant, and so out of date.
func (k *checker) stands() bool {
	n := len(k.earlier)
	return n > 0 && k.earlier[n-1].at == k.model.now
}

// remember keeps how grants stand now; a later standing at the same instant replaces it.
func (k *checker) remember(v View) {
	if k.stands() {
		k.earlier = k.earlier[:len(k.earlier)-1]
	}
	k.earlier = append(k.earlier, standing{k.model.now, slices.Clone(v.Grants)})
}

// past recomputes from entries alone how every remembered standing was, and compares.
func (k *checker) past(entries []wallet.Entry) string {
	live := map[int64]wallet.Slice{}
	next := 0
	for _, then := range k.earlier {
		for ; next < len(entries) && entries[next].EffectiveAt <= then.at; next++ {
			for _, s := range entries[next].Slices {
				sum := live[s.Grant]
				sum.Available += s.Available
				sum.Frozen += s.Frozen
				sum.Held += s.Held
				live[s.Grant] = sum
			}
		}
		for i := range then.grants {
			g := &then.grants[i]
			if s := live[g.N]; s.Available != g.Available || s.Frozen != g.Frozen || s.Held != g.Held {
				return fmt.Sprintf("as of %s entries say %+v of what was then %+v", then.at, s, *g)
			}
		}
	}
	return ""
}

package wallet_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// TestDecideChangesNothing: a decision that is not applied leaves no trace in the state.
func TestDecideChangesNothing(t *testing.T) {
	b := open(t, calls(overage(catalog.Overage{Enabled: true}), rolls(50, 1, catalog.Month, 0)))
	b.give(10, expires(start.Add(day)))
	b.give(5)
	h := b.reserve(units(12))
	subscribed(b, 5, event("*"))
	before := b.view()
	charge := units(30)
	charge.Shortfall = wallet.Overage
	for _, c := range []wallet.Command{
		&wallet.GiveCredits{Credit: "calls", Amount: 7}, &wallet.Deduct{Charge: charge}, &wallet.Deduct{Charge: uses("image.a", 2)},
		&wallet.Reserve{Charge: charge}, &wallet.Commit{Hold: h, Amount: "13", AllowMore: true}, &wallet.Release{Hold: h},
		&wallet.Extend{Hold: h}, &wallet.RevokeGrant{Grant: 1}, &wallet.Freeze{Grant: 2, Frozen: true},
		&wallet.Adjust{Credit: "calls", Delta: -3}, plan(counts()), &wallet.EndSubscription{}, &wallet.ResetOverage{Credit: "calls"},
	} {
		d, err := wallet.Decide(b.State(), c, wallet.Context{Now: b.now, Defs: b.defs})
		if err != nil || d.Empty() && !reflect.DeepEqual(c, &wallet.ResetOverage{Credit: "calls"}) {
			t.Errorf("%T: %v, empty %t", c, err, d.Empty())
		}
	}
	if _, err := wallet.Settle(b.State(), wallet.Context{Now: b.now.Add(40 * day), Defs: b.defs}); err != nil {
		t.Error(err)
	}
	if after := b.view(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

// view is how the wallet's memory stands, copied.
func (b *book) view() []any {
	s := b.State()
	all := []any{s.Seq, s.GrantSeq, s.HoldSeq, s.Head, s.LastAt, s.NextDue(), s.Weight(), len(s.Lanes)}
	if s.Subscription != nil {
		all = append(all, *s.Subscription)
	}
	for n := int64(1); n <= s.GrantSeq; n++ {
		if g, ok := s.Grant(n); ok {
			all = append(all, *g)
		}
	}
	for n := int64(1); n <= s.HoldSeq; n++ {
		if h, ok := s.Hold(n); ok {
			all = append(all, *h)
		}
	}
	for _, c := range s.Credits {
		all = append(all, *c)
	}
	return all
}

// TestMemoryIsWhatIsOpen: what is closed leaves the memory when it is trimmed, and a restart
// brings the same state.
func TestMemoryIsWhatIsOpen(t *testing.T) {
	b := open(t, calls(rolls(50, 1, catalog.Month, 0)))
	left := b.give(4)
	ended := b.give(10, expires(start.Add(time.Hour)))
	b.deduct(units(9)) // 9 of what expires first
	held := b.reserve(units(3))
	b.do(&wallet.Release{Hold: held})
	b.deduct(units(4))
	b.pass(time.Hour)
	b.State().Trim()
	for _, n := range []int64{ended, left} {
		if g, ok := b.State().Grant(n); ok != (n == left) {
			t.Errorf("grant %d in memory: %t, %+v", n, ok, g)
		}
	}
	if _, ok := b.State().Hold(held); ok {
		t.Error("a closed hold is in memory")
	}
	before := b.view()
	b.Restart()
	if after := b.view(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

// TestNextDue is the first of what holds, ends and beginnings there are.
func TestNextDue(t *testing.T) {
	b := open(t)
	due := func(want time.Duration) {
		t.Helper()
		if got := b.State().NextDue(); got != start.Add(want) {
			t.Errorf("due at %s, want %s", got, start.Add(want))
		}
	}
	b.give(1)
	if got := b.State().NextDue(); !got.IsZero() {
		t.Errorf("due at %s, want never", got)
	}
	n := b.give(1, expires(start.Add(3*day)))
	due(3 * day)
	b.give(1, begins(start.Add(2*day)))
	due(2 * day)
	h := b.do(&wallet.Reserve{Charge: units(1), TTL: time.Hour}).Hold.N
	due(time.Hour)
	b.do(&wallet.Release{Hold: h})
	due(2 * day)
	b.pass(2 * day)
	due(3 * day)
	b.do(&wallet.RevokeGrant{Grant: n})
	if got := b.State().NextDue(); !got.IsZero() {
		t.Errorf("due at %s, want never", got)
	}
}

// TestHashCoversEverything: no field of an entry can be changed without changing its hash.
func TestHashCoversEverything(t *testing.T) {
	w := id.WalletOf("app", "live", "anna")
	whole := wallet.Entry{
		Seq: 1, Type: wallet.CreditAdded, Credit: "c", Amount: 2, BalanceBefore: 3, BalanceAfter: 4, OverageBefore: 5,
		OverageAfter: 6, Slices: []wallet.Slice{{Grant: 1, Available: 2, Frozen: 3, Held: 4}}, Op: 7, RefType: "t", RefID: "i",
		Reason: "r", Metadata: wallet.Metadata{"k": "v"}, Idempotency: "x", Actor: "a", EffectiveAt: 8, RecordedAt: 9,
		Prev: wallet.Hash{1},
	}
	hashes := map[wallet.Hash]string{whole.Seal(w): "the entry itself"}
	differs := func(what string, h wallet.Hash) {
		if same, ok := hashes[h]; ok {
			t.Errorf("%s has the hash of %s", what, same)
		}
		hashes[h] = what
	}
	for i := range reflect.TypeFor[wallet.Entry]().NumField() {
		field := reflect.TypeFor[wallet.Entry]().Field(i)
		e := whole
		v := reflect.ValueOf(&e).Elem().Field(i)
		v.SetZero()
		if field.Name == "Hash" {
			e.Hash = wallet.Hash{1}
			if e.Seal(w) != whole.Seal(w) {
				t.Error("the hash is part of itself")
			}
			continue
		}
		differs("without "+field.Name, e.Seal(w))
	}
	for i := range reflect.TypeFor[wallet.Slice]().NumField() {
		e := whole
		e.Slices = []wallet.Slice{whole.Slices[0]}
		reflect.ValueOf(&e.Slices[0]).Elem().Field(i).SetInt(9)
		differs("slice with another "+reflect.TypeFor[wallet.Slice]().Field(i).Name, e.Seal(w))
	}
	moved := whole // the same letters in another place
	moved.RefType, moved.RefID = "", "ti"
	differs("moved text", moved.Seal(w))
	moved = whole
	moved.Metadata = wallet.Metadata{"kv": ""}
	differs("moved metadata", moved.Seal(w))
	differs("another wallet", whole.Seal(id.WalletOf("app", "test", "anna")))
}

// TestConserved is law 1 for one grant.
func TestConserved(t *testing.T) {
	for _, c := range []struct {
		name  string
		grant wallet.Grant
		ok    bool
	}{
		{"every part", wallet.Grant{Amount: 28, Available: 1, Frozen: 2, Held: 3, Spent: 4, Expired: 5, Revoked: 6, RolledOver: 7}, true},
		{"one missing", wallet.Grant{Amount: 10, Available: 9}, false},
		{"one too many", wallet.Grant{Amount: 10, Available: 11}, false},
		{"a negative part", wallet.Grant{Amount: 10, Available: 11, Spent: -1}, false},
		{"pending", wallet.Grant{Amount: 10, Status: wallet.GrantPending}, true},
		{"pending, a part revoked", wallet.Grant{Amount: 10, Revoked: 3, Status: wallet.GrantPending}, true},
		{"pending, all revoked", wallet.Grant{Amount: 10, Revoked: 10, Status: wallet.GrantPending}, false},
		{"pending with a balance", wallet.Grant{Amount: 10, Available: 10, Status: wallet.GrantPending}, false},
	} {
		if got := c.grant.Conserved(); got != c.ok {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

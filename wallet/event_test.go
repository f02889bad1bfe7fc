package wallet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/catalog"
)

func TestEventOfEveryEntry(t *testing.T) {
	want := map[EntryType]catalog.EventType{
		CreditAdded: catalog.EventCreditAdded, CreditDeducted: catalog.EventCreditDeducted, CreditExpired: catalog.EventCreditExpired,
		CreditRolledOver: catalog.EventCreditRolledOver, RolloverForfeited: catalog.EventRolloverForfeited,
		OverageCharged: catalog.EventOverageCharged, OverageReset: catalog.EventOverageReset, AutoTopUp: catalog.EventCreditAdded,
		ManualAdjustment: catalog.EventManualAdjustment, Refund: catalog.EventCreditRefunded, Revoked: catalog.EventCreditRevoked,
		HoldPlaced: "", HoldReleased: "",
	}
	got := map[EntryType]catalog.EventType{}
	for _, kind := range EntryTypes() {
		got[kind] = (&Entry{Type: kind, Amount: 1}).Event()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if event := (&Entry{Type: CreditRolledOver, Amount: -1}).Event(); event != "" {
		t.Errorf("what leaves the old grant is told as %s, too", event)
	}
}

// A balance is compared before and after a decision, whatever happens to it within.
func TestLowBalanceIsPerDecision(t *testing.T) {
	const credit = "crd"
	for name, c := range map[string]struct {
		threshold int64
		balances  []int64 // before, after each entry
		want      []LowBalance
	}{
		"down through it":        {10, []int64{20, 15, 9, 4}, []LowBalance{{Seq: 2, Credit: credit, Balance: 4, Threshold: 10}}},
		"from it":                {10, []int64{10, 9}, []LowBalance{{Seq: 1, Credit: credit, Balance: 9, Threshold: 10}}},
		"to it":                  {10, []int64{20, 10}, nil},
		"below it already":       {10, []int64{9, 5}, nil},
		"up through it":          {10, []int64{5, 15}, nil},
		"down and up again":      {10, []int64{20, 5, 15}, nil},
		"down, up and down":      {10, []int64{20, 5, 15, 8}, []LowBalance{{Seq: 3, Credit: credit, Balance: 8, Threshold: 10}}},
		"up and down from below": {10, []int64{5, 15, 8}, nil},
		"without a threshold":    {0, []int64{20, 0}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			defs := catalog.NewDefinitions("app", "app", 1)
			defs.Credits[credit] = &catalog.Credit{ID: credit, LowBalance: c.threshold}
			s := NewState(Key{App: "app", Mode: catalog.Live, Customer: "c"})
			s.Credits[credit] = &CreditState{Credit: credit, Paid: Sums{Held: c.balances[0]}}
			w := newWork(s, Context{Defs: defs}, 1)
			for i, after := range c.balances[1:] {
				w.d.Entries = append(w.d.Entries, Entry{Seq: int64(i + 1), Credit: credit, BalanceBefore: c.balances[i], BalanceAfter: after})
			}
			w.credit(credit).Paid.Held = c.balances[len(c.balances)-1]
			if diff := cmp.Diff(c.want, w.lowBalances()); diff != "" {
				t.Errorf("low balances (-want +got):\n%s", diff)
			}
		})
	}
}

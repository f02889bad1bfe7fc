package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
)

// EntryType says what an entry records (design section 5.4).
type EntryType string

// The types of entry, and the sign of the amount.
const (
	CreditAdded       EntryType = "credit_added"       // + a grant became effective
	CreditDeducted    EntryType = "credit_deducted"    // - usage, or overage repaid by a new grant
	CreditExpired     EntryType = "credit_expired"     // -
	CreditRolledOver  EntryType = "credit_rolled_over" // - from the old grant, + to the new one
	RolloverForfeited EntryType = "rollover_forfeited" // - at the maximum count
	OverageCharged    EntryType = "overage_charged"    // - use beyond zero; the balance is untouched
	OverageReset      EntryType = "overage_reset"      // + overage taken away; the balance is untouched
	AutoTopUp         EntryType = "auto_top_up"        // + a grant bought by auto top-up
	ManualAdjustment  EntryType = "manual_adjustment"  // + or - by hand
	Refund            EntryType = "refund"             // + reversed usage, - refunded money
	Revoked           EntryType = "revoked"            // -
	HoldPlaced        EntryType = "hold_placed"        // - available to held (or frozen); the balance is untouched
	HoldReleased      EntryType = "hold_released"      // + held (or frozen) to available; the balance is untouched
)

// EntryTypes lists every type, in the order of the design.
func EntryTypes() []EntryType {
	return []EntryType{
		CreditAdded, CreditDeducted, CreditExpired, CreditRolledOver, RolloverForfeited, OverageCharged,
		OverageReset, AutoTopUp, ManualAdjustment, Refund, Revoked, HoldPlaced, HoldReleased,
	}
}

// Slice is what an entry changed in one grant, in units of the credit.
type Slice struct {
	Grant     int64 `json:"grant"`
	Available int64 `json:"available"`
	Frozen    int64 `json:"frozen"`
	Held      int64 `json:"held"`
}

// Sum is the change of the grant's part of the balance.
func (s Slice) Sum() int64 { return s.Available + s.Frozen + s.Held }

// Amount is how much the slice moved, whichever way: the change of the balance, or for a
// movement within the grant the change of what is available.
func (s Slice) Amount() int64 {
	if sum := s.Sum(); sum != 0 {
		return sum
	}
	return s.Available
}

// Hash chains the entries of a wallet.
type Hash [sha256.Size]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the hash from hex.
func (h *Hash) UnmarshalText(text []byte) error {
	_, err := hex.Decode(h[:], text)
	return err
}

// Entry is one immutable line of a wallet's ledger.
type Entry struct {
	Seq           int64
	Type          EntryType
	Credit        string
	Amount        int64 // signed, units of the credit
	BalanceBefore int64
	BalanceAfter  int64
	OverageBefore int64
	OverageAfter  int64
	Slices        []Slice
	Op            int64 // the entries of one command share it: the sequence of the first
	RefType       string
	RefID         string
	Reason        string
	Metadata      Metadata
	Idempotency   string
	Actor         string
	EffectiveAt   clock.Instant // when it became true
	RecordedAt    clock.Instant // when it was written down
	Prev          Hash
	Hash          Hash
}

// Past is an entry that happened, with the reversals of it that happened since.
type Past struct {
	Entry     Entry
	Reversals []Entry
}

// hashVersion heads the hashed bytes, so that the encoding can change without doubt about
// which one an old entry used.
const hashVersion = 1

// Seal computes the entry's hash over all its content and the previous entry's hash.
func (e *Entry) Seal(w id.Wallet) Hash {
	b := make([]byte, 0, 512)
	b = append(b, hashVersion)
	b = append(b, w[:]...)
	b = append(b, e.Prev[:]...)
	for _, n := range []int64{
		e.Seq, e.Amount, e.BalanceBefore, e.BalanceAfter, e.OverageBefore, e.OverageAfter,
		e.Op, int64(e.EffectiveAt), int64(e.RecordedAt), int64(len(e.Slices)),
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range e.Slices {
		for _, n := range []int64{s.Grant, s.Available, s.Frozen, s.Held} {
			b = binary.AppendVarint(b, n)
		}
	}
	for _, text := range []string{
		string(e.Type), e.Credit, e.RefType, e.RefID, e.Reason, e.Idempotency, e.Actor,
	} {
		b = appendText(b, text)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Metadata)))
	if len(e.Metadata) > 0 {
		for _, key := range slices.Sorted(maps.Keys(e.Metadata)) {
			b = appendText(appendText(b, key), e.Metadata[key])
		}
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

package store

import (
	"encoding/binary"
	"encoding/json"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// EncodeSlices packs an entry's slices for its row: the count, then grant, available, frozen
// and held of each, as varints. An entry is written once and read whole, so a row of its own
// for each slice would only cost.
func EncodeSlices(slices []wallet.Slice) []byte {
	b := make([]byte, 0, 1+len(slices)*12)
	b = binary.AppendUvarint(b, uint64(len(slices)))
	for _, s := range slices {
		for _, n := range [...]int64{s.Grant, s.Available, s.Frozen, s.Held} {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

// DecodeSlices is the inverse of EncodeSlices. It refuses bytes that it did not write.
func DecodeSlices(b []byte) ([]wallet.Slice, error) {
	damaged := fault.New("store.DecodeSlices", fault.CodeInternalError, "the slices of an entry are damaged")
	count, size := binary.Uvarint(b)
	if size <= 0 || count > uint64(len(b)) {
		return nil, damaged
	}
	b = b[size:]
	slices := make([]wallet.Slice, count)
	for i := range slices {
		s := &slices[i]
		for _, field := range [...]*int64{&s.Grant, &s.Available, &s.Frozen, &s.Held} {
			n, size := binary.Varint(b)
			if size <= 0 {
				return nil, damaged
			}
			*field = n
			b = b[size:]
		}
	}
	if len(b) != 0 {
		return nil, damaged
	}
	return slices, nil
}

// EncodeTallyKeys packs the tallies that counted a usage event for its row; empty for none.
func EncodeTallyKeys(keys []wallet.TallyKey) []byte {
	b := make([]byte, 0, len(keys)*80)
	for _, k := range keys {
		for _, text := range [...]string{k.Meter, k.Credit} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
		b = binary.AppendVarint(b, int64(k.From))
	}
	return b
}

// DecodeTallyKeys is the inverse of EncodeTallyKeys. It refuses bytes that it did not write.
func DecodeTallyKeys(b []byte) ([]wallet.TallyKey, error) {
	damaged := fault.New("store.DecodeTallyKeys", fault.CodeInternalError, "what counted a usage event is damaged")
	var keys []wallet.TallyKey
	for len(b) > 0 {
		var k wallet.TallyKey
		for _, text := range [...]*string{&k.Meter, &k.Credit} {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > uint64(len(b)-size) {
				return nil, damaged
			}
			*text = string(b[size : size+int(n)])
			b = b[size+int(n):]
		}
		from, size := binary.Varint(b)
		if size <= 0 {
			return nil, damaged
		}
		k.From = clock.Instant(from)
		keys, b = append(keys, k), b[size:]
	}
	return keys, nil
}

// Instants is a list of instants as JSON holds it in a row: numbers, as instants are everywhere in
// the tables, which is also what keeps every one of them exact.
type Instants []clock.Instant

// MarshalJSON writes the microseconds.
func (list Instants) MarshalJSON() ([]byte, error) {
	numbers := make([]int64, len(list))
	for i, at := range list {
		numbers[i] = int64(at)
	}
	return json.Marshal(numbers)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (list *Instants) UnmarshalJSON(data []byte) error {
	var numbers []int64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return err
	}
	*list = make(Instants, len(numbers))
	for i, n := range numbers {
		(*list)[i] = clock.Instant(n)
	}
	return nil
}

package money

import "testing"

func TestParseRoundedRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0.30000000000000004", 300_000, true},
		{"1.0000005", 1_000_001, true},
		{"-1.0000005", -1_000_001, true},
		{"1.0000004", 1_000_000, true},
		{"0.0000005", 1, true},
		{"0.0000004", 0, true},
		{"0.00000004", 0, true},
		{"-0.0000005", -1, true},
		{"9e-9", 0, true},
		{"12", 12_000_000, true},
		{"1e3", 1_000_000_000, true},
		{"1e30", 0, false},
		{"NaN", 0, false},
		{"", 0, false},
		{"9223372036854.7758075", 0, false},
		{"9223372036854.7758074", 9223372036854775807, true},
	} {
		got, ok := ParseRounded(c.text, 6)
		if ok != c.ok || (ok && got != c.want) {
			t.Errorf("%q: got %d, %v; want %d, %v", c.text, got, ok, c.want, c.ok)
		}
	}
}

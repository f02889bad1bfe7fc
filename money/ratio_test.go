package money

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/fault"
)

func TestParseRatio(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Ratio
		text string
	}{
		{"0", Ratio{0, 1}, "0"},
		{"-0.00", Ratio{0, 1}, "0"},
		{"1", Ratio{1, 1}, "1"},
		{"0.075", Ratio{3, 40}, "0.075"},
		{"75e-2", Ratio{3, 4}, "0.75"},
		{"1e3", Ratio{1000, 1}, "1000"},
		{"-2.50", Ratio{-5, 2}, "-2.5"},
		{"0.000000000000000001", Ratio{1, 1e18}, "0.000000000000000001"},
		{"9223372036854775807", Ratio{maxInt, 1}, "9223372036854775807"},
	} {
		got, err := ParseRatio(tc.in)
		if err != nil || got != tc.want || got.String() != tc.text {
			t.Errorf("ParseRatio(%q) = %+v %q, %v; want %+v %q", tc.in, got, got, err, tc.want, tc.text)
		}
		if got.IsZero() != (tc.text == "0") {
			t.Errorf("%q: IsZero = %v", tc.in, got.IsZero())
		}
	}
	for in, want := range map[string]fault.Code{
		"":                             fault.CodeInvalidAmount,
		"1/3":                          fault.CodeInvalidAmount,
		"NaN":                          fault.CodeInvalidAmount,
		"0.0000000000000000001":        fault.CodeAmountTooPrecise,
		"1e-99999999999":               fault.CodeAmountTooPrecise,
		"9223372036854775808":          fault.CodeAmountOutOfRange,
		"-9223372036854775808":         fault.CodeAmountOutOfRange,
		"1e99999999999":                fault.CodeAmountOutOfRange,
		"12345678901234567890.5":       fault.CodeAmountOutOfRange,
		"1" + strings.Repeat("0", 200): fault.CodeInvalidAmount,
	} {
		if got, err := ParseRatio(in); fault.CodeOf(err) != want {
			t.Errorf("ParseRatio(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestNewRatio(t *testing.T) {
	for _, tc := range []struct {
		num, den int64
		want     Ratio
		text     string
	}{
		{2, 6, Ratio{1, 3}, "1/3"},
		{-2, 6, Ratio{-1, 3}, "-1/3"},
		{2, -6, Ratio{-1, 3}, "-1/3"},
		{-6, -8, Ratio{3, 4}, "0.75"},
		{0, -5, Ratio{0, 1}, "0"},
		{minInt, 2, Ratio{minInt / 2, 1}, "-4611686018427387904"},
		{minInt, minInt, Ratio{1, 1}, "1"},
		{maxInt, 2, Ratio{maxInt, 2}, "9223372036854775807/2"}, // exact as a decimal, but not within int64
	} {
		got, err := NewRatio(tc.num, tc.den)
		if err != nil || got != tc.want || got.String() != tc.text {
			t.Errorf("NewRatio(%d, %d) = %+v %q, %v; want %+v %q", tc.num, tc.den, got, got, err, tc.want, tc.text)
		}
	}
	for _, tc := range [][2]int64{{1, 0}, {0, 0}, {minInt, 1}, {1, minInt}, {minInt, -1}} {
		if got, err := NewRatio(tc[0], tc[1]); fault.CodeOf(err) != fault.CodeAmountOutOfRange {
			t.Errorf("NewRatio(%d, %d) = %v, %v", tc[0], tc[1], got, err)
		}
	}
	// Values that no constructor makes must not panic.
	for r, text := range map[Ratio]string{{}: "0", {1, 0}: "1/0", {minInt, 1}: "-9223372036854775808/1", {1, -2}: "1/-2"} {
		if r.String() != text {
			t.Errorf("%#v prints as %q, want %q", r, r, text)
		}
	}
}

func TestRatioIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := FormatUnits(rapid.Int64Range(-maxInt, maxInt).Draw(t, "units"), rapid.IntRange(0, 18).Draw(t, "precision"))
		r, err := ParseRatio(text)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetString(text)
		if got := big.NewRat(r.Num, r.Den); got.Cmp(want) != 0 || want.Denom().Int64() != r.Den {
			t.Fatalf("%s read as %d/%d, want %v", text, r.Num, r.Den, want)
		}
		if r.String() != text {
			t.Fatalf("%s prints as %s", text, r)
		}
	})
}

// FuzzParseRatio holds what is read against math/big: it is that number exactly, in lowest terms,
// or there is a reason to refuse it.
func FuzzParseRatio(f *testing.F) {
	for _, seed := range []string{"", "0", "-0.00", "1", "0.075", "75e-2", "1e18", "1e19", "9223372036854775807", "NaN", "1/3", "1e-18", "1e-19", "00.10", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseRatio(text)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.CodeInvalidAmount && code != fault.CodeAmountTooPrecise && code != fault.CodeAmountOutOfRange {
				t.Fatalf("%q is refused with %v", text, err)
			}
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok && got.IsZero() {
			return // math/big gives up on exponents that change nothing about zero
		}
		if !ok || big.NewRat(got.Num, got.Den).Cmp(want) != 0 || want.Denom().Int64() != got.Den {
			t.Fatalf("%q reads as %d/%d, want %v", text, got.Num, got.Den, want)
		}
		if again, err := ParseRatio(got.String()); err != nil || again != got {
			t.Fatalf("%q prints as %q, which reads as %v (%v)", text, got, again, err)
		}
	})
}

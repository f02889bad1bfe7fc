package money

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/fault"
)

func TestParseUnits(t *testing.T) {
	for _, tc := range []struct {
		in        string
		precision int
		want      int64
	}{
		{"0", 0, 0},
		{"0", 10, 0},
		{"-0", 2, 0},
		{"0.000", 0, 0},
		{"-0.0", 0, 0},
		{"0e999999999999", 3, 0},
		{"1", 0, 1},
		{"1", 10, 1e10},
		{"007", 0, 7},
		{"-12", 1, -120},
		{"1.50", 2, 150},
		{"1.50", 1, 15},
		{"1.000", 0, 1},
		{"0.1", 1, 1},
		{"0.0000000001", 10, 1},
		{"1e3", 0, 1000},
		{"1E+3", 0, 1000},
		{"1.5e1", 0, 15},
		{"1500e-2", 0, 15},
		{"25e-1", 1, 25},
		{"1e0000000000000000001", 0, 10},
		{"9223372036854775807", 0, math.MaxInt64},
		{"-9223372036854775808", 0, math.MinInt64},
		{"922337203.6854775807", 10, math.MaxInt64},
		{"-922337203.6854775808", 10, math.MinInt64},
		{"0." + strings.Repeat("0", 50) + "1e51", 0, 1},
		{"1" + strings.Repeat("0", 50) + "e-50", 0, 1},
	} {
		got, err := ParseUnits(tc.in, tc.precision)
		if err != nil || got != tc.want {
			t.Errorf("ParseUnits(%q, %d) = %d, %v; want %d", tc.in, tc.precision, got, err, tc.want)
		}
	}
}

func TestParseUnitsRefuses(t *testing.T) {
	const (
		invalid = fault.CodeInvalidAmount
		precise = fault.CodeAmountTooPrecise
		ranged  = fault.CodeAmountOutOfRange
	)
	for _, tc := range []struct {
		in        string
		precision int
		want      fault.Code
	}{
		{"", 0, invalid},
		{"-", 0, invalid},
		{"+1", 0, invalid},
		{"--1", 0, invalid},
		{"- 1", 0, invalid},
		{" 1", 0, invalid},
		{"1 ", 0, invalid},
		{"1\n", 0, invalid},
		{"1_000", 0, invalid},
		{"1,000", 0, invalid},
		{"NaN", 0, invalid},
		{"nan", 0, invalid},
		{"Inf", 0, invalid},
		{"-Infinity", 0, invalid},
		{"0x10", 0, invalid},
		{"0b1", 0, invalid},
		{"0o7", 0, invalid},
		{"1p3", 0, invalid},
		{".5", 1, invalid},
		{"5.", 1, invalid},
		{".", 1, invalid},
		{"1.2.3", 5, invalid},
		{"e3", 0, invalid},
		{"1e", 0, invalid},
		{"1e+", 0, invalid},
		{"1e1.5", 0, invalid},
		{"1e3e3", 0, invalid},
		{"१", 0, invalid},
		{"1\x00", 0, invalid},
		{"null", 0, invalid},
		{"$1", 0, invalid},
		{strings.Repeat("0", maxText+1), 0, invalid},
		{strings.Repeat("9", 1<<20), 0, invalid},
		{"0.1", 0, precise},
		{"1.001", 2, precise},
		{"-1.001", 2, precise},
		{"1e-3", 2, precise},
		{"1e-999999999999999999999", 10, precise},
		{"0.00000000001", 10, precise},
		{"9223372036854775808", 0, ranged},
		{"-9223372036854775809", 0, ranged},
		{"922337203.6854775808", 10, ranged},
		{"9999999999999999999", 0, ranged},
		{"99999999999999999999", 0, ranged},
		{"1e19", 0, ranged},
		{"1e999999999999999999999", 0, ranged},
		{"1e-1e9", 0, invalid},
		{"1", -1, fault.CodeInvariantViolated},
		{"1", MaxPrecision + 1, fault.CodeInvariantViolated},
	} {
		got, err := ParseUnits(tc.in, tc.precision)
		if code := fault.CodeOf(err); code != tc.want || got != 0 {
			t.Errorf("ParseUnits(%.30q, %d) = %d, %v; want %s", tc.in, tc.precision, got, err, tc.want)
		}
	}
}

func TestRefusalSaysWhatIsAllowed(t *testing.T) {
	_, err := ParseUnits("1.2345", 2)
	e := fault.As(err)
	if !strings.Contains(e.Message, "at most 2") || e.Details["max_decimals"] != 2 {
		t.Errorf("message %q, details %v", e.Message, e.Details)
	}
	_, err = ParseUnits(strings.Repeat("x", 1<<20), 2)
	if n := len(fault.As(err).Message); n > 200 {
		t.Errorf("the message repeats %d bytes of input", n)
	}
}

func TestFormatUnits(t *testing.T) {
	for _, tc := range []struct {
		units     int64
		precision int
		want      string
	}{
		{0, 0, "0"},
		{0, 10, "0"},
		{5, 0, "5"},
		{-5, 0, "-5"},
		{150, 2, "1.5"},
		{100, 2, "1"},
		{1000, 0, "1000"},
		{1, 10, "0.0000000001"},
		{-1, 3, "-0.001"},
		{-10, 1, "-1"},
		{12345, 2, "123.45"},
		{7, -1, "7"},
		{math.MaxInt64, 10, "922337203.6854775807"},
		{math.MinInt64, 0, "-9223372036854775808"},
		{math.MinInt64, 10, "-922337203.6854775808"},
		{math.MinInt64, 20, "-0.09223372036854775808"},
	} {
		if got := FormatUnits(tc.units, tc.precision); got != tc.want {
			t.Errorf("FormatUnits(%d, %d) = %q, want %q", tc.units, tc.precision, got, tc.want)
		}
	}
}

func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64().Draw(t, "units")
		precision := rapid.IntRange(0, MaxPrecision).Draw(t, "precision")
		text := FormatUnits(units, precision)
		if got, err := ParseUnits(text, precision); err != nil || got != units {
			t.Fatalf("%d at precision %d reads back from %q as %d, %v", units, precision, text, got, err)
		}
	})
}

var grammar = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// FuzzParseUnits holds ParseUnits against a regular expression for its grammar
// and math/big for its value.
func FuzzParseUnits(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "1.50", "1e3", "-12.5E-1", "9223372036854775807", "-9223372036854775808",
		"1e999999999", "0e-999999999", "NaN", "Inf", "0x1", "1_0", " 1", "+1", "", ".", "1.", ".1", "1e", "00.10",
	} {
		for _, p := range []int{0, 2, 10} {
			f.Add(s, p)
		}
	}
	f.Fuzz(func(t *testing.T, s string, precision int) {
		got, err := ParseUnits(s, precision)
		switch {
		case precision < 0 || precision > MaxPrecision:
			want(t, s, err, fault.CodeInvariantViolated)
			return
		case !grammar.MatchString(s) || len(s) > maxText:
			want(t, s, err, fault.CodeInvalidAmount)
			return
		}
		value, small := bigValue(s, precision)
		if !small { // too far out for big.Rat to be asked
			if err == nil {
				t.Fatalf("ParseUnits(%q, %d) = %d, want an error", s, precision, got)
			}
			return
		}
		switch {
		case !value.IsInt():
			want(t, s, err, fault.CodeAmountTooPrecise)
		case !value.Num().IsInt64():
			want(t, s, err, fault.CodeAmountOutOfRange)
		case err != nil || got != value.Num().Int64():
			t.Fatalf("ParseUnits(%q, %d) = %d, %v; want %v", s, precision, got, err, value)
		default:
			text := FormatUnits(got, precision)
			if again, err := ParseUnits(text, precision); err != nil || again != got {
				t.Fatalf("%q formats as %q, which reads as %d, %v", s, text, again, err)
			}
		}
	})
}

func want(t *testing.T, s string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("ParseUnits(%q): %v, want %s", s, err, code)
	}
}

// bigValue returns s x 10^precision by way of math/big, or false when the
// exponent is so large that the value cannot be in range and big.Rat would
// only burn memory. Zero is never that large.
func bigValue(s string, precision int) (*big.Rat, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if !strings.ContainsAny(mantissa, "123456789") {
		return new(big.Rat), true
	}
	if exponent != "" {
		e, ok := new(big.Int).SetString(exponent, 10)
		if !ok || e.CmpAbs(big.NewInt(1000)) > 0 {
			return nil, false
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return r.Mul(r, new(big.Rat).SetInt(scale)), true
}

func TestDecimalJSON(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`"12.50"`, "12.50"},
		{`12.50`, "12.50"},
		{`-3`, "-3"},
		{`1e3`, "1e3"},
		{`null`, ""},
		{`""`, ""},
		{`0.1000000000000000055511151231257827`, "0.1000000000000000055511151231257827"},
		{`9007199254740993`, "9007199254740993"}, // not a float64
		{`"1\u0030"`, "10"},
		{`"junk"`, "junk"}, // judged by Valid and Units
	} {
		var v struct{ A Decimal }
		if err := json.Unmarshal([]byte(`{"A": `+tc.in+` }`), &v); err != nil || string(v.A) != tc.want {
			t.Errorf("%s: got %q, %v; want %q", tc.in, v.A, err, tc.want)
		}
	}
	for _, in := range []string{`true`, `[1]`, `{"a":1}`} {
		var d Decimal
		if err := json.Unmarshal([]byte(in), &d); fault.CodeOf(err) != fault.CodeInvalidAmount {
			t.Errorf("%s: got %v, want invalid_amount", in, err)
		}
	}
	if out, err := json.Marshal(map[string]Decimal{"a": "1.5"}); err != nil || string(out) != `{"a":"1.5"}` {
		t.Errorf("marshal: %s, %v", out, err)
	}
}

func TestDecimalMethods(t *testing.T) {
	if got, err := Decimal("1.5").Units(2); err != nil || got != 150 {
		t.Errorf("Units: %d, %v", got, err)
	}
	for in, want := range map[Decimal]fault.Code{
		"1": "", "1e99999": "", "0.00000000000000001": "", "": fault.CodeInvalidAmount, "x": fault.CodeInvalidAmount,
	} {
		err := in.Valid()
		if fault.CodeOf(err) != want {
			t.Errorf("Valid(%q) = %v, want %q", in, err, want)
		}
	}
}

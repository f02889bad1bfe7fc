package money

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// maxText is the greatest length of a decimal's text. Every amount that fits
// int64 can be written in far less; the rest is padding that nobody needs.
const maxText = 128

// maxExponent is where exponents stop being counted: with at most maxText
// digits, anything beyond it is out of range or too precise all the same.
const maxExponent = 10_000

// maxDigits is the number of significant digits that can fit an int64.
const maxDigits = 19

// number is a decimal taken apart: (-1)^neg x digits x 10^exp. The digits have
// no zeros at either end, so zero has none at all; then neg and exp are unset.
type number struct {
	neg    bool
	digits string
	exp    int
}

// scan takes s apart. It accepts -? digits ( . digits )? ( e [+-]? digits )?
// and reports whether s has that form.
func scan(s string) (number, bool) {
	if len(s) > maxText {
		return number{}, false
	}
	var n number
	s, n.neg = strings.CutPrefix(s, "-")
	whole, s := cutDigits(s)
	if whole == "" {
		return number{}, false
	}
	var fraction string
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if fraction, s = cutDigits(rest); fraction == "" {
			return number{}, false
		}
	}
	exp, ok := scanExponent(s)
	if !ok {
		return number{}, false
	}
	all := strings.TrimLeft(whole+fraction, "0")
	n.digits = strings.TrimRight(all, "0")
	if n.digits == "" {
		return number{}, true
	}
	n.exp = exp - len(fraction) + len(all) - len(n.digits)
	return n, true
}

// scanExponent reads the rest of a decimal: nothing, or an exponent. It stops
// counting beyond maxExponent, so that no text can make later work expensive.
func scanExponent(s string) (exp int, ok bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	sign := 1
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	digits, rest := cutDigits(s)
	if digits == "" || rest != "" {
		return 0, false
	}
	for i := range len(digits) {
		exp = min(exp*10+int(digits[i]-'0'), maxExponent)
	}
	return sign * exp, true
}

// cutDigits splits s after its leading ASCII digits.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// integer returns n x 10^shift, which must be whole (n.exp + shift >= 0), and
// reports whether int64 can hold it.
func (n number) integer(shift int) (int64, bool) {
	zeros := n.exp + shift
	if n.digits == "" {
		return 0, true
	}
	if len(n.digits)+zeros > maxDigits {
		return 0, false
	}
	var u uint64 // nineteen digits fit
	for i := range len(n.digits) {
		u = u*10 + uint64(n.digits[i]-'0')
	}
	for range zeros {
		u *= 10
	}
	switch {
	case !n.neg && u <= math.MaxInt64:
		return int64(u), true
	case n.neg && u <= -math.MinInt64:
		return int64(-u), true // wraps to MinInt64 at the far end, as it should
	}
	return 0, false
}

// ParseUnits reads decimal text as a whole number of units of 10^-precision,
// exactly. It accepts what a JSON number may look like ("12", "-1.50", "1e3"),
// and leading zeros. Precision is 0 to MaxPrecision.
//
// The error's code is invalid_amount when s is not a decimal,
// amount_too_precise when it has more decimals than precision allows, with the
// detail max_decimals, and amount_out_of_range when int64 cannot hold it.
func ParseUnits(s string, precision int) (int64, error) {
	const op = "money.ParseUnits"
	if precision < 0 || precision > MaxPrecision {
		return 0, fault.New(op, fault.CodeInvariantViolated, "Precision %d is not within 0 to %d.", precision, MaxPrecision)
	}
	n, ok := scan(s)
	if !ok {
		return 0, notDecimal(op, s)
	}
	if n.exp+precision < 0 {
		return 0, tooPrecise(op, s, precision)
	}
	units, ok := n.integer(precision)
	if !ok {
		return 0, outOfRange(op)
	}
	return units, nil
}

// FormatUnits returns units of 10^-precision as decimal text in its one
// canonical form: no exponent, no zeros that say nothing, "0" for zero. A
// precision below 0 counts as 0.
func FormatUnits(units int64, precision int) string {
	if units == 0 {
		return "0"
	}
	sign := ""
	if units < 0 {
		sign = "-"
	}
	digits := strconv.FormatUint(magnitude(units), 10)
	if precision <= 0 {
		return sign + digits
	}
	if missing := precision + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - precision
	fraction := strings.TrimRight(digits[point:], "0")
	if fraction == "" {
		return sign + digits[:point]
	}
	return sign + digits[:point] + "." + fraction
}

// Decimal is decimal text as it travels in JSON: read from a string or a
// number, always written as a string. A number keeps its literal text, since
// going through a float64 would alter it. Empty means that it was absent or
// null.
//
// Unmarshalling does not judge the text, because whoever knows the field's name
// and the credit's precision can give the better error: Units or Valid. There is
// no MarshalJSON: encoding/json writes a string by itself, in a fifth of the time.
type Decimal string

// Units is ParseUnits of the text.
func (d Decimal) Units(precision int) (int64, error) { return ParseUnits(string(d), precision) }

// Valid returns nil when the text is a decimal, of whatever size and precision.
// The error's code is invalid_amount.
func (d Decimal) Valid() error {
	if _, ok := scan(string(d)); !ok {
		return notDecimal("money.Decimal.Valid", string(d))
	}
	return nil
}

// UnmarshalJSON reads a JSON string or number, and empty text from null. The
// error's code is invalid_amount.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	switch {
	case string(data) == "null":
		*d = ""
		return nil
	case len(data) > 0 && data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return notDecimal("money.Decimal.UnmarshalJSON", string(data)).Because(err)
		}
		*d = Decimal(s)
		return nil
	case len(data) > 0 && (data[0] == '-' || '0' <= data[0] && data[0] <= '9'):
		*d = Decimal(data)
		return nil
	}
	return notDecimal("money.Decimal.UnmarshalJSON", string(data))
}

func notDecimal(op, s string) *fault.Error {
	return fault.New(op, fault.CodeInvalidAmount, "%s is not a decimal number such as 12.50.", quote(s))
}

func tooPrecise(op, s string, decimals int) *fault.Error {
	return fault.New(op, fault.CodeAmountTooPrecise,
		"%s has too many decimals; at most %d are allowed.", quote(s), decimals).With("max_decimals", decimals)
}

// quote returns s in quotes for an error message, cut short because it is
// whatever somebody sent.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

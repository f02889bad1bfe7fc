package money

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/seed42445051/scrip/fault"
)

// Ratio is an exact fraction: a rate, a percentage, units per credit. It is
// kept reduced, with Den above 0, when made by NewRatio or ParseRatio; then
// equal ratios are ==. The zero Ratio, with Den 0, counts as zero for IsZero
// and String but is not fit to divide by.
type Ratio struct{ Num, Den int64 }

// pow10 holds 10^0 to 10^18, all the powers that fit int64.
var pow10 = func() (p [maxDigits]int64) {
	v := int64(1)
	for i := range p {
		p[i] = v
		v *= 10 // the last product wraps and is not used
	}
	return p
}()

// NewRatio returns num/den, reduced. The error's code is amount_out_of_range
// when den is 0 or the reduced fraction does not fit int64.
func NewRatio(num, den int64) (Ratio, error) {
	if den == 0 {
		return Ratio{}, fault.New("money.NewRatio", fault.CodeAmountOutOfRange, "A ratio cannot have the denominator 0.")
	}
	neg := (num < 0) != (den < 0)
	n, d := magnitude(num), magnitude(den)
	g := gcd(n, d)
	n, d = n/g, d/g
	// MinInt64 has no counterpart above zero, so it is given up on both sides.
	if n > math.MaxInt64 || d > math.MaxInt64 {
		return Ratio{}, outOfRange("money.NewRatio")
	}
	r := Ratio{Num: int64(n), Den: int64(d)}
	if neg {
		r.Num = -r.Num
	}
	return r, nil
}

// ParseRatio reads decimal text, such as "0.075", as an exact fraction. It
// accepts what ParseUnits accepts, with up to 18 decimals. The error's code is
// invalid_amount, amount_too_precise or amount_out_of_range.
func ParseRatio(s string) (Ratio, error) {
	const op = "money.ParseRatio"
	n, ok := scan(s)
	if !ok {
		return Ratio{}, notDecimal(op, s)
	}
	decimals := max(0, -n.exp)
	if decimals >= len(pow10) {
		return Ratio{}, tooPrecise(op, s, len(pow10)-1)
	}
	num, ok := n.integer(decimals)
	if !ok {
		return Ratio{}, outOfRange(op)
	}
	return NewRatio(num, pow10[decimals])
}

// IsZero reports whether r is zero.
func (r Ratio) IsZero() bool { return r.Num == 0 }

// String returns r as canonical decimal text when it has at most 18 decimals
// and fits, so that ParseRatio reads it back; otherwise as "NUM/DEN".
func (r Ratio) String() string {
	if r.Num == 0 {
		return "0"
	}
	for decimals, p := range pow10 {
		if r.Den <= 0 || p%r.Den != 0 {
			continue
		}
		// The first power that Den divides is the shortest form, so if the
		// units do not fit here they never will.
		hi, units := bits.Mul64(magnitude(r.Num), uint64(p/r.Den))
		if hi != 0 || units > math.MaxInt64 {
			break
		}
		text := FormatUnits(int64(units), decimals)
		if r.Num < 0 {
			text = "-" + text
		}
		return text
	}
	return strconv.FormatInt(r.Num, 10) + "/" + strconv.FormatInt(r.Den, 10)
}

// magnitude returns |v|, which for MinInt64 only a uint64 can hold.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// gcd returns the greatest common divisor; b must not be 0.
func gcd(a, b uint64) uint64 {
	for a != 0 {
		a, b = b%a, a
	}
	return b
}

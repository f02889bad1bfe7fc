// Package money owns exact arithmetic on amounts: decimal text to integers and
// back, sums that notice overflow, and proportions with a stated direction of
// rounding. Nothing here is a floating-point number, and nothing is rounded
// unless the function's name says so.
//
// An amount is an int64 in units of 10^-precision, the precision being that of
// its credit. This package does not know credits, of currencies only their
// decimals and symbols, and does not decide which amounts a command accepts: it
// reads negative ones too.
package money

import (
	"math"
	"math/bits"

	"github.com/seed42445051/scrip/fault"
)

// MaxPrecision is the greatest number of decimals that a credit can have. It
// leaves room for more than 900 million whole credits in an int64.
const MaxPrecision = 10

// Add returns a + b. The error's code is amount_out_of_range when int64 cannot
// hold the sum.
func Add(a, b int64) (int64, error) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) {
		return 0, outOfRange("money.Add")
	}
	return sum, nil
}

// Sub returns a - b. The error's code is amount_out_of_range when int64 cannot
// hold the difference.
func Sub(a, b int64) (int64, error) {
	diff := a - b
	if (b > 0 && diff > a) || (b < 0 && diff < a) {
		return 0, outOfRange("money.Sub")
	}
	return diff, nil
}

// MulDivFloor returns a*b/c rounded down, for a and b of 0 or more and c above
// 0. The product is kept in 128 bits, so only the quotient has to fit int64.
// The error's code is amount_out_of_range, also for arguments outside of these.
func MulDivFloor(a, b, c int64) (int64, error) {
	q, _, ok := mulDiv(a, b, c)
	if !ok {
		return 0, outOfRange("money.MulDivFloor")
	}
	return q, nil
}

// MulDivCeil returns a*b/c rounded up; otherwise it is as MulDivFloor.
func MulDivCeil(a, b, c int64) (int64, error) {
	q, rem, ok := mulDiv(a, b, c)
	if !ok || (rem && q == math.MaxInt64) {
		return 0, outOfRange("money.MulDivCeil")
	}
	if rem {
		q++
	}
	return q, nil
}

// mulDiv returns the floor of a*b/c and whether there is a remainder; ok is
// false when an argument or the quotient is out of range.
func mulDiv(a, b, c int64) (q int64, rem, ok bool) {
	if a < 0 || b < 0 || c <= 0 {
		return 0, false, false
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) { // the quotient needs more than 64 bits; Div64 would panic
		return 0, false, false
	}
	quo, r := bits.Div64(hi, lo, uint64(c))
	if quo > math.MaxInt64 {
		return 0, false, false
	}
	return int64(quo), r != 0, true
}

func outOfRange(op string) error {
	return fault.New(op, fault.CodeAmountOutOfRange, "The amount is too large to be kept exactly.")
}

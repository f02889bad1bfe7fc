package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/fault"
)

const (
	minInt = math.MinInt64
	maxInt = math.MaxInt64
)

func TestAddSub(t *testing.T) {
	for _, tc := range []struct {
		a, b       int64
		sum, diff  int64
		sumOK, dOK bool
	}{
		{1, 2, 3, -1, true, true},
		{maxInt, 0, maxInt, maxInt, true, true},
		{maxInt, 1, 0, maxInt - 1, false, true},
		{maxInt, -1, maxInt - 1, 0, true, false},
		{minInt, 0, minInt, minInt, true, true},
		{minInt, -1, 0, minInt + 1, false, true},
		{minInt, 1, minInt + 1, 0, true, false},
		{0, minInt, minInt, 0, true, false},
		{-1, minInt, 0, maxInt, false, true},
		{minInt, minInt, 0, 0, false, true},
		{maxInt, minInt, -1, 0, true, false},
	} {
		sum, err := Add(tc.a, tc.b)
		check(t, "Add", tc.a, tc.b, sum, err, tc.sum, tc.sumOK)
		diff, err := Sub(tc.a, tc.b)
		check(t, "Sub", tc.a, tc.b, diff, err, tc.diff, tc.dOK)
	}
}

func check(t *testing.T, what string, a, b, got int64, err error, want int64, ok bool) {
	t.Helper()
	switch {
	case ok && (err != nil || got != want):
		t.Errorf("%s(%d, %d) = %d, %v; want %d", what, a, b, got, err, want)
	case !ok && fault.CodeOf(err) != fault.CodeAmountOutOfRange:
		t.Errorf("%s(%d, %d) = %d, %v; want amount_out_of_range", what, a, b, got, err)
	}
}

func TestMulDiv(t *testing.T) {
	for _, tc := range []struct {
		a, b, c     int64
		floor, ceil int64
		fOK, cOK    bool
	}{
		{200, 75, 100, 150, 150, true, true}, // the rollover of the design: 75 % of 200
		{0, 5, 3, 0, 0, true, true},
		{1, 1, 3, 0, 1, true, true},
		{7, 3, 2, 10, 11, true, true},
		{maxInt, maxInt, maxInt, maxInt, maxInt, true, true},
		{maxInt, maxInt, 1, 0, 0, false, false},
		{maxInt, 2, 1, 0, 0, false, false},
		{maxInt, maxInt - 1, maxInt, maxInt - 1, maxInt - 1, true, true},
		// The product is 2^64-1, so the quotient is MaxInt64 and a half.
		{1<<32 - 1, 1<<32 + 1, 2, maxInt, 0, true, false},
		{-1, 1, 1, 0, 0, false, false},
		{1, -1, 1, 0, 0, false, false},
		{1, 1, 0, 0, 0, false, false},
		{1, 1, -1, 0, 0, false, false},
		{0, 0, minInt, 0, 0, false, false},
	} {
		got, err := MulDivFloor(tc.a, tc.b, tc.c)
		check(t, "MulDivFloor", tc.a, tc.b, got, err, tc.floor, tc.fOK)
		got, err = MulDivCeil(tc.a, tc.b, tc.c)
		check(t, "MulDivCeil", tc.a, tc.b, got, err, tc.ceil, tc.cOK)
	}
}

// TestMulDivAgreesWithBig compares with arbitrary precision, with factors near
// both ends and quotients near the edge of int64.
func TestMulDivAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.OneOf(
			rapid.Int64Range(0, maxInt),
			rapid.Int64Range(0, 100),
			rapid.Int64Range(maxInt-100, maxInt),
			rapid.Int64Range(1<<31-50, 1<<31+50),
		)
		a, b := edge.Draw(t, "a"), edge.Draw(t, "b")
		c := max(1, edge.Draw(t, "c"))
		if rapid.Bool().Draw(t, "near the edge") {
			// Choose c so that the quotient lies about MaxInt64.
			p := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
			c = max(1, p.Div(p, big.NewInt(maxInt)).Int64()+rapid.Int64Range(0, 1).Draw(t, "step"))
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		floor, rem := new(big.Int).QuoRem(product, big.NewInt(c), new(big.Int))
		ceil := new(big.Int).Set(floor)
		if rem.Sign() > 0 {
			ceil.Add(ceil, big.NewInt(1))
		}
		for _, f := range []struct {
			name string
			fn   func(a, b, c int64) (int64, error)
			want *big.Int
		}{{"floor", MulDivFloor, floor}, {"ceil", MulDivCeil, ceil}} {
			got, err := f.fn(a, b, c)
			if f.want.IsInt64() != (err == nil) || (err == nil && got != f.want.Int64()) {
				t.Fatalf("%s(%d*%d/%d) = %d, %v; want %v", f.name, a, b, c, got, err, f.want)
			}
		}
	})
}

func TestErrorsAreTyped(t *testing.T) {
	_, err := Add(maxInt, 1)
	var e *fault.Error
	if !errors.As(err, &e) || e.Op != "money.Add" || e.Kind() != fault.Invalid {
		t.Errorf("got %#v", err)
	}
	if _, err := Add(1, 1); err != nil {
		t.Errorf("a success must be a nil interface, got %#v", err)
	}
}

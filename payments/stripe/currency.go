package stripe

import (
	"math"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// counting is how Stripe counts a currency where that is not simply in its minor units, as package
// money has them (docs.stripe.com/currencies, special cases).
type counting struct {
	scale int64 // what Stripe calls one of our minor units
	step  int64 // amounts are multiples of it, in our minor units
}

var countings = map[string]counting{
	"isk": {1, 100}, // has no minor unit in use, and is sent with two decimals that are 00
	"ugx": {100, 1}, // the same, and has none with us
	"bhd": {1, 10},  // three decimals, of which the last is 0
	"jod": {1, 10},
	"kwd": {1, 10},
	"omr": {1, 10},
	"tnd": {1, 10},
}

func countingOf(currency string) counting {
	if c, ok := countings[currency]; ok {
		return c
	}
	return counting{1, 1}
}

// toStripe is an amount in minor units as Stripe counts it. One that Stripe cannot charge is
// invalid_amount.
func toStripe(minor int64, currency string) (int64, error) {
	currency = strings.ToLower(currency)
	c := countingOf(currency)
	if minor < 0 || minor > math.MaxInt64/c.scale {
		return 0, fault.New("stripe.toStripe", fault.CodeAmountOutOfRange, "%d minor units of %s cannot be charged", minor, currency)
	}
	if minor%c.step != 0 {
		return 0, fault.New("stripe.toStripe", fault.CodeInvalidAmount,
			"Stripe charges %s in multiples of %d minor units, and %d is none: change the price", currency, c.step, minor)
	}
	return minor * c.scale, nil
}

// fromStripe is an amount as Stripe counts it in minor units. What is below one is not counted:
// Stripe neither charges nor refunds it.
func fromStripe(amount int64, currency string) int64 { return amount / countingOf(currency).scale }

// defaultMinimum is the smallest charge of currencies that are not in the table, in minor units. Where
// it is too low Stripe itself says so.
const defaultMinimum = 50

// minimums are the smallest charges, in minor units (docs.stripe.com/currencies, minimum amounts).
var minimums = map[string]int64{
	"usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
	"gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
	"ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}

// Minimum is the smallest amount of a currency that Stripe charges, in minor units.
func (p *Provider) Minimum(currency string) int64 {
	currency = strings.ToLower(currency)
	if m, ok := minimums[currency]; ok {
		return m
	}
	step := countingOf(currency).step
	return (defaultMinimum + step - 1) / step * step
}

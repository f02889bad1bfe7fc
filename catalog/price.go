package catalog

import (
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Limits on money (design law 5: absurd prices are refused).
const (
	// MaxPrice bounds the price of a pack, in minor units.
	MaxPrice = 1_000_000_000_000
	// MaxUnitPrice bounds the price of one credit, in minor units, and MaxPriceDecimals its
	// decimals: it is often a fraction of a minor unit. Every price within both is exact in int64.
	MaxUnitPrice     = 1_000_000_000
	MaxPriceDecimals = 9
)

// unitPriceScale is ten to the power of MaxPriceDecimals.
const unitPriceScale = 1_000_000_000

// CheckCurrency accepts a code of three small letters, as "usd".
func CheckCurrency(code, field string) error {
	small := len(code) == 3
	for i := range len(code) {
		small = small && 'a' <= code[i] && code[i] <= 'z'
	}
	if small {
		return nil
	}
	return fault.New("catalog.CheckCurrency", fault.CodeInvalidRequest, "%s must be the three letters of a currency, such as usd", field).In(field)
}

// ReadPrice reads the price of one credit in minor units: an exact decimal that is not negative,
// at most MaxUnitPrice and with at most MaxPriceDecimals decimals. It returns its one way of writing,
// since two ways to write a price are the same price.
func ReadPrice(text money.Decimal, field string) (money.Decimal, error) {
	price, err := money.ParseRatio(string(text))
	refused := fault.New("catalog.ReadPrice", fault.CodeInvalidAmount,
		"%s must be a decimal of 0 to %d minor units with at most %d decimals", field, MaxUnitPrice, MaxPriceDecimals).In(field)
	if err != nil {
		return "", refused.Because(err)
	}
	units, err := money.Decimal(price.String()).Units(MaxPriceDecimals)
	if err != nil || units < 0 || units > MaxUnitPrice*unitPriceScale {
		return "", refused
	}
	return money.Decimal(price.String()), nil
}

package money

import (
	"fmt"
	"slices"
	"strings"
)

// Currencies whose smallest unit is not a hundredth.
var (
	withoutDecimals = []string{
		"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
	}
	withThousandths = []string{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
)

// CurrencyDecimals is how many decimals a currency has, by its ISO 4217 code in capitals: its
// smallest unit is 10^-decimals. A code that is not known has two, as nearly all do.
func CurrencyDecimals(code string) int {
	switch {
	case slices.Contains(withoutDecimals, code):
		return 0
	case slices.Contains(withThousandths, code):
		return 3
	}
	return 2
}

// symbols are those by which English readers tell a currency from all others. A dollar that is not
// the American one says whose it is.
var symbols = map[string]string{
	"AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "ILS": "₪",
	"INR": "₹", "JPY": "¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "TWD": "NT$", "USD": "$", "VND": "₫",
}

// Display is an amount of money as people write it, from its minor units and the currency's ISO 4217
// code in either case: "$1,234.50", "¥500", "-€4.00". A currency without a symbol of its own is named
// behind the number, as in "10.00 CHF".
func Display(minor int64, currency string) string {
	code := strings.ToUpper(currency)
	sign, number := "", fixed(magnitude(minor), CurrencyDecimals(code))
	if minor < 0 {
		sign = "-"
	}
	if symbol, ok := symbols[code]; ok {
		return sign + symbol + number
	}
	return strings.TrimRight(sign+number+" "+code, " ")
}

// fixed is a number of units of 10^-decimals with all of its decimals, and with commas.
func fixed(units uint64, decimals int) string {
	digits := fmt.Sprintf("%0*d", decimals+1, units)
	point := len(digits) - decimals
	if decimals == 0 {
		return grouped(digits)
	}
	return grouped(digits[:point]) + "." + digits[point:]
}

// Group is decimal text with commas between the thousands, for people: "12,000.5". What is not in
// the canonical form of FormatUnits comes back as it is.
func Group(d Decimal) string {
	sign, number := "", string(d)
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		sign, number = "-", rest
	}
	whole, rest := cutDigits(number)
	if fraction, ok := strings.CutPrefix(rest, "."); rest != "" {
		if digits, more := cutDigits(fraction); !ok || digits == "" || more != "" {
			return string(d)
		}
	}
	return sign + grouped(whole) + rest
}

// grouped is digits with commas between the thousands.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

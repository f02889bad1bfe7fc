package money

import "slices"

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

package money

import (
	"math"
	"testing"
)

func TestCurrencyDecimals(t *testing.T) {
	for code, want := range map[string]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "???": 2} {
		if got := CurrencyDecimals(code); got != want {
			t.Errorf("%s has %d decimals, want %d", code, got, want)
		}
	}
}

func TestDisplay(t *testing.T) {
	for _, tc := range []struct {
		minor    int64
		currency string
		want     string
	}{
		{1000, "usd", "$10.00"},
		{123450, "USD", "$1,234.50"},
		{500, "jpy", "¥500"},
		{1234567, "JPY", "¥1,234,567"},
		{400, "EUR", "€4.00"},
		{-400, "EUR", "-€4.00"},
		{5, "usd", "$0.05"},
		{0, "usd", "$0.00"},
		{1000, "cad", "CA$10.00"},
		{1000, "chf", "10.00 CHF"},
		{-1000, "chf", "-10.00 CHF"},
		{1234567, "kwd", "1,234.567 KWD"},
		{1000, "", "10.00"},
		{99999, "usd", "$999.99"},
		{math.MaxInt64, "usd", "$92,233,720,368,547,758.07"},
		{math.MinInt64, "jpy", "-¥9,223,372,036,854,775,808"},
	} {
		if got := Display(tc.minor, tc.currency); got != tc.want {
			t.Errorf("%d %s is shown as %q, want %q", tc.minor, tc.currency, got, tc.want)
		}
	}
}

func TestGroup(t *testing.T) {
	for in, want := range map[Decimal]string{
		"0": "0", "999": "999", "1000": "1,000", "-1000": "-1,000", "1234567.0001": "1,234,567.0001", "0.12345": "0.12345",
		"": "", "1e9": "1e9", "-": "-", "1.": "1.", "1000.x": "1000.x", "many": "many",
	} {
		if got := Group(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

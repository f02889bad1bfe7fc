package stripe

import (
	"math"
	"testing"

	"github.com/seed42445051/scrip/fault"
)

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		currency      string
		minor, amount int64 // amount < 0: refused
	}{
		{"usd", 1500, 1500},
		{"jpy", 500, 500},
		{"ugx", 5, 500},
		{"isk", 500, 500},
		{"isk", 550, -1},
		{"kwd", 5120, 5120},
		{"kwd", 5124, -1},
		{"KWD", 5120, 5120},
		{"usd", -1, -1},
		{"ugx", math.MaxInt64 / 2, -1},
		{"mga", 20, 20},
		{"usd", 0, 0},
	} {
		got, err := toStripe(c.minor, c.currency)
		if c.amount < 0 {
			if err == nil || fault.As(err).Kind() != fault.Invalid {
				t.Errorf("%d %s is sent as %d, %v", c.minor, c.currency, got, err)
			}
			continue
		}
		if err != nil || got != c.amount || c.currency != "KWD" && fromStripe(got, c.currency) != c.minor {
			t.Errorf("%d %s is sent as %d, %v", c.minor, c.currency, got, err)
		}
	}
}

func TestMinimum(t *testing.T) {
	p := &Provider{}
	for currency, want := range map[string]int64{
		"usd": 50, "USD": 50, "eur": 50, "gbp": 30, "jpy": 50, "huf": 17500, "xyz": 50, "isk": 100, "kwd": 50, "ugx": 50,
	} {
		if got := p.Minimum(currency); got != want {
			t.Errorf("the least of %s is %d, not %d", currency, got, want)
		}
		if _, err := toStripe(p.Minimum(currency), currency); err != nil {
			t.Error(err)
		}
	}
}

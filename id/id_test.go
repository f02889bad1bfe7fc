package id

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"regexp"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/fault"
)

func TestNew(t *testing.T) {
	form := regexp.MustCompile(`^pck_[0-9a-hjkmnp-tv-z]{26}$`)
	ids := make([]string, 2000)
	seen := map[string]bool{}
	for i := range ids {
		ids[i] = New(PrefixPack)
		if !form.MatchString(ids[i]) || seen[ids[i]] {
			t.Fatalf("malformed or repeated: %s", ids[i])
		}
		seen[ids[i]] = true
	}
	if !sort.StringsAreSorted(ids) {
		t.Error("ids do not sort in the order in which they were made")
	}
}

// TestWalletLayout pins the layout, since every stored row depends on it.
func TestWalletLayout(t *testing.T) {
	sum := sha256.Sum256([]byte("\x00\x00\x00\x00\x00\x00\x00\x05app_a" +
		"\x00\x00\x00\x00\x00\x00\x00\x04live" + "\x00\x00\x00\x00\x00\x00\x00\x04cust"))
	w := WalletOf("app_a", "live", "cust")
	if got, want := hex.EncodeToString(w[:]), hex.EncodeToString(sum[:16]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if WalletOf("a", "live", "bc") == WalletOf("ab", "live", "c") || WalletOf("a", "l", "") == WalletOf("a", "", "l") {
		t.Error("parts run into each other")
	}
	if WalletOf("app", "live", "c") == WalletOf("app", "test", "c") {
		t.Error("test meets live")
	}
	long := strings.Repeat("x", 5000)
	if WalletOf("app", "live", long) == WalletOf("app", "live", long+"x") {
		t.Error("a long customer id is cut")
	}
}

func TestBucket(t *testing.T) {
	for _, tc := range []struct {
		w    Wallet
		want int
	}{
		{Wallet{}, 0}, {Wallet{0, 0x40}, 1}, {Wallet{0, 0x3f, 0xff}, 0}, {Wallet{0x01}, 4}, {Wallet{0xff, 0xff}, Buckets - 1},
	} {
		if got := tc.w.Bucket(); got != tc.want {
			t.Errorf("%v: bucket %d, want %d", tc.w, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWallet(t)
		s := w.String()
		fromText := strings.IndexByte(alphabet, s[0])<<5 | strings.IndexByte(alphabet, s[1])
		if got := w.Bucket(); got != fromText || got < 0 || got >= Buckets {
			t.Fatalf("bucket %d, the text %s says %d", got, s, fromText)
		}
	})
}

func TestWalletRoundTripAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawWallet(t), drawWallet(t)
		if got, err := ParseWallet(a.String()); err != nil || got != a || len(a.String()) != textLen {
			t.Fatalf("%s: got %v, %v", a, got, err)
		}
		if strings.Compare(string(a[:]), string(b[:])) != strings.Compare(a.String(), b.String()) {
			t.Fatalf("%s and %s sort differently from their bytes", a, b)
		}
	})
}

func drawWallet(t *rapid.T) Wallet {
	return Wallet(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "wallet"))
}

func TestObjectRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWallet(t)
		n := rapid.OneOf(rapid.Int64Range(1, math.MaxInt64), rapid.Int64Range(1, 2000)).Draw(t, "n")
		s := Object(PrefixGrant, w, n)
		gotW, gotN, err := ParseObject(PrefixGrant, s)
		if err != nil || gotW != w || gotN != n {
			t.Fatalf("%s: got %v %d, %v; want %v %d", s, gotW, gotN, err, w, n)
		}
		if _, _, err := ParseObject(PrefixEntry, s); fault.CodeOf(err) != fault.CodeInvalidID {
			t.Fatalf("%s passes as an entry: %v", s, err)
		}
	})
}

func TestObjectForms(t *testing.T) {
	zeros := strings.Repeat("0", textLen)
	for n, want := range map[int64]string{
		1: "1", 31: "z", 32: "10", 1023: "zz", 1024: "100", math.MaxInt64: "7zzzzzzzzzzzz",
		// Not numbers of anything; see TestParseObjectRefuses.
		0: "0", -1: "0", math.MinInt64: "0",
	} {
		if got := Object("ent", Wallet{}, n); got != "ent_"+zeros+want {
			t.Errorf("%d: got %s, want %s", n, got, "ent_"+zeros+want)
		}
	}
}

func TestParseObjectRefuses(t *testing.T) {
	zeros := strings.Repeat("0", textLen)
	for name, s := range map[string]string{
		"empty":             "",
		"prefix only":       "grt_",
		"no number":         "grt_" + zeros,
		"number zero":       "grt_" + zeros + "0",
		"leading zero":      "grt_" + zeros + "01",
		"above int64":       "grt_" + zeros + "8000000000000",
		"above 65 bits":     "grt_" + zeros + "zzzzzzzzzzzzz",
		"fourteen digits":   "grt_" + zeros + "10000000000000",
		"upper case":        "grt_" + zeros + "A",
		"upper wallet":      "grt_A" + zeros[1:] + "1",
		"letter o":          "grt_" + zeros[1:] + "o1",
		"stray bits":        "grt_" + zeros[1:] + "11",
		"line break":        "grt_" + zeros[1:] + "\n1",
		"line break inside": "grt_\n" + zeros + "1",
		"trailing space":    "grt_" + zeros + "1 ",
		"other prefix":      "ent_" + zeros + "1",
		"upper prefix":      "GRT_" + zeros + "1",
		"no underscore":     "grt" + zeros + "1",
		"padding":           "grt_" + zeros + "1=",
		"not ASCII":         "grt_" + zeros + "é",
	} {
		if w, n, err := ParseObject(PrefixGrant, s); fault.CodeOf(err) != fault.CodeInvalidID || n != 0 || w != (Wallet{}) {
			t.Errorf("%s: ParseObject(%q) = %v, %d, %v; want invalid_id", name, s, w, n, err)
		}
	}
	for _, s := range []string{"", zeros[1:], zeros + "0", zeros[1:] + "1", zeros[1:] + "U", zeros[2:] + "\r\n"} {
		if w, err := ParseWallet(s); fault.CodeOf(err) != fault.CodeInvalidID || w != (Wallet{}) {
			t.Errorf("ParseWallet(%q) = %v, %v; want invalid_id", s, w, err)
		}
	}
}

func TestPrefixesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range []string{
		PrefixGrant, PrefixReservation, PrefixEntry, PrefixOperation, PrefixApp, PrefixKey, PrefixCredit, PrefixPack,
		PrefixPackItem, PrefixPlan, PrefixSubscription, PrefixInvoice, PrefixMeter, PrefixEvent, PrefixOrder, PrefixRefund, PrefixWebhook, PrefixDelivery, PrefixMessage,
	} {
		if seen[p] || !regexp.MustCompile(`^[a-z]{2,3}$`).MatchString(p) {
			t.Errorf("prefix %q is repeated or malformed", p)
		}
		seen[p] = true
	}
}

func FuzzParseObject(f *testing.F) {
	f.Add("grt_" + strings.Repeat("0", textLen) + "1")
	f.Add(Object(PrefixGrant, WalletOf("a", "live", "c"), math.MaxInt64))
	f.Add("grt_")
	f.Fuzz(func(t *testing.T, s string) {
		w, n, err := ParseObject(PrefixGrant, s)
		if err != nil {
			if fault.CodeOf(err) != fault.CodeInvalidID {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if n < 1 || Object(PrefixGrant, w, n) != s {
			t.Fatalf("%q reads as %v %d, which is written %q", s, w, n, Object(PrefixGrant, w, n))
		}
	})
}

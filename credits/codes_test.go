package credits

import (
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestMadeCodes: they are codes, at any length of prefix, and no two are the same.
func TestMadeCodes(t *testing.T) {
	if bits := codeBytes * 8; bits < 60 {
		t.Errorf("%d random bits", bits)
	}
	seen := map[string]bool{}
	for n := range v1.MaxCodePrefix + 1 {
		for range 20 {
			text := newCode(strings.Repeat("X", n))
			if !catalog.ValidCode(text) || seen[text] {
				t.Fatalf("made %q", text)
			}
			seen[text] = true
		}
	}
	for prefix, want := range map[string]int{"": madeLength, "GIFT": madeLength + 5, "GIFT-": madeLength + 5, "gift_": madeLength + 5, strings.Repeat("X", v1.MaxCodePrefix): 64} {
		if text := newCode(prefix); len(text) != want || !strings.HasPrefix(text, prefix) {
			t.Errorf("made %q of %q", text, prefix)
		}
	}
}

package credits

import (
	"encoding/json"
	"testing"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// FuzzRules reads scope rules as a request has them: they are refused with a code and a field, or
// mean the same after they were written out and read again.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		`[{"event":"image.*"}]`, `[]`, `[{"event":"*","units_per_credit":"0.5","metadata":{"a":"b"}}]`,
		`[{"event":"a","units_per_credit":1e-400}]`, `[{"event":"a","units_per_credit":0}]`, `[{"event":""}]`,
		`[{"event":"a","metadata":{"\u0000":"b"}}]`, `[{"event":"a","units_per_credit":"NaN"}]`,
		`[{"event":"\ud800"}]`, `[{"event":"a","units_per_credit":"00.10"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var rules []v1.Rule
		if json.Unmarshal(text, &rules) != nil {
			return
		}
		scope, err := rulesIn(rules)
		if err != nil {
			if e := fault.As(err); e.Kind() != fault.Invalid || e.Field == "" {
				t.Fatalf("%s is refused with %v", text, err)
			}
			return
		}
		again, err := rulesIn(rulesOut(scope))
		if err != nil || again.Canonical() != scope.Canonical() {
			t.Fatalf("%s reads as %q, and after writing as %q (%v)", text, scope.Canonical(), again.Canonical(), err)
		}
	})
}

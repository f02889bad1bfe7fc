package catalog_test

import (
	"encoding/json"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

func values(t *testing.T, text string) catalog.Values {
	t.Helper()
	var v catalog.Values
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func value(t *testing.T, text string) catalog.Value {
	t.Helper()
	return values(t, `{"v": `+text+`}`)["v"]
}

// TestOperators compares the property k with a value, each as JSON.
func TestOperators(t *testing.T) {
	all := map[catalog.Operator]string{
		catalog.Equals: "=", catalog.NotEquals: "!", catalog.GreaterThan: ">", catalog.GreaterThanOrEquals: "g",
		catalog.LessThan: "<", catalog.LessThanOrEquals: "l", catalog.Contains: "c", catalog.DoesNotContain: "n",
	}
	for _, c := range []struct{ have, want, holds string }{
		{`5`, `5`, "= g l c"},
		{`"5"`, `5`, "= g l c"},
		{`5.0`, `"5"`, "= g l c"},
		{`"05"`, `"5"`, "! g l c"}, // two texts are the same only when they are written the same
		{`6`, `5`, "! > g n"},
		{`"40"`, `5`, "! > g n"},
		{`-1`, `5`, "! < l n"},
		{`"gpt-4"`, `"gpt"`, "! c"},
		{`"gpt-4"`, `"GPT"`, "! n"},
		{`"gpt-4"`, `5`, "! n"},
		{`true`, `true`, "= c"},
		{`true`, `"true"`, "= c"},
		{`true`, `false`, "! n"},
		{`""`, `""`, "= c"},
		{`null`, `"null"`, ""}, // as if it were not there
	} {
		for op, sign := range all {
			f := catalog.Filter{Conjunction: catalog.And, Conditions: []catalog.Condition{{Key: "k", Operator: op, Value: value(t, c.want)}}}
			want := false
			for _, s := range c.holds {
				want = want || string(s) == sign
			}
			if got := f.Accepts(values(t, `{"k": `+c.have+`}`)); got != want {
				t.Errorf("%s %s %s: %t", c.have, op, c.want, got)
			}
			if f.Accepts(values(t, `{"other": `+c.have+`}`)) {
				t.Errorf("%s %s accepts an event without the property", op, c.want)
			}
		}
	}
}

// TestConjunctions has filters of filters.
func TestConjunctions(t *testing.T) {
	is := func(key string) catalog.Condition {
		return catalog.Condition{Key: key, Operator: catalog.Equals, Value: catalog.Text("y")}
	}
	and := func(keys ...string) catalog.Filter {
		f := catalog.Filter{Conjunction: catalog.And}
		for _, k := range keys {
			f.Conditions = append(f.Conditions, is(k))
		}
		return f
	}
	or := func(keys ...string) catalog.Filter {
		f := and(keys...)
		f.Conjunction = catalog.Or
		return f
	}
	of := func(c catalog.Conjunction, inner ...catalog.Filter) catalog.Filter {
		return catalog.Filter{Conjunction: c, Filters: inner}
	}
	for _, c := range []struct {
		f    catalog.Filter
		have string
		want bool
	}{
		{and("a", "b"), `{"a": "y", "b": "y"}`, true},
		{and("a", "b"), `{"a": "y"}`, false},
		{or("a", "b"), `{"b": "y"}`, true},
		{or("a", "b"), `{"c": "y"}`, false},
		{of(catalog.And, or("a", "b"), or("c", "d")), `{"b": "y", "c": "y"}`, true},
		{of(catalog.And, or("a", "b"), or("c", "d")), `{"a": "y", "b": "y"}`, false},
		{of(catalog.Or, and("a", "b"), and("c", "d")), `{"c": "y", "d": "y"}`, true},
		{of(catalog.Or, of(catalog.And, or("a", "b"), and("c")), of(catalog.And, and("d"))), `{"d": "y"}`, true},
		{of(catalog.Or, of(catalog.And, or("a", "b"), and("c")), of(catalog.And, and("d"))), `{"a": "y"}`, false},
	} {
		if err := c.f.Validate(); err != nil {
			t.Error(err)
		}
		if got := c.f.Accepts(values(t, c.have)); got != c.want {
			t.Errorf("%+v of %s: %t", c.f, c.have, got)
		}
	}
	var none *catalog.Filter
	if !none.Accepts(nil) || none.Validate() != nil {
		t.Error("no filter accepts everything")
	}
}

// TestCounts tells which events count with which aggregation, and for how much.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		kind       catalog.AggregationKind
		have       string
		micros     int64
		unique     string
		ok         bool
		wherefores string
	}{
		{catalog.Count, `{}`, 1_000_000, "", true, "each event is one"},
		{catalog.Sum, `{"n": 2.5}`, 2_500_000, "", true, "a number"},
		{catalog.Sum, `{"n": "1500"}`, 1_500_000_000, "", true, "text that is a number (the seed's)"},
		{catalog.Sum, `{"n": " -3 "}`, -3_000_000, "", true, "with blanks"},
		{catalog.Sum, `{"n": 1.5e3}`, 1_500_000_000, "", true, "with an exponent"},
		{catalog.Sum, `{"n": 0.0000005}`, 1, "", true, "rounded half away from zero"},
		{catalog.Sum, `{"n": "many"}`, 0, "", false, "text"},
		{catalog.Sum, `{"n": true}`, 0, "", false, "a truth value"},
		{catalog.Sum, `{"n": null}`, 0, "", false, "null"},
		{catalog.Sum, `{}`, 0, "", false, "nothing"},
		{catalog.Max, `{"n": "7"}`, 7_000_000, "", true, "the same for max"},
		{catalog.UniqueCount, `{"n": "ann"}`, 1_000_000, "ann", true, "any text"},
		{catalog.UniqueCount, `{"n": 7}`, 1_000_000, "7", true, "any number"},
		{catalog.UniqueCount, `{"n": null}`, 0, "", false, "but null"},
	} {
		m := &catalog.Meter{Event: "e", Aggregation: catalog.Aggregation{Kind: c.kind, Key: "n"}}
		micros, unique, ok := m.Counts("e", values(t, c.have))
		if micros != c.micros || unique != c.unique || ok != c.ok {
			t.Errorf("%s of %s (%s): %d %q %t", c.kind, c.have, c.wherefores, micros, unique, ok)
		}
		if _, _, ok := m.Counts("E", values(t, c.have)); ok {
			t.Error("the name of another case counts")
		}
		m.ArchivedAt = clock.Instant(1)
		if _, _, ok := m.Counts("e", values(t, c.have)); ok {
			t.Error("an archived meter counts")
		}
		if _, _, reads := m.Reads("e", values(t, c.have)); reads != c.ok {
			t.Errorf("%s of %s: an archived meter reads %t", c.kind, c.have, reads)
		}
	}
}

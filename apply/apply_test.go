package apply_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

const catalog = `
credits:
  - name: tokens
    unit: token
    precision: 3
    draw_order: [expires_at, category]
    scope: [{event: "chat.*", units_per_credit: 2.50}, {event: chat, metadata: {model: large}}]
    expires_after_days: 30
    overage: {enabled: true, limit: 5, behavior: carry_deficit}
    rollover: {percent: 25, validity_count: 2, validity_unit: week}
    low_balance_threshold: 12.5
packs:
  - name: Small
    description: A few.
    price: 500
    currency: eur
    expires_after_days: 7
    items:
      - {id: main, credit_id: TOKENS, amount: 0.125, priority: 7}
      - {credit_id: tokens, amount: 2, category: promotional, scope: [{event: "*"}]}
`

// bare leaves out everything that can be left out.
const bare = `
credits: [{name: tokens, unit: token, precision: 3}]
packs: [{name: small, items: [{credit_id: tokens, amount: 1}]}]
`

// everywhere runs a test on the operations in process and over HTTP.
func everywhere(t *testing.T, test func(t *testing.T, ops v1.Operations)) {
	for _, over := range []string{"in process", "over HTTP"} {
		t.Run(over, func(t *testing.T) {
			s, err := scrip.Open(t.Context(), scrip.DB("sqlite:"+filepath.Join(t.TempDir(), "apply.db")+"?sync=off"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close(context.WithoutCancel(t.Context())) })
			app, err := s.App(t.Context(), "shop", scrip.Live)
			if err != nil {
				t.Fatal(err)
			}
			if over == "in process" {
				test(t, app)
				return
			}
			key, err := app.CreateKey(t.Context(), v1.CreateKey{Kind: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s.Handler())
			t.Cleanup(server.Close)
			ops, err := client.New(server.URL, key.Key)
			if err != nil {
				t.Fatal(err)
			}
			test(t, ops)
		})
	}
}

// compare returns the difference and the text of it.
func compare(t *testing.T, ops v1.Operations, text string) (*apply.Difference, string) {
	t.Helper()
	file, err := apply.Read("catalog.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := file.Compare(t.Context(), ops)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	return d, b.String()
}

// settle applies a file and checks that nothing is left to do.
func settle(t *testing.T, ops v1.Operations, text string) {
	t.Helper()
	d, _ := compare(t, ops, text)
	if err := d.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, left := compare(t, ops, text); !d.Empty() {
		t.Errorf("applied, and still to do:\n%s", left)
	}
}

func TestApplyingTwiceDoesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		settle(t, ops, catalog)
		c, err := ops.GetCredit(t.Context(), "tokens")
		if err != nil || c.Scope[0].UnitsPerCredit != "2.5" || *c.Overage.Limit != "5" || c.Rollover.ValidityUnit != "week" {
			t.Errorf("%+v, %v", c, err)
		}
		p, err := ops.GetPack(t.Context(), "small")
		if err != nil || p.Items[0].Amount != "0.125" || *p.Items[0].Priority != 7 || p.Items[1].Category != "promotional" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestWhatIsLeftOutGetsItsDefault: the file is the truth, also in what it does not say.
func TestWhatIsLeftOutGetsItsDefault(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		settle(t, ops, catalog)
		settle(t, ops, bare)
		c, err := ops.GetCredit(t.Context(), "tokens")
		if err != nil || len(c.Scope) > 0 || c.Overage.Enabled || c.Overage.Limit != nil || c.Rollover.Percent != 0 || c.ExpiresAfterDays != 0 || len(c.DrawOrder) != 5 {
			t.Errorf("%+v, %v", c, err)
		}
		p, err := ops.GetPack(t.Context(), "small")
		if err != nil || p.Name != "small" || p.Price != 0 || p.Currency != "usd" || p.Description != "" || len(p.Items) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestGrantsStayAsTheyAre is the law that definitions do not reach back.
func TestGrantsStayAsTheyAre(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		settle(t, ops, catalog)
		made, err := ops.Grant(t.Context(), v1.GrantRequest{CustomerID: "alice", PackID: "small"})
		if err != nil {
			t.Fatal(err)
		}
		settle(t, ops, bare+"\n")
		settle(t, ops, strings.ReplaceAll(bare, "}]}]", "}], archived: true}]"))
		for _, g := range made.Grants {
			now, err := ops.GetGrant(t.Context(), g.ID)
			if err != nil || now.Amount != g.Amount || now.Available != g.Available || now.ExpiresAt != g.ExpiresAt ||
				now.Priority != g.Priority || len(now.Scope) != len(g.Scope) {
				t.Errorf("was %+v\nis  %+v, %v", g, now, err)
			}
		}
	})
}

// TestAFileThatFailsHalfwayGoesOn: somebody took the name between comparing and applying.
func TestAFileThatFailsHalfwayGoesOn(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		d, _ := compare(t, ops, catalog)
		if _, err := ops.CreateCredit(t.Context(), v1.CreateCredit{Name: "Tokens", Unit: "token", Precision: 3}); err != nil {
			t.Fatal(err)
		}
		err := d.Apply(t.Context())
		if fault.CodeOf(err) != fault.CodeNameTaken || !strings.Contains(err.Error(), "0 of 2 changes were made; apply the file again to go on") {
			t.Fatalf("got %v", err)
		}
		settle(t, ops, catalog)
	})
}

// TestWhatTheDecoderWouldCut are numbers that must not lose anything on their way.
func TestWhatTheDecoderWouldCut(t *testing.T) {
	const head = "credits: [{name: c, unit: u, precision: 10}]\npacks:\n- {id: p, name: P, "
	for text, want := range map[string]string{
		"items: [{credit_id: c, amount: 12345678.0123456789}]}":                                       "12345678.0123456789 of",
		"items: [{credit_id: c, amount: '0.10'}]}":                                                    "0.1 of",
		"items: [{credit_id: c, amount: 1e3}]}":                                                       "1000 of",
		"items: [{credit_id: c, amount: 90000000}]}":                                                  "90000000 of",
		"price: 999999999999, items: [{credit_id: c, amount: 1}]}":                                    "999999999999 usd",
		"items: [{credit_id: c, amount: 1, scope: [{event: e, metadata: {v: 1}}]}]}":                  `v="1"`,
		"items: [{credit_id: c, amount: 1, scope: [{event: e, metadata: {v: '1.50'}}]}]}":             `v="1.50"`,
		"items: [{credit_id: c, amount: 1, scope: [{event: e, units_per_credit: 0.00000001}]}]} # so": "at 0.00000001 units",
	} {
		if _, got := compare(t, nil, head+text); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q:\n%s", text, want, got)
		}
	}
	for text, want := range map[string]string{
		"price: 9.99, items: []}":                 "catalog.yaml:3: 9.99 is not a whole number",
		"price: 99999999999999999999, items: []}": "catalog.yaml:3: this number is too large",

		"items: [{credit_id: c, amount: 1, scope: [{event: e, metadata: {v: 1.50}}]}]}": "1.50 is not a whole number; text that looks like a number needs quotes",
		"items: [{credit_id: c, amount: 0x10}]}":                                        "is not a decimal number",
		"items: [{credit_id: c, amount: .inf}]}":                                        "is not a decimal number",
		"items: [{credit_id: c, amount: [1]}]}":                                         "is not a decimal number",
		"items: [{credit_id: c, amount: 1, priority: 1.5}]}":                            "1.5 is not a whole number",
		"items: [{credit_id: c}]}":                                                      "catalog.yaml:3: items[0].amount",
	} {
		file, err := apply.Read("catalog.yaml", []byte(head+text))
		if err == nil {
			_, err = file.Compare(t.Context(), nil)
		}
		if fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(catalog)
	f.Add(bare)
	f.Add(planned)
	f.Add(kit)
	f.Add("credits: &a [*a]")
	f.Add("credits:\n  - draw_order: !00\n000000000: #0") // makes the reader of YAML panic
	f.Fuzz(func(t *testing.T, text string) {
		file, err := apply.Read("catalog.yaml", []byte(text))
		if err == nil {
			_, err = file.Compare(t.Context(), nil)
		}
		if err != nil && fault.CodeOf(err) == fault.CodeInternalError {
			t.Errorf("%q: %v", text, err)
		}
	})
}

const metered = `
credits:
  - {name: tokens, unit: token, precision: 3}
  - {name: calls, unit: call}
meters:
  - name: Generated
    description: What models wrote.
    event_name: ai.generation
    measurement_unit: token
    aggregation: {type: sum, key: tokens}
    filter:
      conjunction: and
      clauses:
        - conjunction: or
          clauses:
            - {key: model, operator: equals, value: large}
            - {key: model, operator: contains, value: "4"}
        - conjunction: and
          clauses: [{key: tokens, operator: greater_than, value: 1.5}, {key: cached, operator: equals, value: false}]
    links:
      - {credit_id: TOKENS, units_per_credit: 1000, free_threshold: 0.50}
      - {credit_id: calls}
  - {name: Requests, event_name: api.request, measurement_unit: call, aggregation: {type: count}}
`

// TestMeters makes meters, changes what can be changed of them, ends one and lets it count again.
func TestMeters(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		_, text := compare(t, ops, metered)
		const want = `+ credit "tokens"
    unit: token
    precision: 3
    draw_order: priority, expires_at, category, effective_at, created_at
+ credit "calls"
    unit: call
    precision: 0
    draw_order: priority, expires_at, category, effective_at, created_at
+ meter "Generated"
    description: What models wrote.
    event_name: ai.generation
    filter: (model equals "large" or model contains "4") and (tokens greater_than "1.5" and cached equals "false")
    aggregation: sum of tokens
    measurement_unit: token
    links[0]: "tokens" at 1000 per credit, 0.5 free
    links[1]: "calls" at 1 per credit
+ meter "Requests"
    event_name: api.request
    aggregation: count
    measurement_unit: call
`
		for line := range strings.Lines(want) {
			if !strings.Contains(text, line) {
				t.Errorf("lacks %q:\n%s", line, text)
			}
		}
		settle(t, ops, metered)
		m, err := ops.GetMeter(t.Context(), "generated")
		if err != nil || m.Links[0].UnitsPerCredit != "1000" || m.Links[0].FreeThreshold != "0.5" || m.Links[1].UnitsPerCredit != "1" ||
			len(m.Filter.Filters) != 2 || m.Filter.Filters[1].Conditions[0].Value.Text != "1.5" {
			t.Fatalf("%+v, %v", m, err)
		}

		changed := strings.NewReplacer("units_per_credit: 1000", "units_per_credit: 2000", "description: What models wrote.\n", "\n", "      - {credit_id: calls}\n", "").Replace(metered)
		_, text = compare(t, ops, changed)
		if text != `~ meter "Generated"
    description: What models wrote. -> (not set)
    links[0]: "tokens" at 1000 per credit, 0.5 free -> "tokens" at 2000 per credit, 0.5 free
    links[1]: "calls" at 1 per credit -> (not set)
` {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, changed)

		ended := strings.ReplaceAll(changed, "{type: count}}", "{type: count}, archived: true}")
		if _, text = compare(t, ops, ended); text != "- meter \"Requests\" is archived; what it counted stays\n" {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, ended)
		requests := func(archived string) []v1.Meter {
			page, err := ops.ListMeters(t.Context(), v1.MeterQuery{Archived: archived})
			if err != nil {
				t.Fatal(err)
			}
			return page.Data
		}
		before := requests("true")[0].ID
		if _, text = compare(t, ops, changed); text != "~ meter \"Requests\"\n    archived: true -> (not set)\n" {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, changed)
		if m, err := ops.GetMeter(t.Context(), "requests"); err != nil || m.ID != before {
			t.Errorf("%+v, %v", m, err)
		}
		// One that was archived and counted something else does not come back.
		settle(t, ops, ended)
		settle(t, ops, strings.ReplaceAll(changed, "api.request", "api.call"))
		if m, err := ops.GetMeter(t.Context(), "requests"); err != nil || m.ID == before {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

// TestMetersThatCannotBe are refused with their place in the file.
func TestMetersThatCannotBe(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		settle(t, ops, metered)
		for what, c := range map[string]struct{ old, new, want string }{
			"an unknown credit":     {"credit_id: TOKENS", "credit_id: toasts", `catalog.yaml:21: links[0].credit_id: there is no credit "toasts"`},
			"a credit twice":        {"credit_id: calls}", "credit_id: tokens}", "catalog.yaml:21: links: the credit \"tokens\" is linked twice"},
			"another event":         {"event_name: ai.generation", "event_name: ai.image", `catalog.yaml:8: the event_name of "Generated" cannot be changed`},
			"another filter":        {"value: large", "value: small", `catalog.yaml:12: the filter of "Generated" cannot be changed`},
			"another aggregation":   {"type: sum, key: tokens", "type: max, key: tokens", `the aggregation of "Generated" cannot be changed`},
			"an unknown operator":   {"operator: contains", "operator: resembles", `operator "resembles" is unknown`},
			"an unknown field":      {"free_threshold: 0.50", "free_treshold: 0.50", `catalog.yaml:21: unknown field "free_treshold"`},
			"a fraction of nothing": {"units_per_credit: 1000", "units_per_credit: 0", "catalog.yaml:21: links[0].units_per_credit"},
			"a meter twice":         {"name: Requests", "name: generated", `catalog.yaml:23: the file has the meter "generated" twice`},
			"no aggregation":        {"aggregation: {type: count}", "aggregation: {type: median}", "catalog.yaml:23: aggregation.type"},
		} {
			if !strings.Contains(metered, c.old) {
				t.Fatalf("%s: %q is not in the file", what, c.old)
			}
			file, err := apply.Read("catalog.yaml", []byte(strings.Replace(metered, c.old, c.new, 1)))
			if err == nil {
				_, err = file.Compare(t.Context(), ops)
			}
			if fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", what, err, c.want)
			}
		}
	})
}

package api

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ids lists one field of a page.
func (a answer) ids(field string) string {
	var all []string
	rows, _ := a.body["data"].([]any)
	for i := range rows {
		all = append(all, fmt.Sprint(a.at("data", i, field)))
	}
	return strings.Join(all, " ")
}

// TestPagesByNumber reads long lists by offset, which must give what cursors give.
func TestPagesByNumber(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("POST", "/v1/credits", `{"name":"api","unit":"call"}`)
	for i := range 5 {
		f.must("POST", "/v1/grants", fmt.Sprintf(`{"customer_id":"c%d","credit_id":"api","amount":1}`, i))
		f.must("POST", "/v1/grants", `{"customer_id":"c0","credit_id":"api","amount":1}`)
		f.must("POST", "/v1/events", fmt.Sprintf(`{"events":[{"event_id":"e%d","customer_id":"c0","event_name":"x"}]}`, i))
	}
	for path, field := range map[string]string{
		"/v1/customers":            "id",
		"/v1/customers/c0/ledger":  "id",
		"/v1/customers/c0/grants":  "id",
		"/v1/credits/api/balances": "customer_id",
		"/v1/events":               "event_id",
	} {
		whole := strings.Fields(f.must("GET", path, "").ids(field))
		if len(whole) < 5 {
			t.Fatalf("%s has %q", path, whole)
		}
		cursor := ""
		for i := 0; i < len(whole); i += 2 {
			want := strings.Join(whole[i:min(i+2, len(whole))], " ")
			byNumber := f.must("GET", fmt.Sprintf("%s?limit=2&offset=%d", path, i), "")
			byCursor := f.must("GET", path+"?limit=2"+cursor, "")
			if byNumber.ids(field) != want || byCursor.ids(field) != want {
				t.Errorf("%s from %d: %q by number, %q by cursor, want %q", path, i, byNumber.ids(field), byCursor.ids(field), want)
			}
			if more := i+2 < len(whole); byNumber.body["has_more"] != more || byCursor.body["has_more"] != more {
				t.Errorf("%s from %d: has_more %v and %v", path, i, byNumber.body["has_more"], byCursor.body["has_more"])
			}
			cursor = fmt.Sprintf("&cursor=%v", byCursor.body["next_cursor"])
		}
		if rest := f.must("GET", path+"?offset=100", ""); rest.ids(field) != "" {
			t.Errorf("%s beyond its end: %q", path, rest.ids(field))
		}
		for _, query := range []string{"offset=-1", "offset=x", "limit=0", "limit=-1"} {
			if a := f.send(f.test, "GET", path+"?"+query, ""); a.status != 400 || a.at("code") != "invalid_limit" {
				t.Errorf("%s?%s: %d %s", path, query, a.status, a.text)
			}
		}
	}
}

// TestBalancesOfACredit reads what all its customers have, by customer.
func TestBalancesOfACredit(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	f.must("POST", "/v1/grants", `{"customer_id":"later","credit_id":"api","amount":3,"effective_at":"2199-01-01T00:00:00Z"}`)
	f.must("PUT", "/v1/customers/without", `{}`)
	path := w.fill("/v1/credits/{credit}/balances")
	all := f.must("GET", path, "")
	if all.ids("customer_id") != "b c later s" || all.ids("balance") != "50 93.5 0 50" || all.ids("held") != "0 7 0 0" {
		t.Errorf("balances: %s", all.text)
	}
	if all.at("data", 2, "last_entry_at") != nil || all.at("data", 0, "last_entry_at") == nil {
		t.Errorf("last entries: %s", all.text)
	}
	if one := f.must("GET", path+"?customer_id=later", ""); one.ids("customer_id") != "later" {
		t.Errorf("one customer: %s", one.text)
	}
	if none := f.must("GET", path+"?customer_id=without", ""); none.ids("customer_id") != "" {
		t.Errorf("a customer without: %s", none.text)
	}
	if live := f.send(f.live, "GET", path, ""); live.ids("customer_id") != "" {
		t.Errorf("live: %s", live.text)
	}
}

// TestFindingCustomers looks for customers by what is known of them, and changes a part of it.
func TestFindingCustomers(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("PUT", "/v1/customers/a", `{"name":"Ada Lovelace","email":"Ada@example.test","phone":"+44","metadata":{"k":"v"}}`)
	f.must("PUT", "/v1/customers/b", `{"name":"Bob","email":"bob@example.test"}`)
	for query, want := range map[string]string{
		"email=ADA@EXAMPLE.TEST": "a", "email=ada": "", "name=LOVE": "a", "name=b": "b", "name=o": "a b", "from=2199-01-01T00:00:00Z": "", "to=2199-01-01T00:00:00Z": "a b",
	} {
		if got := f.must("GET", "/v1/customers?"+query, "").ids("id"); got != want {
			t.Errorf("%s finds %q, want %q", query, got, want)
		}
	}
	changed := f.must("PATCH", "/v1/customers/a", `{"phone":""}`)
	if changed.at("name") != "Ada Lovelace" || changed.at("phone") != nil || changed.at("metadata", "k") != "v" {
		t.Errorf("changed: %s", changed.text)
	}
	if a := f.send(f.test, "PATCH", "/v1/customers/nobody", `{"name":"x"}`); a.status != 404 || a.at("code") != "customer_not_found" {
		t.Errorf("nobody: %d %s", a.status, a.text)
	}
}

// TestBringingACreditBack restores an archived credit, unless its name has gone to another.
func TestBringingACreditBack(t *testing.T) {
	f := newFixture(t, Options{})
	old := f.text(f.must("POST", "/v1/credits", `{"name":"api","unit":"call"}`), "id")
	grant := `{"customer_id":"c","credit_id":"` + old + `","amount":1}`
	f.must("POST", "/v1/credits/"+old+"/archive", "")
	if a := f.send(f.test, "POST", "/v1/grants", grant); a.at("code") != "credit_archived" {
		t.Errorf("archived: %s", a.text)
	}
	fresh := f.text(f.must("POST", "/v1/credits", `{"name":"API","unit":"call"}`), "id")
	if a := f.send(f.test, "POST", "/v1/credits/"+old+"/unarchive", ""); a.status != 409 || a.at("code") != "name_taken" {
		t.Errorf("with a name that is taken: %d %s", a.status, a.text)
	}
	f.must("POST", "/v1/credits/"+fresh+"/archive", "")
	if a := f.must("POST", "/v1/credits/"+old+"/unarchive", ""); a.at("archived_at") != nil {
		t.Errorf("unarchived: %s", a.text)
	}
	f.must("POST", "/v1/credits/"+old+"/unarchive", "")
	f.must("POST", "/v1/grants", grant)
}

// TestDefinitionsOfEveryKind are kept alike: found by id and by name, listed in order of creation, one
// of a name at a time, and free of it once they are archived.
func TestDefinitionsOfEveryKind(t *testing.T) {
	for _, kind := range []struct{ path, body, method, change, inUse string }{
		{"/v1/credits", `{"name":%q,"unit":"call"}`, "PATCH", `{"name":%q}`, "one two one"}, // archived ones are listed too
		{"/v1/packs", `{"name":%q,"items":[{"credit_id":"api","amount":1}]}`, "PUT", `{"name":%q,"items":[{"credit_id":"api","amount":1}]}`, "two one"},
		{"/v1/plans", `{"name":%q}`, "PUT", `{"name":%q}`, "two one"},
		{
			"/v1/meters", `{"name":%q,"event_name":"e","measurement_unit":"u","aggregation":{"type":"count"},"links":[]}`, "PATCH", `{"name":%q}`,
			"two one",
		},
	} {
		t.Run(kind.path, func(t *testing.T) {
			f := newFixture(t, Options{})
			if kind.path == "/v1/packs" {
				f.must("POST", "/v1/credits", `{"name":"api","unit":"call"}`)
			}
			create := func(name string) string { return f.text(f.must("POST", kind.path, fmt.Sprintf(kind.body, name)), "id") }
			taken := func(what string, a answer) {
				t.Helper()
				if a.status != 409 || a.at("code") != "name_taken" {
					t.Errorf("%s: %d %s", what, a.status, a.text)
				}
			}
			one := create("one")
			f.clock.Advance(time.Second)
			two := create("two")
			taken("created again", f.send(f.test, "POST", kind.path, fmt.Sprintf(kind.body, "ONE")))
			taken("renamed", f.send(f.test, kind.method, kind.path+"/"+two, fmt.Sprintf(kind.change, "One")))
			f.clock.Advance(time.Second)
			changed := f.must(kind.method, kind.path+"/"+two, fmt.Sprintf(kind.change, "two"))
			if changed.at("id") != two || changed.at("created_at") == changed.at("updated_at") {
				t.Errorf("changed: %s", changed.text)
			}
			if got := f.must("GET", kind.path+"/ONE", "").at("id"); got != one {
				t.Errorf("by name: %v", got)
			}

			archived := f.must("POST", kind.path+"/"+one+"/archive", "").at("archived_at")
			f.clock.Advance(time.Second)
			if again := f.must("POST", kind.path+"/"+one+"/archive", "").at("archived_at"); archived == nil || again != archived {
				t.Errorf("archived at %v, and again at %v", archived, again)
			}
			if a := f.send(f.test, "GET", kind.path+"/one", ""); a.status != 404 {
				t.Errorf("archived, by name: %d %s", a.status, a.text)
			}
			f.must("GET", kind.path+"/"+one, "")
			create("one")
			if got := f.must("GET", kind.path, "").ids("name"); got != kind.inUse {
				t.Errorf("listed %q, want %q", got, kind.inUse)
			}
		})
	}
}

// TestGrantsOfSeveralStatuses filters by a list of statuses.
func TestGrantsOfSeveralStatuses(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("POST", "/v1/credits", `{"name":"api","unit":"call"}`)
	for _, amount := range []string{"1", "2", "3"} {
		f.must("POST", "/v1/grants", `{"customer_id":"c","credit_id":"api","amount":`+amount+`}`)
	}
	f.must("POST", "/v1/deduct", `{"customer_id":"c","credit_id":"api","amount":1}`)
	f.must("POST", "/v1/grants/"+f.text(f.must("GET", "/v1/customers/c/grants?status=active&offset=1", ""), "data", 0, "id")+"/revoke", "")
	for status, want := range map[string]string{"active": "2", "depleted": "1", "revoked": "3", "revoked,active": "2 3", "expired": ""} {
		if got := f.must("GET", "/v1/customers/c/grants?status="+status, "").ids("amount"); got != want {
			t.Errorf("%s: %q, want %q", status, got, want)
		}
	}
	if a := f.send(f.test, "GET", "/v1/customers/c/grants?status=active,gone", ""); a.status != 400 {
		t.Errorf("an unknown status: %s", a.text)
	}
}

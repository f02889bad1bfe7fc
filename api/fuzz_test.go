package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// FuzzDecode reads any bytes as a body: they are read, or refused with a code of the catalogue
// that is the caller's doing; and what was read is read again as the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range samples {
		f.Add([]byte(seed))
	}
	for _, r := range refusals {
		if len(r.body) < 1000 {
			f.Add([]byte(r.body))
		}
	}
	readGrant, readCredit := reader[v1.GrantRequest](), reader[v1.CreateCredit]()
	f.Fuzz(func(t *testing.T, body []byte) {
		grant, err := readGrant(body)
		holds(t, readGrant, grant, err)
		credit, err := readCredit(body)
		holds(t, readCredit, credit, err)
	})
}

func holds[In any](t *testing.T, read func([]byte) (In, error), in In, err error) {
	t.Helper()
	if err != nil {
		if e := fault.As(err); e.Kind() != fault.Invalid || e.Message == "" {
			t.Errorf("refused with %v", err)
		}
		return
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := read(text)
	if err != nil {
		t.Fatalf("%s was written and is refused: %v", text, err)
	}
	twice, err := json.Marshal(again)
	if err != nil || string(twice) != string(text) {
		t.Errorf("%s became %s", text, twice)
	}
}

// FuzzQuery reads any text as a query.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"limit=1", "limit=-1", "from=2026-01-01T00:00:00Z", "x=1", "limit=1&limit=2", "%zz", "type=a,b&cursor=%00"} {
		f.Add(seed)
	}
	h := newServer(everyone{}, clock.NewManual(start), Options{}, func(accounts.Identity) v1.Operations { return ledgers{} })
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/v1/customers/c/ledger", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	})
}

// ledgers answers with an empty page.
type ledgers struct{ v1.Operations }

func (ledgers) Ledger(context.Context, string, v1.LedgerQuery) (v1.Page[v1.Entry], error) {
	return v1.Page[v1.Entry]{}, nil
}

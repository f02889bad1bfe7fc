package acceptance

import (
	"context"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestText passes texts of all kinds through both stores: what is accepted comes back as it was,
// what is refused is refused by both, and takes nobody else in its batch down.
func TestText(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		q := newQueued(t, db)
		q.give("u", q.credit, "1000")
		ctx := context.Background()
		for name, c := range map[string]struct {
			text string
			code fault.Code
		}{
			"plain":               {"a reason", ""},
			"quotes":              {`'"` + "`" + `\%_;--`, ""},
			"lines":               {"a\nb\r\n\tc", ""},
			"beyond the BMP":      {"🙂 und 中文", ""},
			"right to left":       {"\u202eabc", ""},
			"as long as allowed":  {strings.Repeat("x", 500), ""},
			"longer than allowed": {strings.Repeat("x", 501), fault.CodeInvalidRequest},
			"zero":                {"a\x00b", fault.CodeInvalidRequest},
			"no UTF-8":            {"a\xffb", fault.CodeInvalidRequest},
		} {
			t.Run(name, func(t *testing.T) {
				var spoiled v1.Deducted
				var errs [3]error
				deduct := func(i int, reason string) func() {
					return func() {
						charge := direct("u", q.credit, "1")
						charge.Reason = reason
						d, err := q.Deduct(ctx, v1.DeductRequest{Charge: charge})
						errs[i] = err
						if i == 1 {
							spoiled = d
						}
					}
				}
				together(3, func(i int) { deduct(i, []string{"before", c.text, "after"}[i])() })
				noError(t, errs[0])
				noError(t, errs[2])
				equal(t, "code", fault.CodeOf(errs[1]), c.code)
				if c.code == "" {
					stored, err := q.GetEntry(ctx, spoiled.Entry.ID)
					noError(t, err)
					equal(t, "reason", stored.Reason, c.text)
				}
			})
		}
	})
}

// TestTextInEveryField puts what no database can store into every field that takes text: it is
// the caller's mistake, on both stores.
func TestTextInEveryField(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		credit := f.plain("Plain")
		f.give("u", credit, "1000")
		f.buy("u", topUp, "cs_1")
		ctx := context.Background()
		errOf := func(_ any, err error) error { return err }
		hold := func() string { return f.reserve("u", gemini, "1").ReservationID }
		for name, call := range map[string]func(text string) error{
			"customer": func(text string) error {
				return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: direct(text, credit, "1")}))
			},
			"credit": func(text string) error { return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: direct("u", text, "1")})) },
			"event":  func(text string) error { return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: charge("u", text, "1")})) },
			"metadata value": func(text string) error {
				c := direct("u", credit, "1")
				c.Metadata = v1.Metadata{"k": text}
				return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: c}))
			},
			"metadata name": func(text string) error {
				c := direct("u", credit, "1")
				c.Metadata = v1.Metadata{text: "v"}
				return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: c}))
			},
			"external_ref": func(text string) error {
				return errOf(f.Grant(ctx, v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "1", ExternalRef: text}))
			},
			"cost_currency": func(text string) error {
				return errOf(f.Grant(ctx, v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "1", CostBasis: "1", CostCurrency: text}))
			},
			"scope": func(text string) error {
				return errOf(f.Grant(ctx, v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "1", Scope: only(text)}))
			},
			"scope metadata": func(text string) error {
				scope := []v1.Rule{{Event: "*", Metadata: map[string]string{"k": text}}}
				return errOf(f.Grant(ctx, v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "1", Scope: scope}))
			},
			"response of a commit": func(text string) error {
				return errOf(f.Commit(ctx, v1.CommitRequest{ReservationID: hold(), Response: text}))
			},
			"error_code": func(text string) error {
				return errOf(f.Release(ctx, v1.ReleaseRequest{ReservationID: hold(), ErrorCode: text}))
			},
			"response of a track": func(text string) error {
				return errOf(f.Track(ctx, v1.TrackRequest{Charge: charge("u", gemini, "1"), Response: text}))
			},
			"idempotency key": func(text string) error {
				return errOf(f.Deduct(ctx, v1.DeductRequest{Charge: direct("u", credit, "1")}, v1.IdempotencyKey(text)))
			},
			"credit name": func(text string) error {
				return errOf(f.CreateCredit(ctx, v1.CreateCredit{Name: text, Unit: "x"}))
			},
			"credit description": func(text string) error {
				return errOf(f.CreateCredit(ctx, v1.CreateCredit{Name: "d" + text[1:2], Unit: "x", Description: text}))
			},
			"pack id": func(text string) error {
				return errOf(f.CreatePack(ctx, v1.CreatePack{ID: text, Name: "P", Items: []v1.PackItem{{CreditID: credit, Amount: "1"}}}))
			},
			"name of a customer": func(text string) error {
				return errOf(f.SaveCustomer(ctx, "u", v1.SaveCustomer{Name: text}))
			},
			"metadata of a customer": func(text string) error {
				return errOf(f.SaveCustomer(ctx, "u", v1.SaveCustomer{Metadata: v1.Metadata{"k": text}}))
			},
			"id of a pack's item": func(text string) error {
				return errOf(f.CreatePack(ctx, v1.CreatePack{Name: "P", Items: []v1.PackItem{{ID: text, CreditID: credit, Amount: "1"}}}))
			},
			"label of a key": func(text string) error {
				return errOf(f.CreateKey(ctx, v1.CreateKey{Kind: "secret", Label: text}))
			},
		} {
			for _, text := range []string{"a\x00b", "a\xffb"} {
				err := call(text)
				if status := statusOf(err); err == nil || status != 400 && status != 404 {
					t.Errorf("%s with %q: status %d, %v", name, text, status, err)
				}
			}
		}
	})
}

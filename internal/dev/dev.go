// Package dev makes a database ready to be tried out: an app, its keys, a credit with a pack and a plan
// that sell it, and the commands to try first.
//
// It owns what a newcomer finds and reads. It defines through the same operations as everyone
// else, and changes nothing that is there already.
package dev

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// What a newcomer finds.
const (
	AppName    = "demo"
	CreditName = "credits"
	PackID     = "starter"
	PlanID     = "monthly"
)

// KeyFile is where the keys of a database are kept: beside the file of an address such as
// sqlite:scrip-dev.db. Any other database is refused, so that nobody gets a demo app and keys
// in a file by starting this against the database of a business.
func KeyFile(db string) (string, error) {
	path, ok := strings.CutPrefix(db, "sqlite:")
	if !ok {
		return "", fault.New("dev.KeyFile", fault.CodeInvalidConfig, "scrip dev runs on a SQLite file, such as sqlite:scrip-dev.db: use scrip serve for any other database").In("db")
	}
	path, _, _ = strings.Cut(path, "?")
	return path + ".keys", nil
}

// Prepare finds or makes the app, its keys, and something to sell.
func Prepare(ctx context.Context, s *scrip.Scrip, keyFile string) (Keys, error) {
	app, err := s.App(ctx, AppName, scrip.Test)
	if err != nil {
		return Keys{}, err
	}
	keys, err := findKeys(ctx, app, keyFile)
	if err != nil {
		return Keys{}, err
	}
	return keys, define(ctx, app)
}

// define makes a credit, of which any amount is sold, and a pack and a plan that come to less, once:
// whoever archives them later is not given them again.
func define(ctx context.Context, app v1.Operations) error {
	const made = "Made by scrip dev."
	have, err := app.ListCredits(ctx)
	if err != nil || len(have.Data) > 0 {
		return err
	}
	_, err = app.CreateCredit(ctx, v1.CreateCredit{
		Name: CreditName, Unit: "credit", Description: made,
		DrawOrder: v1.DrawOrder{"promotional_first"}, // what was given for nothing goes first, as most expect
		Sales:     v1.Sales{PricePerCredit: "1", Currency: "usd", AnyAmount: true},
	})
	if err != nil {
		return err
	}
	_, err = app.CreatePack(ctx, v1.CreatePack{
		ID: PackID, Name: "Starter pack", Description: made, Price: 900, Currency: "usd",
		Items: []v1.PackItem{{CreditID: CreditName, Amount: "1000"}},
	})
	if err != nil {
		return err
	}
	_, err = app.CreatePlan(ctx, v1.CreatePlan{
		ID: PlanID, Name: "Monthly", Description: made, Price: 1500, Currency: "usd",
		Credits: []v1.PlanCredit{{CreditID: CreditName, Amount: "2000"}},
	})
	return err
}

// findKeys reads the keys of earlier runs, and makes new ones where they are not this
// database's, or were revoked.
func findKeys(ctx context.Context, app *scrip.App, file string) (Keys, error) {
	known, err := app.ListKeys(ctx)
	if err != nil {
		return Keys{}, err
	}
	keys, err := readKeys(file)
	if err != nil {
		return Keys{}, err
	}
	keys.File = file
	for _, slot := range keys.slots() {
		if slices.ContainsFunc(known.Data, slot.is) {
			continue
		}
		made, err := app.CreateKey(ctx, v1.CreateKey{Mode: slot.mode, Kind: slot.kind, Label: "scrip dev"})
		if err != nil {
			return Keys{}, err
		}
		*slot.text, keys.New = made.Key, true
	}
	if keys.New {
		return keys, keys.write()
	}
	return keys, nil
}

// Welcome says what runs where, and what to do next. base is the server's URL.
func Welcome(w io.Writer, base, db string, keys Keys) error {
	was := "kept in"
	if keys.New {
		was = "new, and kept in"
	}
	_, err := fmt.Fprintf(w, `Scrip is running at %[1]s on %[2]s

The keys of its app %[3]q (%[4]s %[5]s):
  test  secret       %[6]s
  test  publishable  %[7]s
  live  secret       %[8]s

Sell alice a pack of 1000 credits. The answer has the url of a page: open it, and press Pay. The test
card is filled in, and no money moves. In place of the pack, "credit_id": %[12]q, "amount": 500 buys any
number of credits, and "plan_id": %[13]q a plan.

%[9]s

Spend 3 of them, and read her balance:

%[10]s

%[11]s

Letters to customers are at %[1]s/outbox: the test secret key is the password. Every call is in
%[1]s/openapi.json. Ctrl-C stops the server.
`, base, db, AppName, was, keys.File, keys.Test, keys.Publishable, keys.Live,
		curl(base, "/v1/checkout", keys.Test, fmt.Sprintf(`{"customer_id": "alice", "pack_id": %q}`, PackID)),
		curl(base, "/v1/deduct", keys.Test, fmt.Sprintf(`{"customer_id": "alice", "credit_id": %q, "amount": 3}`, CreditName)),
		curl(base, "/v1/customers/alice/balances", keys.Test, ""), CreditName, PlanID)
	return err
}

// curl is a command that works when it is pasted into a shell. Nothing in it needs quoting
// beyond what is here: the bodies are ours.
func curl(base, path, key, body string) string {
	command := fmt.Sprintf("curl -sS %s%s -H 'Authorization: Bearer %s'", base, path, key)
	if body == "" {
		return command
	}
	return command + " \\\n  --json '" + body + "'"
}

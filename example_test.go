package scrip_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// The same errors.As finds the same error in process and over HTTP.
func Example_errors() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "scrip")
	check(err)
	defer os.RemoveAll(dir)
	s, err := scrip.Open(ctx, scrip.DB("sqlite:"+filepath.Join(dir, "credits.db")))
	check(err)
	defer s.Close(ctx)
	app, err := s.App(ctx, "my-product", scrip.Test)
	check(err)
	_, err = app.CreateCredit(ctx, v1.CreateCredit{Name: "credits", Unit: "credit"})
	check(err)
	key, err := app.CreateKey(ctx, v1.CreateKey{Kind: "secret"})
	check(err)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	remote, err := client.New(server.URL, key.Key)
	check(err)

	for _, ops := range []v1.Operations{app, remote} {
		_, err := ops.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "alice", CreditID: "credits", Amount: "3"}})
		var short *fault.InsufficientCreditsError
		if errors.As(err, &short) {
			fmt.Printf("%s needed, %s there\n", short.Required, short.Available)
		}
		_, err = ops.GetCustomer(ctx, "nobody")
		var missing *fault.NotFoundError
		if errors.As(err, &missing) {
			fmt.Printf("no such %s\n", missing.What)
		}
	}
	// Output:
	// 3 needed, 0 there
	// no such customer
	// 3 needed, 0 there
	// no such customer
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

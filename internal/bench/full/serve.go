package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/serve"
)

// asScrip answers in the way that `scrip serve` does. Where a folder for profiles is named, the
// processor's and the memory's are left there when the process is told to end.
func asScrip(address, profiles string, handler http.Handler) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if profiles != "" {
		f, err := os.Create(filepath.Join(profiles, "cpu.pprof"))
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, f.Close(), writeProfile(profiles, "allocs"))
		}()
	}
	l, err := serve.Listen(ctx, address)
	if err != nil {
		return err
	}
	server := serve.Server{Handler: handler, Log: slog.New(slog.DiscardHandler)}
	return server.Run(ctx, l)
}

func writeProfile(folder, name string) error {
	f, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
}

// serveScrip is what the real binary serves, in a process that can be profiled.
func serveScrip(address, db, profiles string) (err error) {
	s, err := scrip.Open(context.Background(), scrip.DB(db))
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.Close(context.Background()))
		stats := s.Stats()
		fmt.Fprintf(os.Stderr, "%s: %d commands in %d batches, %d retries, %d loads\n",
			db, stats.Commands.Load(), stats.Batches.Load(), stats.Retries.Load(), stats.Loads.Load())
	}()
	return asScrip(address, profiles, serve.WithMetrics(s.Handler(), s, clock.System{}, "bench"))
}

// charge is the body of a deduction, as the rivals read it.
type charge struct {
	CustomerID string `json:"customer_id"`
	CreditID   string `json:"credit_id"`
	Amount     string `json:"amount"`
}

// echo is the least that a JSON server does: it reads a body like a deduction's and writes an
// answer of the size of one.
func echo() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("POST /v1/deduct", func(w http.ResponseWriter, r *http.Request) {
		var in charge
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, likeDeducted(&in))
	})
	return mux
}

func healthy(http.ResponseWriter, *http.Request) {}

func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // whoever asked has gone otherwise
}

// The shape of the answer to a deduction, in plain types.
type (
	slice struct {
		GrantID string `json:"grant_id"`
		Amount  string `json:"amount"`
	}
	entry struct {
		ID            string  `json:"id"`
		Sequence      int64   `json:"sequence"`
		OperationID   string  `json:"operation_id"`
		Type          string  `json:"type"`
		CustomerID    string  `json:"customer_id"`
		CreditID      string  `json:"credit_id"`
		Amount        string  `json:"amount"`
		BalanceBefore string  `json:"balance_before"`
		BalanceAfter  string  `json:"balance_after"`
		OverageBefore string  `json:"overage_before"`
		OverageAfter  string  `json:"overage_after"`
		Slices        []slice `json:"slices"`
		Actor         string  `json:"actor"`
		EffectiveAt   string  `json:"effective_at"`
		RecordedAt    string  `json:"recorded_at"`
		PreviousHash  string  `json:"previous_hash"`
		Hash          string  `json:"hash"`
	}
	sums struct {
		Available string `json:"available"`
		Held      string `json:"held"`
		Frozen    string `json:"frozen"`
	}
	balance struct {
		CreditID   string `json:"credit_id"`
		CreditName string `json:"credit_name"`
		Unit       string `json:"unit"`
		Balance    string `json:"balance"`
		Available  string `json:"available"`
		Held       string `json:"held"`
		Frozen     string `json:"frozen"`
		Overage    string `json:"overage"`
		Used       string `json:"used"`
		ByCategory struct {
			Paid        sums `json:"paid"`
			Promotional sums `json:"promotional"`
		} `json:"by_category"`
	}
	deducted struct {
		Entry   *entry   `json:"entry"`
		Balance *balance `json:"balance"`
		Taken   string   `json:"taken"`
		Short   string   `json:"short"`
	}
)

func likeDeducted(in *charge) *deducted {
	const (
		some = "999999999999"
		at   = "2026-01-31T09:30:00.123456Z"
		hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
		obj  = "ent_7zzzzzzzzzzzzzzzzzzzzzzzzz1234"
	)
	e := entry{
		ID: obj, Sequence: 123456, OperationID: obj, Type: "credit_deducted", CustomerID: in.CustomerID, CreditID: in.CreditID,
		Amount: in.Amount, BalanceBefore: some, BalanceAfter: some, OverageBefore: "0", OverageAfter: "0",
		Slices: []slice{{obj, in.Amount}}, Actor: "key_7zzzzzzzzzzzzzzzzzzzzzzzzz", EffectiveAt: at, RecordedAt: at,
		PreviousHash: hash, Hash: hash,
	}
	b := balance{
		CreditID: in.CreditID, CreditName: "Bench credits", Unit: "credit", Balance: some, Available: some,
		Held: "0", Frozen: "0", Overage: "0", Used: "123456",
	}
	b.ByCategory.Paid = sums{some, "0", "0"}
	b.ByCategory.Promotional = sums{"0", "0", "0"}
	return &deducted{Entry: &e, Balance: &b, Taken: in.Amount, Short: "0"}
}

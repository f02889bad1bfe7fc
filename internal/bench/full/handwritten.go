package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The hand-written rival: what somebody writes who needs a balance and a ledger and has
// PostgreSQL. It has no grants, no idempotency, no holds and no expiry.
const handwrittenTables = `
	CREATE TABLE balances (customer_id text, credit_id text, balance bigint NOT NULL CHECK (balance >= 0), PRIMARY KEY (customer_id, credit_id));
	CREATE TABLE ledger (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id text NOT NULL, credit_id text NOT NULL, amount bigint NOT NULL,
		balance_after bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
	CREATE INDEX ledger_customer ON ledger (customer_id, id)`

// handwritten serves POST /v1/deduct with one transaction a request.
type handwritten struct{ pool *pgxpool.Pool }

func serveHandwritten(address, db string) error {
	pool, err := pgxpool.New(context.Background(), db)
	if err != nil {
		return err
	}
	defer pool.Close()
	h := &handwritten{pool}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("POST /v1/deduct", h.deduct)
	return http.ListenAndServe(address, mux)
}

// handwrittenAnswer is what a program needs to know of a deduction.
type handwrittenAnswer struct {
	ID            int64  `json:"id"`
	CustomerID    string `json:"customer_id"`
	Amount        string `json:"amount"`
	BalanceBefore string `json:"balance_before"`
	BalanceAfter  string `json:"balance_after"`
}

var errInsufficient = errors.New("insufficient credits")

func (h *handwritten) deduct(w http.ResponseWriter, r *http.Request) {
	var in charge
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	amount, err := strconv.ParseInt(in.Amount, 10, 64)
	if err != nil || amount <= 0 {
		http.Error(w, "bad amount", http.StatusBadRequest)
		return
	}
	out := handwrittenAnswer{CustomerID: in.CustomerID, Amount: in.Amount}
	err = pgx.BeginFunc(r.Context(), h.pool, func(tx pgx.Tx) error {
		var balance int64
		err := tx.QueryRow(r.Context(), "SELECT balance FROM balances WHERE customer_id = $1 AND credit_id = $2 FOR UPDATE",
			in.CustomerID, in.CreditID).Scan(&balance)
		if err != nil {
			return err
		}
		if balance < amount {
			return errInsufficient
		}
		out.BalanceBefore, out.BalanceAfter = strconv.FormatInt(balance, 10), strconv.FormatInt(balance-amount, 10)
		if _, err := tx.Exec(r.Context(), "UPDATE balances SET balance = $3 WHERE customer_id = $1 AND credit_id = $2",
			in.CustomerID, in.CreditID, balance-amount); err != nil {
			return err
		}
		return tx.QueryRow(r.Context(), "INSERT INTO ledger (customer_id, credit_id, amount, balance_after) VALUES ($1, $2, $3, $4) RETURNING id",
			in.CustomerID, in.CreditID, -amount, balance-amount).Scan(&out.ID)
	})
	switch {
	case errors.Is(err, errInsufficient):
		http.Error(w, err.Error(), http.StatusPaymentRequired)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		answer(w, out)
	}
}

// prepareHandwritten makes the rival's tables, and its customers with the names and credit that
// Scrip's have.
func prepareHandwritten(ctx context.Context, db, credit string, customers []string) error {
	conn, err := pgx.Connect(ctx, db)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, handwrittenTables)
	if err == nil {
		_, err = conn.Exec(ctx, "INSERT INTO balances SELECT c, $2, 1000000000000 FROM unnest($1::text[]) c", customers, credit)
	}
	return errors.Join(err, conn.Close(ctx))
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

const charge = `{"customer_id":"customer-%d","credit_id":"api","amount":"1"}`

// idle answers a deduction at once, so that what is measured is the handler alone.
type idle struct {
	v1.Operations
	answer v1.Deducted
}

func (i *idle) Deduct(context.Context, v1.DeductRequest, ...v1.Option) (v1.Deducted, error) {
	return i.answer, nil
}

// everyone lets every key in.
type everyone struct{}

func (everyone) Authenticate(context.Context, string) (accounts.Identity, error) {
	return accounts.Identity{App: "app", Mode: catalog.Test, Kind: store.Secret, Key: "key"}, nil
}

func (e everyone) Identify(ctx context.Context, key string) (accounts.Identity, error) {
	return e.Authenticate(ctx, key)
}

func (everyone) Operate(context.Context, accounts.Identity) error { return nil }

func (everyone) Restrict(_ context.Context, who accounts.Identity, _ string) (accounts.Identity, error) {
	return who, nil
}

// BenchmarkHandler is a deduction without network, service or database.
func BenchmarkHandler(b *testing.B) {
	f := newFixture(b, Options{})
	newWorld(f)
	text := f.must("POST", "/v1/deduct", `{"customer_id":"c","credit_id":"api","amount":"1"}`).text
	ops := &idle{}
	if err := json.Unmarshal([]byte(text), &ops.answer); err != nil {
		b.Fatal(err)
	}
	h := newServer(everyone{}, clock.NewManual(start), Options{}, func(accounts.Identity) v1.Operations { return ops })
	body := []byte(fmt.Sprintf(charge, 1))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/deduct", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer sk_test_x")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

// parallel posts from 64 clients at a time on two processors.
func parallel(b *testing.B, url, key string, body func(n int64) string) {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	var n atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body(n.Add(1)))))
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Content-Type", "application/json")
			res, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Errorf("answered %d", res.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkEcho is the yardstick: a bare handler that reads JSON and writes it back.
func BenchmarkEcho(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if json.NewDecoder(r.Body).Decode(&in) == nil {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(in)
		}
	}))
	defer server.Close()
	parallel(b, server.URL, "", func(n int64) string { return fmt.Sprintf(charge, n%1000) })
}

// BenchmarkDeduct is a deduction over HTTP into SQLite, over a thousand customers and over one.
func BenchmarkDeduct(b *testing.B) {
	for _, customers := range []int64{1000, 1} {
		b.Run(fmt.Sprintf("customers=%d", customers), func(b *testing.B) {
			f := newFixture(b, Options{})
			newWorld(f)
			for i := range customers {
				f.must("POST", "/v1/grants", fmt.Sprintf(`{"customer_id":"customer-%d","credit_id":"api","amount":"1000000"}`, i))
			}
			parallel(b, f.url+"/v1/deduct", f.test, func(n int64) string { return fmt.Sprintf(charge, n%customers) })
		})
	}
}

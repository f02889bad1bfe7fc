package acceptance

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// spenders is how many clients spend one wallet at once.
const spenders = 64

// TestSpendingAWalletToExhaustion lets 64 clients deduct 10 from 500 until each is refused.
func TestSpendingAWalletToExhaustion(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		credit := w.plain("Plain")
		for range 5 {
			w.give("u", credit, "100")
		}
		exhaust(t, []*client.Client{w.client}, credit, 50)
	})
}

// exhaust spends the wallet of u by tens until every client was refused: exactly so many may
// succeed, and no balance on the way is negative.
func exhaust(t *testing.T, clients []*client.Client, credit string, affordable int64) {
	t.Helper()
	var done, refused atomic.Int64
	together(spenders, func(i int) {
		c := clients[i%len(clients)]
		for {
			_, err := c.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "10")})
			if err == nil {
				done.Add(1)
				continue
			}
			if fault.CodeOf(err) != fault.CodeInsufficientCredits {
				t.Errorf("client %d: %v", i, err)
			}
			refused.Add(1)
			return
		}
	})
	equal(t, "deductions", done.Load(), affordable)
	equal(t, "refusals", refused.Load(), spenders)
	neverNegative(t, clients[0], "u")
	equal(t, "left", balance(t, clients[0], "u", credit).Balance, "0")
}

func neverNegative(t *testing.T, ops v1.Operations, customer string) {
	t.Helper()
	for _, e := range entries(t, ops, customer) {
		if n, err := money.ParseUnits(string(e.BalanceAfter), 0); err != nil || n < 0 {
			t.Fatalf("balance %s after entry %d", e.BalanceAfter, e.Sequence)
		}
	}
}

// TestMixedSpending lets 64 clients deduct, reserve, commit in part and release until the wallet
// is empty: what they were told they took is what is gone.
func TestMixedSpending(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		credit := w.plain("Plain")
		for range 20 {
			w.give("u", credit, "50")
		}
		mix(t, seeded(t), []*client.Client{w.client}, credit, 1000)
	})
}

// mix spends the wallet of u, which holds total, in all ways at once.
func mix(t *testing.T, random *rand.Rand, clients []*client.Client, credit string, total int64) {
	t.Helper()
	var taken atomic.Int64
	seeds := make([]uint64, spenders)
	for i := range seeds {
		seeds[i] = random.Uint64()
	}
	together(spenders, func(i int) {
		s := &spender{t: t, ops: clients[i%len(clients)], credit: credit, random: rand.New(rand.NewPCG(seeds[i], 0)), taken: &taken}
		for s.refused < 3 && !t.Failed() {
			s.step()
		}
	})
	b := balance(t, clients[0], "u", credit)
	equal(t, "held", b.Held, "0")
	equal(t, "used", b.Used, money.Decimal(money.FormatUnits(taken.Load(), 0)))
	equal(t, "left", b.Available, money.Decimal(money.FormatUnits(total-taken.Load(), 0)))
	neverNegative(t, clients[0], "u")
	if taken.Load() > total || total-taken.Load() > spenders*9 {
		t.Fatalf("%d of %d were taken", taken.Load(), total)
	}
}

// spender is one of many who spend the wallet of u.
type spender struct {
	t       *testing.T
	ops     v1.Operations
	credit  string
	random  *rand.Rand
	taken   *atomic.Int64
	refused int
}

func (s *spender) step() {
	n := 1 + s.random.Int64N(9)
	amount := money.Decimal(money.FormatUnits(n, 0))
	ctx := context.Background()
	if s.random.IntN(2) == 0 {
		_, err := s.ops.Deduct(ctx, v1.DeductRequest{Charge: direct("u", s.credit, amount)})
		s.count(err, fault.CodeInsufficientCredits, n)
		return
	}
	d, err := s.ops.Reserve(ctx, v1.ReserveRequest{Charge: direct("u", s.credit, amount), TTLSeconds: 3600})
	if err != nil {
		s.t.Error(err)
		return
	}
	if !d.Allowed {
		s.refused++
		return
	}
	if s.random.IntN(3) == 0 {
		_, err = s.ops.Release(ctx, v1.ReleaseRequest{ReservationID: d.ReservationID})
		s.count(err, "", 0)
		return
	}
	part := s.random.Int64N(n + 1)
	take := money.Decimal(money.FormatUnits(part, 0))
	_, err = s.ops.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID, Amount: &take})
	s.count(err, "", part)
}

// count adds what was taken, or notes a refusal.
func (s *spender) count(err error, refusal fault.Code, n int64) {
	switch {
	case err == nil:
		s.taken.Add(n)
	case refusal != "" && fault.CodeOf(err) == refusal:
		s.refused++
	default:
		s.t.Error(err)
	}
}

// TestTwoServers runs two server processes on one database and asks both at once.
func TestTwoServers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		key := makeKey(t, db.address, "two servers", "live")
		a, b := runServer(t, db.address), runServer(t, db.address)
		clients := []*client.Client{a.client(key), b.client(key)}
		credit, err := clients[0].CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
		noError(t, err)
		give := func(n int) {
			for i := range n {
				_, err := clients[i%2].Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit.ID, Amount: "100"})
				noError(t, err)
			}
		}
		give(5)
		exhaust(t, clients, credit.ID, 50)
		give(10)
		mixOver(t, clients, credit.ID)
		t.Run("definitions and keys", func(t *testing.T) { shareDefinitions(t, a, b, key) })
		verify(t, db.address)
		noError(t, a.stop(t))
		noError(t, b.stop(t))
	})
}

// mixOver is mix on a wallet that 500 were used of.
func mixOver(t *testing.T, clients []*client.Client, credit string) {
	t.Helper()
	before := balance(t, clients[1], "u", credit)
	equal(t, "used before", before.Used, "500")
	_, err := clients[0].Grant(t.Context(), v1.GrantRequest{CustomerID: "v", CreditID: credit, Amount: "1"})
	noError(t, err)
	var taken atomic.Int64
	together(spenders, func(i int) {
		s := &spender{t: t, ops: clients[i%2], credit: credit, random: rand.New(rand.NewPCG(uint64(i), 0)), taken: &taken}
		for s.refused < 3 && !t.Failed() {
			s.step()
		}
	})
	after := balance(t, clients[1], "u", credit)
	equal(t, "used", after.Used, money.Decimal(money.FormatUnits(500+taken.Load(), 0)))
	equal(t, "left", after.Available, money.Decimal(money.FormatUnits(1000-taken.Load(), 0)))
	neverNegative(t, clients[1], "u")
}

// shareDefinitions changes definitions and keys on one server and relies on them on the other.
func shareDefinitions(t *testing.T, a, b *process, key string) {
	ctx := t.Context()
	made, err := a.client(key).CreateKey(ctx, v1.CreateKey{Kind: "secret"})
	noError(t, err)
	guest := b.client(made.Key)
	credit, err := a.client(key).CreateCredit(ctx, v1.CreateCredit{Name: "Fresh", Unit: "x"})
	noError(t, err)
	for _, name := range []string{credit.ID, "fresh"} { // by id and by name, at once
		_, err = guest.Grant(ctx, v1.GrantRequest{CustomerID: "w", CreditID: name, Amount: "10"})
		noError(t, err)
	}
	pack := v1.CreatePack{ID: "cpk_fresh", Name: "Fresh", Items: []v1.PackItem{{CreditID: credit.ID, Amount: "5"}}}
	_, err = a.client(key).CreatePack(ctx, pack)
	noError(t, err)
	_, err = guest.Grant(ctx, v1.GrantRequest{CustomerID: "w", PackID: "cpk_fresh"})
	noError(t, err)
	equal(t, "balance on the first server", balance(t, a.client(key), "w", credit.ID).Available, "25")

	_, err = a.client(key).RevokeKey(ctx, made.ID)
	noError(t, err)
	for _, c := range []struct {
		path string
		body any
	}{
		{"/v1/deduct", direct("w", credit.ID, "1")},
		{"/v1/grants", v1.GrantRequest{CustomerID: "w", CreditID: credit.ID, Amount: "1"}},
		{"/v1/credits", v1.CreateCredit{Name: "Too late", Unit: "x"}},
	} {
		b.call(made.Key, http.MethodPost, c.path, c.body).is(t, 401, fault.CodeInvalidKey)
	}
	b.call(made.Key, http.MethodGet, "/v1/customers/w/balances", nil).is(t, 401, fault.CodeInvalidKey)
	equal(t, "balance after the refusals", balance(t, b.client(key), "w", credit.ID).Available, "25")

	_, err = a.client(key).ArchiveCredit(ctx, credit.ID)
	noError(t, err)
	_, err = b.client(key).Grant(ctx, v1.GrantRequest{CustomerID: "w", CreditID: credit.ID, Amount: "1"})
	refused(t, err, fault.CodeCreditArchived, 409)
}

// TestRevokedWhileWriting revokes a key under load: once the revocation is answered, no server
// writes under the key any more.
func TestRevokedWhileWriting(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		credit := w.plain("Plain")
		w.give("u", credit, "1000000")
		other := startServer(t, db.open(t), w.options()).serve(t)
		id, text := w.newKey(t, w.app, catalog.Live, store.Secret)
		var revoked atomic.Bool
		var late, done atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			c := []*wire{w.wire, other}[i%2].client(text)
			wg.Go(func() {
				for {
					after := revoked.Load()
					_, err := c.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "1")})
					switch {
					case err == nil && after:
						late.Add(1)
					case err == nil:
						done.Add(1)
					case fault.CodeOf(err) == fault.CodeInvalidKey:
						return
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		until(t, "some deductions", func() bool { return done.Load() >= 50 || t.Failed() })
		_, err := w.accounts.RevokeKey(t.Context(), w.app.ID, id)
		noError(t, err)
		revoked.Store(true)
		wg.Wait()
		equal(t, "deductions after the revocation was answered", late.Load(), 0)
		equal(t, "used", balance(t, w.ops, "u", credit).Used, money.Decimal(money.FormatUnits(done.Load(), 0)))
	})
}

// TestDefiningAtOnce lets 32 clients define different things at once: none of them is refused.
func TestDefiningAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWired(t, db)
		second := startServer(t, db.open(t), w.options()).serve(t)
		clients := []*client.Client{w.client, second.client(w.secret)}
		together(32, func(i int) {
			name := "Credit " + string(rune('A'+i))
			if _, err := clients[i%2].CreateCredit(context.Background(), v1.CreateCredit{Name: name, Unit: "x"}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		all, err := w.ListCredits(t.Context())
		noError(t, err)
		equal(t, "credits", len(all.Data), 33)
	})
}

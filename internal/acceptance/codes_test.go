package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// code makes one code that gives 10 promotional credits, unless edit says otherwise.
func (k *kit) code(edit func(*v1.CreateCodes)) v1.Code {
	k.t.Helper()
	r := v1.CreateCodes{CreditID: k.credit, Amount: "10"}
	if edit != nil {
		edit(&r)
	}
	made, err := k.client.CreateCodes(context.Background(), r)
	noError(k.t, err)
	equal(k.t, "codes that were made", len(made.Data), max(1, r.Count))
	return made.Data[0]
}

func redemption(customer, code string) v1.RedeemCode {
	return v1.RedeemCode{CustomerID: customer, Code: code}
}

func (k *kit) redeem(customer, code string, opts ...v1.Option) v1.Redeemed {
	k.t.Helper()
	r, err := k.client.RedeemCode(context.Background(), redemption(customer, code), opts...)
	noError(k.t, err)
	return r
}

// refuses fails the test unless a code cannot be redeemed, for this reason, and gives nothing.
func (k *kit) refuses(customer, code string, want fault.Code, opts ...v1.Option) *fault.Error {
	k.t.Helper()
	before := len(entries(k.t, k.client, customer))
	_, err := k.client.RedeemCode(context.Background(), redemption(customer, code), opts...)
	wantCode(k.t, err, want)
	equal(k.t, "entries", len(entries(k.t, k.client, customer)), before)
	return fault.As(err)
}

func (k *kit) uses(code string) int64 {
	k.t.Helper()
	c, err := k.client.GetCode(context.Background(), code)
	noError(k.t, err)
	return c.Uses
}

var codeRows = []row[*kit]{
	{"a code gives promotional credits, once for each customer", func(t *testing.T, k *kit) {
		made := k.code(func(r *v1.CreateCodes) {
			r.Code, r.MaxUses, r.ExpiresAfterDays, r.Description = "Summer_25-x", 2, 30, "newsletter"
			r.Metadata = v1.Metadata{"campaign": "june"}
		})
		got := k.redeem("u", "sUMMER_25-X")
		equal(t, "code", got.CodeID, made.ID)
		equal(t, "uses left", *got.UsesLeft, 1)
		g := got.Grants[0]
		equal(t, "amount", g.Amount, "10")
		equal(t, "category", g.Category, "promotional")
		equal(t, "source", g.Source, "grant")
		equal(t, "reason", g.Reason, "Code Summer_25-x")
		equal(t, "expiry", g.ExpiresAt.Time(), begin.Time().AddDate(0, 0, 30))
		e := entries(t, k.client, "u")[0]
		equal(t, "reference", e.ReferenceType+" "+e.ReferenceID, "code "+made.ID)
		again := k.refuses("u", "SUMMER_25-X", fault.CodeCodeAlreadyRedeemed)
		same(t, "grants in the refusal", again.Details["grants"], []string{g.ID})
		equal(t, "code in the refusal", again.Details["code_id"], any(made.ID))
		equal(t, "status", statusOf(again), 409)
		equal(t, "uses left", *k.redeem("v", "summer_25-x").UsesLeft, 0)
		equal(t, "status", statusOf(k.refuses("w", "summer_25-x", fault.CodeCodeUsedUp)), 409)
		equal(t, "uses", k.uses("SUMMER_25-x"), 2)
		k.holds("10", "0", "0")
	}},
	{"a code gives a pack, as its items say or as the code says", func(t *testing.T, k *kit) {
		pack, err := k.client.CreatePack(t.Context(), v1.CreatePack{Name: "Starter", ExpiresAfterDays: 7, Items: []v1.PackItem{
			{CreditID: k.credit, Amount: "5"}, {CreditID: k.credit, Amount: "7", Category: "promotional"},
		}})
		noError(t, err)
		k.code(func(r *v1.CreateCodes) { r.Code, r.PackID, r.CreditID, r.Amount = "as-it-is", "starter", "", "" })
		got := k.redeem("u", "as-it-is")
		equal(t, "grants", len(got.Grants), 2)
		equal(t, "pack", got.Grants[0].PackID, pack.ID)
		equal(t, "expiry", got.Grants[0].ExpiresAt.Time(), begin.Time().AddDate(0, 0, 7))
		k.holds("7", "5", "0")
		k.code(func(r *v1.CreateCodes) {
			r.Code, r.PackID, r.CreditID, r.Amount, r.Category, r.ExpiresAfterDays = "as-a-gift", pack.ID, "", "", "promotional", 2
		})
		equal(t, "expiry", k.redeem("u", "as-a-gift").Grants[0].ExpiresAt.Time(), begin.Time().AddDate(0, 0, 2))
		k.holds("19", "5", "0")
	}},
	{"what is no code", func(t *testing.T, k *kit) {
		for _, text := range []string{"nothing", "a b", "é-é-é", "x", "\x00\x00\x00"} {
			equal(t, "status", statusOf(k.refuses("u", text, fault.CodeCodeNotFound)), 404)
		}
		_, err := k.client.RedeemCode(t.Context(), redemption("u", "  "))
		wantCode(t, err, fault.CodeMissingField)
		_, err = k.client.RedeemCode(t.Context(), redemption("", "nothing"))
		wantCode(t, err, fault.CodeMissingField)
		made := k.code(func(r *v1.CreateCodes) { r.Code = "spring" })
		_, err = k.client.CreateCodes(t.Context(), v1.CreateCodes{Code: "SPRING", CreditID: k.credit, Amount: "1"})
		wantCode(t, err, fault.CodeNameTaken)
		equal(t, "field", fault.As(err).Field, "code")
		_, err = k.client.ArchiveCode(t.Context(), made.ID)
		noError(t, err)
		k.refuses("u", "spring", fault.CodeCodeNotFound)
		again := k.code(func(r *v1.CreateCodes) { r.Code = "SPRING" })
		equal(t, "code", k.redeem("u", "spring").CodeID, again.ID)
	}},
	{"a code has its time, half-open", func(t *testing.T, k *kit) {
		from, until := begin.Add(time.Hour), begin.Add(2*time.Hour)
		k.code(func(r *v1.CreateCodes) { r.Code, r.ValidFrom, r.ValidUntil = "happy-hour", from, until })
		k.clock.Advance(time.Hour - time.Microsecond)
		k.refuses("u", "happy-hour", fault.CodeCodeNotYetValid)
		k.clock.Advance(time.Microsecond)
		k.redeem("u", "happy-hour")
		k.clock.Advance(time.Hour - time.Microsecond)
		k.redeem("v", "happy-hour")
		k.clock.Advance(time.Microsecond)
		k.refuses("w", "happy-hour", fault.CodeCodeExpired)
		k.refuses("u", "happy-hour", fault.CodeCodeAlreadyRedeemed)
		_, err := k.client.UpdateCode(t.Context(), "happy-hour", v1.UpdateCode{ValidUntil: v1.NeverExpires()})
		noError(t, err)
		k.redeem("w", "happy-hour")
	}},
	{"an edit changes how often, and nothing that was given", func(t *testing.T, k *kit) {
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses = "few", 1 })
		k.redeem("u", "few")
		k.refuses("v", "few", fault.CodeCodeUsedUp)
		more, twice := int64(3), int64(2)
		_, err := k.client.UpdateCode(t.Context(), "few", v1.UpdateCode{MaxUses: &more, MaxUsesPerCustomer: &twice})
		noError(t, err)
		k.redeem("u", "few")
		both := k.refuses("u", "few", fault.CodeCodeAlreadyRedeemed)
		equal(t, "grants in the refusal", len(both.Details["grants"].([]any)), 2)
		k.redeem("v", "few")
		k.refuses("v", "few", fault.CodeCodeUsedUp)
		none := int64(0)
		_, err = k.client.UpdateCode(t.Context(), "few", v1.UpdateCode{MaxUses: &none})
		noError(t, err)
		if left := k.redeem("v", "few").UsesLeft; left != nil {
			t.Errorf("%d uses left of any number", *left)
		}
	}},
	{"many codes at once, each for one use", func(t *testing.T, k *kit) {
		made, err := k.client.CreateCodes(t.Context(), v1.CreateCodes{
			CreditID: k.credit, Amount: "10", Count: v1.MaxCodes, Prefix: "GIFT",
		}, v1.IdempotencyKey("batch"))
		noError(t, err)
		again, err := k.client.CreateCodes(t.Context(), v1.CreateCodes{
			CreditID: k.credit, Amount: "10", Count: v1.MaxCodes, Prefix: "GIFT",
		}, v1.IdempotencyKey("batch"))
		noError(t, err)
		same(t, "made again", again, made)
		texts := map[string]bool{}
		for _, c := range made.Data {
			texts[c.Code] = true
			if len(c.Code) != len("GIFT-0000-0000-0000-0000") || c.MaxUses != 1 {
				t.Fatalf("made %+v", c)
			}
		}
		equal(t, "different codes", len(texts), v1.MaxCodes)
		k.redeem("u", made.Data[7].Code)
		k.refuses("v", made.Data[7].Code, fault.CodeCodeUsedUp)
		k.redeem("u", made.Data[8].Code)
		seen := map[string]bool{}
		for q := (v1.CodeQuery{Limit: 300}); ; {
			page, err := k.client.ListCodes(t.Context(), q)
			noError(t, err)
			for _, c := range page.Data {
				seen[c.ID] = true
			}
			if q.Cursor = page.NextCursor; !page.HasMore {
				break
			}
		}
		equal(t, "listed", len(seen), v1.MaxCodes)
		found, err := k.client.ListCodes(t.Context(), v1.CodeQuery{Code: made.Data[7].Code})
		noError(t, err)
		equal(t, "found by its text", found.Data[0].ID, made.Data[7].ID)
		equal(t, "uses", found.Data[0].Uses, 1)
	}},
	{"test never meets live", func(t *testing.T, k *kit) {
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses = "once", 1 })
		_, secret := k.newKey(t, k.app, catalog.Test, store.Secret)
		test := k.wire.client(secret)
		for range 2 {
			_, err := test.RedeemCode(t.Context(), redemption("u", "once"), v1.IdempotencyKey("k"))
			noError(t, err)
		}
		equal(t, "uses in live", k.uses("once"), 0)
		k.redeem("u", "once", v1.IdempotencyKey("k"))
		k.refuses("v", "once", fault.CodeCodeUsedUp)
		in, err := test.GetCode(t.Context(), "once")
		noError(t, err)
		equal(t, "uses in test", in.Uses, 1)
	}},
	{"an idempotency key gets the original answer", func(t *testing.T, k *kit) {
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses = "first", 5 })
		k.code(func(r *v1.CreateCodes) { r.Code = "other" })
		key := v1.IdempotencyKey("k")
		first := k.redeem("u", "first", key)
		k.redeem("v", "first")
		k.deduct("3")
		_, err := k.client.ArchiveCode(t.Context(), first.CodeID)
		noError(t, err)
		same(t, "answer", k.redeem("u", "FIRST", key), first)
		k.refuses("u", "other", fault.CodeIdempotencyKeyReused, key)
		_, err = k.client.Deduct(t.Context(), k.charge("1"), v1.IdempotencyKey("spent"))
		noError(t, err)
		k.refuses("u", "other", fault.CodeIdempotencyKeyReused, v1.IdempotencyKey("spent"))
		_, err = k.client.Deduct(t.Context(), k.charge("1"), key)
		wantCode(t, err, fault.CodeIdempotencyKeyReused)
		equal(t, "uses", k.uses("other"), 0)
	}},
	{"only a secret key redeems", func(t *testing.T, k *kit) {
		k.code(func(r *v1.CreateCodes) { r.Code = "secret" })
		_, publishable := k.newKey(t, k.app, catalog.Live, store.Publishable)
		k.call(publishable, http.MethodPost, "/v1/codes/redeem", redemption("u", "secret")).is(t, 403, fault.CodeRequiresSecretKey)
		equal(t, "uses", k.uses("secret"), 0)
	}},
	{"what could not be granted is not claimed", func(t *testing.T, k *kit) {
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses = "late", 1 })
		_, err := k.client.ArchiveCredit(t.Context(), k.credit)
		noError(t, err)
		k.refuses("u", "late", fault.CodeCreditArchived)
		equal(t, "uses", k.uses("late"), 0)
	}},
	{"G10 a credit whose sales are off is not given by codes", salesOff},
	{"G14 a bonus for registration, once", registered},
	{"G15 registration without a bonus leaves no line", func(t *testing.T, k *kit) {
		for i, bonus := range []money.Decimal{"", "0"} {
			k.sells(v1.Sales{SignupBonus: bonus})
			id := fmt.Sprint("u", i)
			r, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: id, Name: "Uma"})
			noError(t, err)
			equal(t, "bonus", len(r.SignupBonus), 0)
			equal(t, "entries", len(entries(t, k.client, id)), 0)
			known, err := k.client.GetCustomer(t.Context(), id)
			noError(t, err)
			equal(t, "name", known.Name, "Uma")
		}
	}},
}

func TestCodesAndRegistration(t *testing.T) { runRows(t, codeRows, newKit) }

// sells sets how the credit is sold.
func (k *kit) sells(s v1.Sales) {
	k.t.Helper()
	_, err := k.client.UpdateCredit(context.Background(), k.credit, v1.UpdateCredit{Sales: &s})
	noError(k.t, err)
}

// salesOff switches sales off: what was granted can be spent, and nothing more is given by itself.
// The row has balances hidden and deductions refused as well; here that would take from customers
// what they paid for.
func salesOff(t *testing.T, k *kit) {
	k.code(func(r *v1.CreateCodes) { r.Code = "gift" })
	_, err := k.client.CreatePack(t.Context(), v1.CreatePack{Name: "Pack", Items: []v1.PackItem{{CreditID: k.credit, Amount: "5"}}})
	noError(t, err)
	k.code(func(r *v1.CreateCodes) { r.Code, r.PackID, r.CreditID, r.Amount = "pack-gift", "Pack", "", "" })
	k.redeem("u", "gift")
	k.sells(v1.Sales{Off: true, SignupBonus: "50"})
	for _, code := range []string{"gift", "pack-gift"} {
		equal(t, "status", statusOf(k.refuses("v", code, fault.CodeSalesOff)), 403)
	}
	r, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "v"})
	noError(t, err)
	equal(t, "bonus", len(r.SignupBonus), 0)
	equal(t, "entries", len(entries(t, k.client, "v")), 0)
	equal(t, "uses", k.uses("gift"), 1)
	k.deduct("4")
	k.holds("6", "0", "4")
	k.sells(v1.Sales{SignupBonus: "50"})
	k.redeem("v", "gift")
	again, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "v"})
	noError(t, err)
	equal(t, "bonus", again.SignupBonus[0].Amount, "50")
}

// registered pays the bonus of each credit that has one, to each customer once.
func registered(t *testing.T, k *kit) {
	k.sells(v1.Sales{SignupBonus: "50"})
	_, err := k.client.CreateCredit(t.Context(), v1.CreateCredit{Name: "Other", Unit: "u", Precision: 2, Sales: v1.Sales{SignupBonus: "1.25"}})
	noError(t, err)
	first, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "u", Name: "Uma", Email: "uma@example.test"})
	noError(t, err)
	equal(t, "name", first.Name, "Uma")
	equal(t, "bonuses", len(first.SignupBonus), 2)
	g := first.SignupBonus[0]
	equal(t, "amount", g.Amount, "50")
	equal(t, "category", g.Category, "promotional")
	equal(t, "reason", g.Reason, "Sign-up bonus")
	k.holds("50", "0", "0")
	k.deduct("50") // a bonus that is spent was paid all the same
	for range 3 {
		again, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "u", Phone: "+41"})
		noError(t, err)
		equal(t, "name", again.Name+again.Phone, "Uma+41")
		equal(t, "bonus", again.SignupBonus[0].ID, g.ID)
	}
	k.sells(v1.Sales{SignupBonus: "70"})
	_, err = k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "u"})
	noError(t, err)
	k.holds("0", "0", "50")

	// A customer of whom only use was known before.
	_, err = k.client.Grant(t.Context(), v1.GrantRequest{CustomerID: "used", CreditID: k.credit, Amount: "1"})
	noError(t, err)
	for range 2 {
		_, err = k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "used"})
		noError(t, err)
	}
	equal(t, "balance", balance(t, k.client, "used", k.credit).Available, "71")

	// Without an id of the caller's, an idempotency key keeps a second customer from being made.
	key := v1.IdempotencyKey("signup-1")
	one, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{Name: "Zoe"}, key)
	noError(t, err)
	two, err := k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{Name: "Zoe"}, key)
	noError(t, err)
	same(t, "registered again", two, one)
	_, err = k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{Name: "Zoë"}, key)
	wantCode(t, err, fault.CodeIdempotencyKeyReused)
	_, err = k.client.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "\x01"})
	wantCode(t, err, fault.CodeInvalidCustomerID)
}

// TestG14TwoServersPayOneBonus has two servers told at once, by a hook that is sent many times.
func TestG14TwoServersPayOneBonus(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k := newKit(t, db)
		k.sells(v1.Sales{SignupBonus: "50"})
		other := startServer(t, db.open(t), k.options())
		servers := []*ops{k.live(), other.as(k.app, catalog.Live)}
		together(24, func(i int) {
			_, err := servers[i%2].RegisterCustomer(context.Background(), v1.RegisterCustomer{ID: fmt.Sprint("u", i%3), Name: "Uma"})
			if err != nil {
				t.Error(err)
			}
		})
		for i := range 3 {
			equal(t, "entries", types(entries(t, k.client, fmt.Sprint("u", i))), "credit_added")
			equal(t, "bonus", balance(t, k.client, fmt.Sprint("u", i), k.credit).Available, "50")
		}
		// A bonus that one server has not heard of, paid and spent at the other.
		c, err := servers[1].CreateCredit(t.Context(), v1.CreateCredit{Name: "New", Unit: "u", Sales: v1.Sales{SignupBonus: "5"}})
		noError(t, err)
		_, err = servers[1].RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "late"})
		noError(t, err)
		_, err = servers[1].Deduct(t.Context(), v1.DeductRequest{Charge: v1.Charge{CustomerID: "late", CreditID: c.ID, Amount: "5"}})
		noError(t, err)
		_, err = servers[0].RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: "late"})
		noError(t, err)
		equal(t, "entries", types(entries(t, k.client, "late")), "credit_added credit_added credit_deducted")
	})
}

// TestCodesUnderSiege has 60 customers at two servers try a code that can be used ten times, each of
// them three times at once.
func TestCodesUnderSiege(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		const limit, customers = 10, 60
		k := newKit(t, db)
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses = "rush", limit })
		other := startServer(t, db.open(t), k.options())
		servers := []*ops{k.live(), other.as(k.app, catalog.Live)}
		var won, refused atomic.Int64
		together(3*customers, func(i int) {
			_, err := servers[i%2].RedeemCode(context.Background(), redemption(fmt.Sprint("u", i%customers), "Rush"))
			switch fault.CodeOf(err) {
			case "", fault.CodeCodeAlreadyRedeemed:
				won.Add(1)
			case fault.CodeCodeUsedUp:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
		if won.Load()+refused.Load() != 3*customers {
			t.Fatalf("%d were served, %d refused", won.Load(), refused.Load())
		}
		given := 0
		for i := range customers {
			lines := entries(t, k.client, fmt.Sprint("u", i))
			if len(lines) > 1 {
				t.Errorf("customer %d was given %d times", i, len(lines))
			}
			given += len(lines)
		}
		equal(t, "customers who were given something", given, limit)
		equal(t, "uses", k.uses("rush"), limit)
		if n, err := k.core.FinishCodes(t.Context()); n != 0 || err != nil {
			t.Errorf("%d claims were left, %v", n, err)
		}
	})
}

// cutter is a store that is gone from the moment on in which a use of a code is claimed.
type cutter struct {
	*breakable
	armed atomic.Bool
}

func (c *cutter) ClaimCode(ctx context.Context, q store.CodeClaim, decide func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error)) error {
	claimed := false
	err := c.breakable.ClaimCode(ctx, q, func(found *store.FoundCode, own []store.CodeUse) (*store.CodeUse, error) {
		use, err := decide(found, own)
		claimed = use != nil
		return use, err
	})
	if claimed && err == nil && c.armed.Swap(false) {
		c.down.Store(true)
	}
	return err
}

// TestClaimsOutliveTheirServer stops a server between the claim and the grant, and lets the customer,
// or the background, go on from there.
func TestClaimsOutliveTheirServer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &cutter{breakable: &breakable{Store: db.store}}
		k := kitOver(t, newWorldOver(t, db, st, engine.Options{}))
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUses, r.ValidUntil = "fragile", 3, begin.Add(time.Hour) })
		breaks := func(customer string, opts ...v1.Option) {
			t.Helper()
			st.armed.Store(true)
			_, err := k.client.RedeemCode(t.Context(), redemption(customer, "fragile"), opts...)
			wantCode(t, err, fault.CodeStoreUnavailable)
			st.down.Store(false)
			equal(t, "entries", len(entries(t, k.client, customer)), 0)
		}
		key := v1.IdempotencyKey("k")
		breaks("retries")
		breaks("under-a-key", key)
		breaks("gone")
		k.refuses("late", "fragile", fault.CodeCodeUsedUp) // nobody else gets these uses
		k.clock.Advance(2 * time.Hour)
		k.sells(v1.Sales{Off: true})

		equal(t, "uses left", *k.redeem("retries", "fragile").UsesLeft, 2) // though its time is over
		k.refuses("retries", "fragile", fault.CodeCodeAlreadyRedeemed)
		n, err := k.core.FinishCodes(t.Context())
		noError(t, err)
		equal(t, "claims that were finished", n, 2)
		n, err = k.core.FinishCodes(t.Context())
		noError(t, err)
		equal(t, "claims that were left", n, 0)
		equal(t, "uses left", *k.redeem("under-a-key", "fragile", key).UsesLeft, 1)
		same(t, "answer again", k.redeem("under-a-key", "fragile", key), k.redeem("under-a-key", "fragile", key))
		for _, customer := range []string{"retries", "under-a-key", "gone"} {
			equal(t, "entries of "+customer, types(entries(t, k.client, customer)), "credit_added")
		}
		equal(t, "uses", k.uses("fragile"), 3)
	})
}

// TestClaimsAreFinishedAtTheNextStart opens the database of a server that was stopped in between.
func TestClaimsAreFinishedAtTheNextStart(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &cutter{breakable: &breakable{Store: db.store}}
		k := kitOver(t, newWorldOver(t, db, st, engine.Options{}))
		k.code(func(r *v1.CreateCodes) { r.Code = "fragile" })
		st.armed.Store(true)
		_, err := k.client.RedeemCode(t.Context(), redemption("u", "fragile"))
		wantCode(t, err, fault.CodeStoreUnavailable)
		st.down.Store(false)
		next, err := scrip.Open(t.Context(), scrip.DB(db.address), scrip.WithClock(k.clock), scrip.WithoutWebhooks())
		noError(t, err)
		until(t, "the claim is granted", func() bool {
			left, err := db.store.ClaimedCodes(t.Context(), store.CodeUsePosition{}, 1)
			noError(t, err)
			return len(left) == 0
		})
		noError(t, next.Close(context.Background()))
		k.refuses("u", "fragile", fault.CodeCodeAlreadyRedeemed)
		equal(t, "entries", len(entries(t, k.client, "u")), 1)
	})
}

// unnoted is a store that cannot note what was granted.
type unnoted struct {
	store.Store
	broken atomic.Bool
}

func (u *unnoted) CodeGranted(ctx context.Context, use *store.CodeUse) error {
	if u.broken.Load() {
		return fault.New("unnoted", fault.CodeStoreUnavailable, "the wire is cut")
	}
	return u.Store.CodeGranted(ctx, use)
}

// TestGrantsThatWereNotNoted stops a server between the grant and the note of it: it is not granted
// again.
func TestGrantsThatWereNotNoted(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &unnoted{Store: db.store}
		k := kitOver(t, newWorldOver(t, db, st, engine.Options{}))
		k.code(func(r *v1.CreateCodes) { r.Code = "forgotten" })
		st.broken.Store(true)
		first := k.redeem("u", "forgotten", v1.IdempotencyKey("one"))
		k.deduct("10")
		other := k.redeem("u", "forgotten", v1.IdempotencyKey("two"))
		equal(t, "grant", other.Grants[0].ID, first.Grants[0].ID)
		st.broken.Store(false)
		n, err := k.core.FinishCodes(t.Context())
		noError(t, err)
		equal(t, "claims that were finished", n, 1)
		k.refuses("u", "forgotten", fault.CodeCodeAlreadyRedeemed)
		same(t, "under the first key", k.redeem("u", "forgotten", v1.IdempotencyKey("one")), first)
		same(t, "under the second key", k.redeem("u", "forgotten", v1.IdempotencyKey("two")), other)
		equal(t, "entries", types(entries(t, k.client, "u")), "credit_added credit_deducted")
	})
}

// TestOneKeyAtOnce sends the same redemption many times at once, under one key: all get one answer.
func TestOneKeyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k := newKit(t, db)
		k.code(func(r *v1.CreateCodes) { r.Code, r.MaxUsesPerCustomer = "eager", 5 })
		other := startServer(t, db.open(t), k.options())
		servers := []*ops{k.live(), other.as(k.app, catalog.Live)}
		var mu sync.Mutex
		answers := map[string]int{}
		together(20, func(i int) {
			r, err := servers[i%2].RedeemCode(context.Background(), redemption("u", "eager"), v1.IdempotencyKey("k"))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers[string(toJSON(t, r))]++
		})
		equal(t, "different answers", len(answers), 1)
		equal(t, "uses", k.uses("eager"), 1)
		equal(t, "entries", len(entries(t, k.client, "u")), 1)
	})
}

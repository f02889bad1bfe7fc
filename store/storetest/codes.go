package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var codeTests = []test{
	{"codes read as they were written", checkCodeRoundTrip},
	{"what a code gives stays, and the rest is replaced", checkCodeEdit},
	{"a code's text is taken in any case", checkCodeTexts},
	{"codes are listed newest first, within their app", checkCodeLists},
	{"another app's codes are out of reach", checkForeignCodes},
	{"a use is claimed and then granted", checkClaim},
	{"uses are counted in each mode by itself", checkClaimModes},
	{"a claim that is refused writes nothing", checkClaimRefused},
	{"a customer has one use under an idempotency key", checkClaimKeys},
	{"what was claimed and not granted is listed", checkClaimed},
	{"claims of one code wait for each other", checkClaimRace},
}

// plainCode has as few fields set as the rules allow.
func plainCode(id, text string) *catalog.Code {
	return &catalog.Code{ID: id, App: app, Text: text, Pack: "pck", MaxUsesPerCustomer: 1}
}

func fullCode(id, text string) *catalog.Code {
	return &catalog.Code{
		ID: id, App: app, Text: text, Credit: calls, Amount: math.MaxInt64, Category: catalog.Promotional, ExpiresAfterDays: math.MaxInt32,
		ValidFrom: math.MinInt64, ValidUntil: math.MaxInt64, MaxUses: math.MaxInt64, MaxUsesPerCustomer: math.MaxInt64,
		Description: hard, Metadata: hardMetadata(), CreatedAt: math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: -1,
	}
}

// code reads one code, with its uses in live.
func (b *bench) code(id string) store.FoundCode {
	b.Helper()
	found, err := b.Codes(b.ctx, store.CodeQuery{App: app, Mode: catalog.Live, ID: id})
	b.must(err)
	if len(found) != 1 {
		b.Fatalf("%d codes with the id %s", len(found), id)
	}
	return found[0]
}

// codes lists the ids of codes.
func (b *bench) codes(q store.CodeQuery) string {
	b.Helper()
	q.Mode = catalog.Live
	found, err := b.Codes(b.ctx, q)
	b.must(err)
	return list(found, func(c store.FoundCode) any { return c.ID })
}

func checkCodeRoundTrip(b *bench) {
	plain, full := plainCode("code_1", "abc"), fullCode("code_2", "Text_-1")
	version := b.definitions(app).Version
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plain, full}}))
	b.same("version", b.definitions(app).Version, version+1)
	b.same("plain", b.code("code_1"), store.FoundCode{Code: plain})
	b.same("full", b.code("code_2"), store.FoundCode{Code: full})
	b.same("no code", b.codes(store.CodeQuery{App: app, ID: "code_none"}), "")
	for what, spoil := range map[string]func(*catalog.Code){
		"no gift":            func(c *catalog.Code) { c.Pack = "" },
		"two gifts":          func(c *catalog.Code) { c.Credit = calls },
		"a negative amount":  func(c *catalog.Code) { c.Amount = -1 },
		"a negative limit":   func(c *catalog.Code) { c.MaxUses = -1 },
		"no use at all":      func(c *catalog.Code) { c.MaxUsesPerCustomer = 0 },
		"an unknown purpose": func(c *catalog.Code) { c.Category = "x" },
	} {
		spoilt := plainCode("code_3", "spoilt")
		spoil(spoilt)
		if err := b.define(store.Definition{Codes: []*catalog.Code{spoilt}}); err == nil {
			b.Errorf("a code with %s was stored", what)
		}
	}
}

func checkCodeEdit(b *bench) {
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_1", "abc")}}))
	edited := fullCode("code_1", "other")
	b.must(b.define(store.Definition{Codes: []*catalog.Code{edited}}))
	want := *edited
	want.Text, want.Pack, want.Credit, want.Amount, want.Category, want.ExpiresAfterDays, want.CreatedAt = "abc", "pck", "", 0, "", 0, 0
	b.same("edited", b.code("code_1"), store.FoundCode{Code: &want})
}

func checkCodeTexts(b *bench) {
	b.other()
	first := plainCode("code_1", "Summer-25")
	b.must(b.define(store.Definition{Codes: []*catalog.Code{first}}))
	b.wantCode(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_2", "summer-25")}}), fault.CodeNameTaken)
	b.wantCode(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_2", "x-1"), plainCode("code_3", "X-1")}}), fault.CodeNameTaken)
	b.same("by its text", b.codes(store.CodeQuery{App: app, Text: "SUMMER-25"}), "code_1")
	b.same("by another text", b.codes(store.CodeQuery{App: app, Text: "summer"}), "")
	b.must(b.Define(b.ctx, "app_other", 1, store.Definition{Codes: []*catalog.Code{plainCode("code_o", "summer-25")}}, nil))
	first.ArchivedAt = start
	b.must(b.define(store.Definition{Codes: []*catalog.Code{first}}))
	b.same("by the text of an archived one", b.codes(store.CodeQuery{App: app, Text: "Summer-25"}), "")
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_2", "SUMMER-25")}}))
	b.same("by its text", b.codes(store.CodeQuery{App: app, Text: "summer-25"}), "code_2")
	first.ArchivedAt = 0
	b.wantCode(b.define(store.Definition{Codes: []*catalog.Code{first}}), fault.CodeNameTaken)
}

func checkCodeLists(b *bench) {
	b.other()
	var all []*catalog.Code
	for i := range 6 {
		c := plainCode(fmt.Sprint("code_", i), fmt.Sprint("text-", i))
		if i == 2 {
			c.ArchivedAt = start
		}
		all = append(all, c)
	}
	b.must(b.define(store.Definition{Codes: all}))
	for _, c := range []struct {
		q    store.CodeQuery
		want string
	}{
		{store.CodeQuery{App: app}, "code_5 code_4 code_3 code_1 code_0"},
		{store.CodeQuery{App: app, Limit: 2}, "code_5 code_4"},
		{store.CodeQuery{App: app, After: "code_4", Limit: 2}, "code_3 code_1"},
		{store.CodeQuery{App: app, After: "code_0"}, ""},
		{store.CodeQuery{App: app, Archived: true}, "code_2"},
		{store.CodeQuery{App: app, ID: "code_2"}, "code_2"},
		{store.CodeQuery{App: "app_other"}, ""},
	} {
		b.same(fmt.Sprintf("%+v", c.q), b.codes(c.q), c.want)
	}
}

func checkForeignCodes(b *bench) {
	b.other()
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_1", "abc")}}))
	b.wantRefused(b.Define(b.ctx, "app_other", 1, store.Definition{Codes: []*catalog.Code{plainCode("code_1", "theirs")}}, nil))
	b.same("theirs", b.codes(store.CodeQuery{App: "app_other", ID: "code_1"}), "")
	b.wantCode(b.ClaimCode(b.ctx, store.CodeClaim{App: "app_other", Code: "code_1", Mode: catalog.Live, Customer: "a"},
		func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error) {
			b.Error("another app's code can be claimed")
			return nil, nil
		}), fault.CodeNotFound)
}

// claim claims the next use of a code, and returns it as it must be read.
func (b *bench) claim(code string, k wallet.Key, idempotency string) store.CodeUse {
	b.Helper()
	use, err := b.tryClaim(code, k, idempotency)
	b.must(err)
	return use
}

func (b *bench) tryClaim(code string, k wallet.Key, idempotency string) (store.CodeUse, error) {
	var made store.CodeUse
	err := b.ClaimCode(b.ctx, store.CodeClaim{App: k.App, Code: code, Mode: k.Mode, Customer: k.Customer},
		func(found *store.FoundCode, _ []store.CodeUse) (*store.CodeUse, error) {
			made = store.CodeUse{
				App: k.App, Code: code, Mode: k.Mode, N: found.Uses + 1, Customer: k.Customer, Idempotency: idempotency,
				Actor: hard, Left: found.Left(found.Uses + 1), ClaimedAt: start,
			}
			return &made, nil
		})
	return made, err
}

// uses reads what a customer used of a code.
func (b *bench) uses(code string, k wallet.Key) (found *store.FoundCode, own []store.CodeUse) {
	b.Helper()
	b.must(b.ClaimCode(b.ctx, store.CodeClaim{App: k.App, Code: code, Mode: k.Mode, Customer: k.Customer},
		func(f *store.FoundCode, uses []store.CodeUse) (*store.CodeUse, error) {
			found, own = f, uses
			return nil, nil
		}))
	return found, own
}

func checkClaim(b *bench) {
	code := plainCode("code_1", "abc")
	code.MaxUses = 3
	b.must(b.define(store.Definition{Codes: []*catalog.Code{code}}))
	found, own := b.uses("code_1", key(longest))
	b.same("before", found, &store.FoundCode{Code: code})
	b.same("own uses before", own, []store.CodeUse{})
	first := b.claim("code_1", key(longest), "k 1")
	b.claim("code_1", key("b"), "")
	third := b.claim("code_1", key(longest), "")
	b.same("left", []int64{first.Left, third.Left}, []int64{2, 0})
	found, own = b.uses("code_1", key(longest))
	b.same("uses", found.Uses, int64(3))
	b.same("uses that are read", b.code("code_1").Uses, int64(3))
	b.same("own uses", own, []store.CodeUse{first, third})

	third.GrantedAt, third.Grants = start+5, []int64{7, math.MaxInt64}
	b.must(b.CodeGranted(b.ctx, &third))
	again := third
	again.GrantedAt, again.Grants = start+9, []int64{8}
	b.must(b.CodeGranted(b.ctx, &again)) // which changes nothing
	_, own = b.uses("code_1", key(longest))
	b.same("own uses", own, []store.CodeUse{first, third})
}

func checkClaimModes(b *bench) {
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_1", "abc")}}))
	test := key("a")
	test.Mode = catalog.Test
	sandbox := key("a")
	sandbox.Mode = alice
	for _, k := range []wallet.Key{key("a"), test, sandbox} {
		b.same("number in "+string(k.Mode), b.claim("code_1", k, "same key").N, int64(1))
	}
	b.same("own uses in test", len(second(b.uses("code_1", test))), 1)
	found, err := b.Codes(b.ctx, store.CodeQuery{App: app, Mode: alice, Text: "abc"})
	b.must(err)
	b.same("uses in a sandbox", found[0].Uses, int64(1))
}

func second[A, B any](_ A, b B) B { return b }

func checkClaimRefused(b *bench) {
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_1", "abc")}}))
	refusal := errors.New("no")
	err := b.ClaimCode(b.ctx, store.CodeClaim{App: app, Code: "code_1", Mode: catalog.Live, Customer: "a"},
		func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error) { return nil, refusal })
	if err != refusal {
		b.Fatalf("the error is %v", err)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := b.ClaimCode(ctx, store.CodeClaim{App: app, Code: "code_1", Mode: catalog.Live, Customer: "a"}, nil); err == nil {
		b.Fatal("a call that has ended claimed a use")
	}
	b.same("uses", b.code("code_1").Uses, int64(0))
	b.claim("code_1", key("a"), "")
}

func checkClaimKeys(b *bench) {
	b.must(b.define(store.Definition{Codes: []*catalog.Code{plainCode("code_1", "abc"), plainCode("code_2", "def")}}))
	none, err := b.CodeUseUnder(b.ctx, key("a"), "k")
	b.must(err)
	if none != nil {
		b.Fatalf("a use under no key: %v", none)
	}
	b.claim("code_1", key("a"), "")
	b.claim("code_1", key("a"), "")
	none, err = b.CodeUseUnder(b.ctx, key("a"), "")
	b.must(err)
	if none != nil {
		b.Fatalf("a use under the empty key: %v", none)
	}
	use := b.claim("code_1", key("a"), "k")
	for _, code := range []string{"code_1", "code_2"} {
		_, err = b.tryClaim(code, key("a"), "k")
		b.wantRetry(err)
	}
	b.claim("code_2", key("b"), "k")
	found, err := b.CodeUseUnder(b.ctx, key("a"), "k")
	b.must(err)
	b.same("use", found, &use)
}

func checkClaimed(b *bench) {
	var codes []*catalog.Code
	for i := range 3 {
		codes = append(codes, plainCode(fmt.Sprint("code_", i), fmt.Sprint("text-", i)))
	}
	b.must(b.define(store.Definition{Codes: codes}))
	var all []store.CodeUse
	for _, c := range codes {
		for i := range 3 {
			all = append(all, b.claim(c.ID, key(fmt.Sprint(i)), ""))
		}
	}
	done := all[4]
	done.GrantedAt, done.Grants = start, []int64{1}
	b.must(b.CodeGranted(b.ctx, &done))
	all = append(all[:4:4], all[5:]...)
	var read []store.CodeUse
	var after store.CodeUsePosition
	for {
		page, err := b.ClaimedCodes(b.ctx, after, 3)
		b.must(err)
		read = append(read, page...)
		if len(page) < 3 {
			break
		}
		after = page[2].Position()
	}
	b.same("claimed", read, all)
}

func checkClaimRace(b *bench) {
	const limit, tries = 5, 24
	code := plainCode("code_1", "abc")
	code.MaxUses = limit
	b.must(b.define(store.Definition{Codes: []*catalog.Code{code}}))
	full := errors.New("used up")
	var mu sync.Mutex
	numbers := map[int64]bool{}
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			k := key(fmt.Sprint(i))
			var use *store.CodeUse
			err := store.ErrRetry
			for errors.Is(err, store.ErrRetry) {
				err = b.ClaimCode(b.ctx, store.CodeClaim{App: app, Code: "code_1", Mode: k.Mode, Customer: k.Customer},
					func(found *store.FoundCode, _ []store.CodeUse) (*store.CodeUse, error) {
						if found.Uses >= found.MaxUses {
							return nil, full
						}
						use = &store.CodeUse{App: app, Code: "code_1", Mode: k.Mode, N: found.Uses + 1, Customer: k.Customer, ClaimedAt: start}
						return use, nil
					})
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && numbers[use.N]:
				b.Errorf("two have the use %d", use.N)
			case err == nil:
				numbers[use.N] = true
			case err != full:
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.same("uses", len(numbers), limit)
	b.same("uses that are read", b.code("code_1").Uses, int64(limit))
}

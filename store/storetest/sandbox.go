package storetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const alice = catalog.Mode("test/alice")

var sandboxTests = []test{
	{"modes are live, test and named sandboxes", checkModes},
	{"sandboxes of one app are apart", checkSandboxes},
	{"test clocks are part of the definitions", checkClocks},
	{"what is due in test modes follows their clocks", checkDueAhead},
	{"an allowance of operations is used up and no more", checkOperations},
	{"what was not used is given back", checkReturnOperations},
	{"many servers share one allowance", checkSharedOperations},
}

func checkModes(b *bench) {
	n := 0
	for mode, ok := range map[catalog.Mode]bool{
		catalog.Live: true, catalog.Test: true, alice: true, "test/0-9_z": true,
		catalog.Mode("test/" + strings.Repeat("x", catalog.MaxSandboxName)):   true,
		catalog.Mode("test/" + strings.Repeat("x", catalog.MaxSandboxName+1)): false,
		"": false, "demo": false, "live/alice": false, "test/": false, "test/Alice": false, "test/a b": false, "test/a/b": false,
		"test/é": false, "testalice": false, "test/a\n": false, "xtest/a": false,
	} {
		if mode.Valid() != ok {
			b.Errorf("catalog.Mode(%q).Valid is %v", mode, !ok)
		}
		n++
		k := wallet.Key{App: app, Mode: mode, Customer: "a"}
		secret := fullKey(fmt.Sprint("key_", n))
		endpoint := plainEndpoint(fmt.Sprint("whk_", n))
		secret.Mode, endpoint.Mode = mode, mode
		for what, err := range map[string]error{
			"a wallet":     b.write(store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1}, Created: true}),
			"a key":        b.define(store.Definition{NewKeys: []store.Key{secret}}),
			"an endpoint":  b.define(store.Definition{Endpoints: []*catalog.Endpoint{endpoint}}),
			"a test clock": b.define(store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{mode: {Offset: 1000}}}),
		} {
			if want := ok && (what != "a test clock" || mode != catalog.Live); (err == nil) != want {
				b.Errorf("%s of mode %q: %v", what, mode, err)
			}
		}
	}
}

func checkSandboxes(b *bench) {
	modes := []catalog.Mode{catalog.Live, catalog.Test, alice, "test/bob"}
	for i, mode := range modes {
		b.do(wallet.Key{App: app, Mode: mode, Customer: "a"}, give(calls, int64(i+1)))
		b.do(wallet.Key{App: app, Mode: mode, Customer: string(mode)}, give(calls, 1))
	}
	for i, mode := range modes {
		k := wallet.Key{App: app, Mode: mode, Customer: "a"}
		sn := b.snapshot(k)
		b.same("key", sn.Key, k)
		b.same("amount", sn.Grants[0].Amount, int64(i+1))
		got, err := b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: mode})
		b.must(err)
		b.same("customers", list(got, func(c store.Customer) any { return c.Key.Customer }), "a "+string(mode))
	}
}

func checkClocks(b *bench) {
	b.other()
	clocks := map[catalog.Mode]catalog.TestClock{
		catalog.Test: {Offset: time.Hour, Reached: start + 7}, alice: {Offset: 50 * 366 * 24 * time.Hour},
	}
	b.must(b.define(store.Definition{Clocks: clocks}))
	b.same("clocks", b.definitions(app).Clocks, clocks)
	clocks[alice] = catalog.TestClock{Offset: 51 * 366 * 24 * time.Hour, Reached: start + 9}
	b.must(b.define(store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{alice: clocks[alice]}}))
	b.same("clocks after one moved", b.definitions(app).Clocks, clocks)
	b.same("version", b.definitions(app).Version, int64(4))
	b.same("clocks of another app", b.definitions("app_other").Clocks, map[catalog.Mode]catalog.TestClock{})
	b.wantRefused(b.define(store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{catalog.Test: {Offset: -1000}}}))
	found := &store.Found{}
	b.must(b.Transact(b.ctx, &store.Want{Apps: []store.WantApp{{App: app, Version: 3}}}, func(f *store.Found) (*store.Changes, error) {
		found = f
		return nil, nil
	}))
	b.same("clocks that a transaction sees", found.Definitions[0].Clocks, clocks)
}

// dueNames lists wallets as customers and modes.
func (b *bench) dueNames(keys []wallet.Key, err error) string {
	b.Helper()
	b.must(err)
	return list(keys, func(k wallet.Key) any { return k.App[4:] + ":" + string(k.Mode) + ":" + k.Customer })
}

func checkDueAhead(b *bench) {
	b.other()
	for _, k := range []wallet.Key{
		{App: app, Mode: catalog.Live, Customer: "a"},
		{App: app, Mode: catalog.Test, Customer: "a"},
		{App: app, Mode: alice, Customer: "a"},
		{App: app, Mode: alice, Customer: "b"},
		{App: "app_other", Mode: alice, Customer: "a"},
	} {
		at := clock.Instant(1000)
		switch {
		case k.Customer == "b":
			at = 2000
		case k.Mode == catalog.Live:
			at = 900
		}
		b.must(b.write(store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, NextDue: at}, Created: true}))
	}
	due := func(now clock.Instant, limit int) string {
		b.Helper()
		return b.dueNames(b.Due(b.ctx, now, limit))
	}
	b.same("without clocks", due(899, 10), "")
	b.must(b.define(store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{alice: {Offset: 900 * time.Microsecond}}}))
	b.same("before", due(99, 10), "")
	b.same("at the instant", due(100, 10), "bench:test/alice:a")
	b.same("both", due(1100, 1), "bench:live:a")
	if all := strings.Fields(due(1100, 10)); len(all) != 5 || all[4] != "bench:test/alice:b" {
		b.Fatalf("due: %v", all)
	}
	b.must(b.define(store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{catalog.Test: {Offset: 950 * time.Microsecond}}}))
	b.same("another clock", due(50, 10), "bench:test:a")
	b.same("no more than the limit", len(strings.Fields(due(1100, 2))), 2)

	for _, c := range []struct {
		app   string
		mode  catalog.Mode
		now   clock.Instant
		limit int
		want  string
	}{
		{app, alice, 999, 10, ""},
		{app, alice, 1000, 10, "bench:test/alice:a"},
		{app, alice, 2000, 10, "bench:test/alice:a bench:test/alice:b"},
		{app, alice, 2000, 1, "bench:test/alice:a"},
		{app, "test/bob", 2000, 10, ""},
		{"app_other", alice, 2000, 10, "other:test/alice:a"},
	} {
		b.same(fmt.Sprintf("%+v", c), b.dueNames(b.DueIn(b.ctx, c.app, c.mode, c.now, c.limit)), c.want)
	}
}

// take takes operations until there are none, or until it has taken as often as it may.
func (b *bench) take(month string, allowance int64, times int) []int64 {
	b.Helper()
	var all []int64
	for range times {
		n, err := b.TakeOperations(b.ctx, app, month, allowance)
		b.must(err)
		if n == 0 {
			break
		}
		all = append(all, n)
	}
	return all
}

func checkOperations(b *bench) {
	b.other()
	b.same("none", b.take("2026-03", 0, 9), []int64{})
	b.same("one", b.take("2026-03", 1, 9), []int64{1})
	b.same("more of the same month", b.take("2026-03", 3, 9), []int64{1, 1})
	b.same("less than was used", b.take("2026-03", 2, 9), []int64{})
	b.same("another month", b.take("2026-04", 30, 3), []int64{3, 2, 2})
	all := b.take("2026-05", 5000, 1000)
	sum := int64(0)
	for _, n := range all {
		sum += n
	}
	if sum != 5000 || all[0] != store.OperationBlock || all[len(all)-1] != 1 {
		b.Errorf("took %d in %v", sum, all)
	}
	n, err := b.TakeOperations(b.ctx, "app_other", "2026-03", 20)
	b.must(err)
	b.same("another app", n, int64(2))
	_, err = b.TakeOperations(b.ctx, "app_none", "2026-03", 20)
	b.wantRefused(err)
}

func checkReturnOperations(b *bench) {
	b.same("taken", b.take("2026-03", 10, 1000), []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	b.must(b.ReturnOperations(b.ctx, app, "2026-03", 2))
	b.same("taken again", b.take("2026-03", 10, 1000), []int64{1, 1})
	b.must(b.ReturnOperations(b.ctx, app, "2026-04", 2))
	b.wantRefused(b.ReturnOperations(b.ctx, app, "2026-03", 11))
}

func checkSharedOperations(b *bench) {
	const allowance, servers = 300, 4
	var wg sync.WaitGroup
	sums := make([]int64, servers)
	for i := range servers {
		wg.Go(func() {
			for {
				n, err := b.TakeOperations(b.ctx, app, "2026-03", allowance)
				if err != nil {
					b.Error(err)
				}
				if n == 0 || err != nil {
					return
				}
				sums[i] += n
			}
		})
	}
	wg.Wait()
	sum := int64(0)
	for _, n := range sums {
		sum += n
	}
	b.same("operations taken together", sum, int64(allowance))
}

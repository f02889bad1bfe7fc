package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var deliveryTests = []test{
	{"a delivery reads as it was written, with its entry and its customer", checkDeliveryRoundTrip},
	{"a delivery is written with its entry, or not at all", checkDeliveryRefusals},
	{"what is due is told for each endpoint", checkDueDeliveries},
	{"receivers within Scrip itself are told as endpoints are", checkReceivers},
	{"a lease takes what is due, and nobody else does until it ends", checkLease},
	{"many who lease at one time share what is due", checkLeaseConcurrency},
	{"a result counts under its lease only", checkFinish},
	{"an order holds back one customer alone", checkOrdered},
	{"an ordered lease has its bounds", checkOrderedBounds},
	{"what was delivered or given up can be sent again", checkRedeliver},
	{"deliveries are listed newest first", checkListDeliveries},
	{"what is over and old is deleted, stretch by stretch", checkPrune},
	{"the backlog is what live endpoints wait for", checkBacklog},
}

// tell makes a customer's entry with deliveries to the endpoints, one each.
func (b *bench) tell(customer string, endpoints ...string) id.Wallet {
	b.Helper()
	k := key(customer)
	before := wallet.Header{ID: k.ID(), Key: k, CreatedAt: b.now}
	sn, err := b.Snapshot(b.ctx, k.ID())
	b.must(err)
	if sn != nil {
		before = sn.Header
	}
	h := before
	h.Version, h.Seq = before.Version+1, before.Seq+1
	first := before.TellSeq + 1
	h.TellSeq += int64(len(endpoints))
	c := store.WalletChange{Header: h, Created: sn == nil, Entries: []wallet.Entry{{Seq: h.Seq, Type: wallet.OverageReset, Credit: calls}}}
	for i, endpoint := range endpoints {
		c.Deliveries = append(c.Deliveries, store.Delivery{
			Wallet: h.ID, N: first + int64(i), Event: first, Seq: h.Seq, Endpoint: endpoint, Type: catalog.EventOverageReset,
			Status: store.DeliveryPending, CreatedAt: b.now, NextAt: b.now,
		})
	}
	b.must(b.write(c))
	return h.ID
}

func (b *bench) lease(q store.LeaseQuery) []store.Leased {
	b.Helper()
	if q.Endpoint == "" {
		q.Endpoint = hook
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Now.IsZero() {
		q.Now = b.now
	}
	q.Until = q.Now + 60
	taken, err := b.Lease(b.ctx, q)
	b.must(err)
	return taken
}

// named shows deliveries as customer and entry.
func named(list []store.Leased) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = fmt.Sprintf("%s%d", list[i].Key.Customer, list[i].Seq)
	}
	slices.Sort(texts)
	return fmt.Sprint(texts)
}

func (b *bench) finish(list []store.Leased, status store.DeliveryStatus, next clock.Instant, follow ...store.Follow) {
	b.Helper()
	var results []store.Result
	for i := range list {
		d := &list[i]
		results = append(results, store.Result{Wallet: d.Wallet, N: d.N, Lease: d.NextAt, Status: status, Tries: d.Tries + 1, NextAt: next})
	}
	b.must(b.Finish(b.ctx, results, follow))
}

func (b *bench) delivery(w id.Wallet, n int64) *store.Leased {
	b.Helper()
	d, err := b.FindDelivery(b.ctx, w, n)
	b.must(err)
	if d == nil {
		b.Fatalf("delivery %d does not exist", n)
	}
	return d
}

func checkDeliveryRoundTrip(b *bench) {
	c := fullChange(key(longest))
	b.must(b.write(c))
	w := c.Header.ID
	want := &store.Leased{Delivery: c.Deliveries[0], Key: c.Header.Key, Entry: &c.Entries[0]}
	b.same("delivery", b.delivery(w, 1), want)
	last := b.delivery(w, c.Deliveries[1].N)
	b.same("the last one there can be", last.Delivery, c.Deliveries[1])

	full := fullDelivery(w)
	b.must(b.Finish(b.ctx, []store.Result{{
		Wallet: w, N: 1, Lease: start, Status: store.DeliveryFailed, Tries: full.Tries, NextAt: full.NextAt, FinishedAt: full.FinishedAt, Log: full.Log,
	}}, nil))
	full.Status = store.DeliveryFailed
	b.same("finished", b.delivery(w, 1).Delivery, full)
	list, err := b.ListDeliveries(b.ctx, store.DeliveryQuery{Endpoint: hook})
	b.must(err)
	full.Log = nil
	b.same("list", list, []store.Delivery{c.Deliveries[1], full})
	none, err := b.FindDelivery(b.ctx, w, 2)
	b.must(err)
	if none != nil {
		b.Fatal("a delivery that was never made")
	}
	apart := newDelivery(w, 2, 0)
	apart.About.Low = nil
	apart.Type, apart.About.Order.Type, apart.About.Notice.Type = catalog.EventPaymentDue, catalog.EventPaymentDue, catalog.EventPaymentDue
	h := c.Header
	h.Version++
	b.must(b.write(store.WalletChange{Header: h, Deliveries: []store.Delivery{apart}}))
	b.same("one that tells of no entry", b.delivery(w, 2), &store.Leased{Delivery: apart, Key: c.Header.Key})
}

func checkDeliveryRefusals(b *bench) {
	first := fullChange(key("a"))
	b.must(b.write(first))
	before := b.snapshot(key("a"))
	for name, edit := range map[string]func(d *store.Delivery){
		"of no entry":       func(d *store.Delivery) { d.Seq = 9 },
		"without a number":  func(d *store.Delivery) { d.N = 0 },
		"that exists twice": func(d *store.Delivery) { d.N = 1 },
	} {
		d := newDelivery(before.ID, 2, 1)
		edit(&d)
		c := store.WalletChange{Header: before.Header, Entries: []wallet.Entry{fullEntry(2)}, Deliveries: []store.Delivery{d}}
		c.Header.Version = 2
		err := b.write(c)
		if err == nil {
			b.Errorf("a delivery %s was accepted", name)
		}
		b.wantRefused(err)
		b.same("snapshot", b.snapshot(key("a")), before)
	}
}

func checkDueDeliveries(b *bench) {
	second, gone := plainEndpoint("whk_second"), plainEndpoint("whk_gone")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{second, gone, plainEndpoint("whk_idle")}}))
	due := func() []store.Due {
		list, err := b.DueDeliveries(b.ctx, b.now)
		b.must(err)
		slices.SortFunc(list, func(x, y store.Due) int { return strings.Compare(x.Endpoint, y.Endpoint) })
		return list
	}
	b.same("nothing", due(), []store.Due{})
	b.tell("a", hook, gone.ID)
	b.now = start + 5
	b.tell("b", hook, second.ID)
	gone.ArchivedAt = start
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{gone}}))
	b.same("due", due(), []store.Due{{App: app, Endpoint: hook, Now: true}, {App: app, Endpoint: second.ID, Now: true}})
	b.now = start + 4
	b.same("before the second", due(), []store.Due{{App: app, Endpoint: hook, Now: true, Next: start + 5}, {App: app, Endpoint: second.ID, Next: start + 5}})
	b.now = start + 5
	taken := b.lease(store.LeaseQuery{})
	b.same("leased", due(), []store.Due{{App: app, Endpoint: hook, Next: start + 65}, {App: app, Endpoint: second.ID, Now: true}})
	b.finish(taken, store.DeliveryDelivered, 0)
	b.same("after some were delivered", due(), []store.Due{{App: app, Endpoint: second.ID, Now: true}})
}

func checkLease(b *bench) {
	for i, customer := range []string{"a", "b", "c"} {
		b.now = start + clock.Instant(i)
		b.tell(customer, hook)
	}
	if got := named(b.lease(store.LeaseQuery{Now: start + 1, Limit: 1})); got != "[a1]" {
		b.Fatalf("the first: %s", got)
	}
	if got := named(b.lease(store.LeaseQuery{Now: start + 1})); got != "[b1]" {
		b.Fatalf("what is left and due: %s", got)
	}
	if got := named(b.lease(store.LeaseQuery{Now: start + 1})); got != "[]" {
		b.Fatalf("nothing: %s", got)
	}
	if got := named(b.lease(store.LeaseQuery{Now: start + 60})); got != "[c1]" {
		b.Fatalf("before the leases end: %s", got)
	}
	taken := b.lease(store.LeaseQuery{Now: start + 61})
	if got := named(taken); got != "[a1 b1]" {
		b.Fatalf("what was never finished: %s", got)
	}
	for _, d := range taken {
		b.same("a leased one", b.delivery(d.Wallet, d.N), &d)
	}
	if got := b.lease(store.LeaseQuery{Endpoint: "whk_none"}); len(got) != 0 {
		b.Fatalf("of no endpoint: %v", got)
	}
}

func checkLeaseConcurrency(b *bench) {
	const customers = 40
	for i := range customers {
		b.tell(fmt.Sprint("c", i), hook)
	}
	for _, ordered := range []bool{false, true} {
		var mu sync.Mutex
		var all []store.Leased
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					taken, err := b.Lease(b.ctx, store.LeaseQuery{Endpoint: hook, Now: b.now, Until: b.now + 60, Limit: 7, Ordered: ordered})
					mu.Lock()
					all = append(all, taken...)
					left := len(all) < customers
					mu.Unlock()
					if err != nil {
						b.Error(err)
					}
					if err != nil || !left {
						return
					}
				}
			})
		}
		wg.Wait()
		seen := map[id.Wallet]bool{}
		for _, d := range all {
			if seen[d.Wallet] {
				b.Errorf("%s was leased twice", d.Key.Customer)
			}
			seen[d.Wallet] = true
		}
		b.finish(all, store.DeliveryPending, b.now)
	}
}

func checkFinish(b *bench) {
	b.tell("a", hook)
	first := b.lease(store.LeaseQuery{})
	b.now = start + 60
	second := b.lease(store.LeaseQuery{})
	b.finish(first, store.DeliveryFailed, 0) // too late: the lease has run out
	b.same("under another lease", b.delivery(first[0].Wallet, first[0].N), &second[0])
	b.finish(second, store.DeliveryPending, start+99)
	got := b.delivery(first[0].Wallet, first[0].N)
	if got.Status != store.DeliveryPending || got.Tries != 1 || got.NextAt != start+99 {
		b.Fatalf("%+v", got.Delivery)
	}
	b.now = start + 99
	third := b.lease(store.LeaseQuery{})
	b.finish(third, store.DeliveryDelivered, 0)
	b.finish(third, store.DeliveryFailed, 0)
	if got := b.delivery(first[0].Wallet, first[0].N); got.Status != store.DeliveryDelivered || got.Tries != 2 {
		b.Fatalf("finished twice: %+v", got.Delivery)
	}
	b.must(b.Finish(b.ctx, nil, nil))
	b.must(b.Finish(b.ctx, []store.Result{{Wallet: first[0].Wallet, N: 7, Status: store.DeliveryFailed}}, nil))
}

func checkOrdered(b *bench) {
	for range 3 {
		b.tell("a", hook)
		b.tell("b", hook)
	}
	both := b.lease(store.LeaseQuery{Ordered: true})
	if got := named(both); got != "[a1 a2 a3 b1 b2 b3]" || both[0].N > both[1].N || both[1].N > both[2].N || both[3].N > both[4].N {
		b.Fatalf("the whole lines, in order: %s", got)
	}
	b.tell("a", hook)
	if got := named(b.lease(store.LeaseQuery{Ordered: true})); got != "[]" {
		b.Fatalf("behind a leased head: %s", got)
	}
	var ofA, ofB []store.Leased
	for _, d := range both {
		if d.Key.Customer == "a" {
			ofA = append(ofA, d)
		} else {
			ofB = append(ofB, d)
		}
	}
	// a's first fails, and all behind it wait as long; b's are delivered.
	hold := store.Follow{Wallet: ofA[0].Wallet, Endpoint: hook, After: ofA[0].N, At: b.now + 10, Hold: true}
	b.finish(ofA[:1], store.DeliveryPending, b.now+10, hold)
	b.finish(ofB, store.DeliveryDelivered, 0)
	b.tell("a", hook)
	b.tell("b", hook)
	if got := named(b.lease(store.LeaseQuery{Ordered: true})); got != "[b4]" {
		b.Fatalf("while a's head waits: %s", got)
	}
	b.now += 10
	run := b.lease(store.LeaseQuery{Ordered: true})
	if got := named(run); got != "[a1 a2 a3 a4 a5]" {
		b.Fatalf("when a's head is due: %s", got)
	}
	// What came while it was leased waits for the lease, unless it is woken.
	b.tell("a", hook)
	if got := named(b.lease(store.LeaseQuery{Ordered: true})); got != "[]" {
		b.Fatalf("behind the lease: %s", got)
	}
	b.finish(run, store.DeliveryDelivered, 0, store.Follow{Wallet: run[4].Wallet, Endpoint: hook, After: run[4].N, At: b.now})
	if got := named(b.lease(store.LeaseQuery{Ordered: true})); got != "[a6]" {
		b.Fatalf("woken: %s", got)
	}
	if got := named(b.lease(store.LeaseQuery{Ordered: true, Now: b.now + 60, Busy: []id.Wallet{run[0].Wallet}})); got != "[b4]" {
		b.Fatalf("with a's customer busy: %s", got)
	}
}

func checkOrderedBounds(b *bench) {
	for range store.MaxRun + 1 {
		b.tell("a", hook)
	}
	b.tell("b", hook)
	b.tell("c", hook)
	if n := len(b.lease(store.LeaseQuery{Ordered: true, Busy: []id.Wallet{key("b").ID(), key("c").ID()}})); n != store.MaxRun {
		b.Fatalf("a run of %d, want %d", n, store.MaxRun)
	}
	if n := len(b.lease(store.LeaseQuery{Ordered: true, Limit: 1})); n != 1 {
		b.Fatalf("%d were taken, want 1", n)
	}
	other := plainEndpoint("whk_other")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{other}}))
	b.tell("d", hook, other.ID)
	if got := named(b.lease(store.LeaseQuery{Ordered: true, Endpoint: other.ID})); got != "[d1]" {
		b.Fatalf("of another endpoint: %s", got)
	}
}

func checkRedeliver(b *bench) {
	other := plainEndpoint("whk_other")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{other}}))
	for i, customer := range []string{"a", "b", "c", "d"} {
		b.now = start + clock.Instant(i)
		b.tell(customer, hook, other.ID)
	}
	taken := b.lease(store.LeaseQuery{})
	slices.SortFunc(taken, func(x, y store.Leased) int { return int(x.CreatedAt - y.CreatedAt) })
	b.finish(taken[:2], store.DeliveryFailed, 0)
	b.finish(taken[2:3], store.DeliveryDelivered, 0)
	again := func(q store.RedeliverQuery, want string) {
		b.Helper()
		q.At = start + 200
		n, err := b.Redeliver(b.ctx, q)
		b.must(err)
		taken := b.lease(store.LeaseQuery{Now: start + 200})
		if got := named(taken); got != want || int(n) != len(taken) {
			b.Fatalf("%+v: %d, %s; want %s", q, n, got, want)
		}
		for i := range taken {
			if taken[i].Tries != 0 {
				b.Fatalf("the attempts were not forgotten: %+v", taken[i])
			}
		}
	}
	b.lease(store.LeaseQuery{Now: start + 200}) // d, whose lease has run out
	again(store.RedeliverQuery{Endpoint: hook, From: start + 1, To: start + 1}, "[]")
	again(store.RedeliverQuery{Endpoint: hook, From: start, To: start + 1, Failed: true}, "[a1]")
	again(store.RedeliverQuery{Endpoint: hook, From: start + 1}, "[b1 c1]")
	again(store.RedeliverQuery{Endpoint: hook}, "[]") // all are pending
	again(store.RedeliverQuery{Wallet: taken[1].Wallet, N: taken[1].N}, "[b1]")
	n, err := b.Redeliver(b.ctx, store.RedeliverQuery{Wallet: taken[0].Wallet, N: 7, At: start})
	b.must(err)
	b.same("what does not exist", n, int64(0))
	if got := named(b.lease(store.LeaseQuery{Endpoint: other.ID})); got != "[a1 b1 c1 d1]" {
		b.Fatalf("another endpoint's: %s", got)
	}
}

func checkListDeliveries(b *bench) {
	other := plainEndpoint("whk_other")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{other}}))
	for _, customer := range []string{"a", "b", "c"} { // all at one instant
		b.tell(customer, hook, other.ID)
		b.tell(customer, hook)
	}
	b.now++
	b.tell("a", hook)
	taken := b.lease(store.LeaseQuery{Limit: 100})
	b.finish(taken[:3], store.DeliveryFailed, 0)
	all, err := b.ListDeliveries(b.ctx, store.DeliveryQuery{Endpoint: hook})
	b.must(err)
	if len(all) != 7 || all[0].Seq != 3 || all[0].CreatedAt != b.now {
		b.Fatalf("%d deliveries, the newest %+v", len(all), all[0])
	}
	var paged []store.Delivery
	q := store.DeliveryQuery{Endpoint: hook, Limit: 2}
	for {
		page, err := b.ListDeliveries(b.ctx, q)
		b.must(err)
		paged = append(paged, page...)
		if len(page) < q.Limit {
			break
		}
		last := page[len(page)-1]
		q.Before = &store.DeliveryPlace{At: last.CreatedAt, Wallet: last.Wallet, N: last.N}
	}
	b.same("page by page", paged, all)
	for _, c := range []struct {
		q    store.DeliveryQuery
		want int
	}{
		{store.DeliveryQuery{Endpoint: hook, Status: store.DeliveryFailed}, 3},
		{store.DeliveryQuery{Endpoint: hook, Status: store.DeliveryPending}, 4},
		{store.DeliveryQuery{Endpoint: hook, Type: catalog.EventOverageReset}, 7},
		{store.DeliveryQuery{Endpoint: hook, Type: catalog.EventCreditAdded}, 0},
		{store.DeliveryQuery{Endpoint: other.ID}, 3},
	} {
		list, err := b.ListDeliveries(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), len(list), c.want)
	}
}

// checkReceivers leases, lists, prunes and counts deliveries to receivers that are in no table.
func checkReceivers(b *bench) {
	b.other()
	mail, payments := catalog.MailReceiver, catalog.PaymentsReceiver
	b.tell("a", hook, mail, payments)
	b.now = start + 5
	b.tell("b", mail)
	due := func() []store.Due {
		list, err := b.DueDeliveries(b.ctx, start+1)
		b.must(err)
		slices.SortFunc(list, func(x, y store.Due) int { return strings.Compare(x.Endpoint, y.Endpoint) })
		return list
	}
	b.same("due", due(), []store.Due{{Endpoint: mail, Now: true, Next: start + 5}, {Endpoint: payments, Now: true}, {App: app, Endpoint: hook, Now: true}})
	backlog, err := b.Backlog(b.ctx)
	b.must(err)
	b.same("backlog", backlog, store.Backlog{Pending: 4, Oldest: start})

	taken := b.lease(store.LeaseQuery{Endpoint: mail, Ordered: true})
	b.same("leased", named(taken), "[a1 b1]")
	b.finish(taken, store.DeliveryDelivered, 0)
	b.finish(b.lease(store.LeaseQuery{Endpoint: payments}), store.DeliveryFailed, 0)
	b.same("what is left", due(), []store.Due{{App: app, Endpoint: hook, Now: true}})
	n, err := b.Redeliver(b.ctx, store.RedeliverQuery{At: b.now, Endpoint: payments, From: start, Failed: true})
	b.must(err)
	b.same("sent again", n, int64(1))

	for _, k := range []wallet.Key{{App: app, Mode: catalog.Test, Customer: "a"}, {App: "app_other", Mode: catalog.Live, Customer: "a"}} {
		d := newDelivery(k.ID(), 1, 0)
		d.Endpoint, d.About = mail, store.About{Notice: &wallet.Notice{Type: d.Type}}
		b.must(b.write(store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, TellSeq: 1}, Created: true, Deliveries: []store.Delivery{d}}))
		b.same("written", b.delivery(k.ID(), 1).Delivery, d)
	}
	for _, c := range []struct {
		q    store.DeliveryQuery
		want int
	}{
		{store.DeliveryQuery{Endpoint: mail}, 4},
		{store.DeliveryQuery{Endpoint: mail, App: app}, 3},
		{store.DeliveryQuery{Endpoint: mail, App: app, Mode: catalog.Live}, 2},
		{store.DeliveryQuery{Endpoint: mail, App: app, Mode: catalog.Live, Limit: 1}, 1},
		{store.DeliveryQuery{Endpoint: mail, App: app, Mode: catalog.Live, Before: &store.DeliveryPlace{At: start + 5}}, 1},
		{store.DeliveryQuery{Endpoint: mail, App: app, Mode: catalog.Test}, 1},
		{store.DeliveryQuery{Endpoint: mail, Mode: catalog.Live}, 3},
		{store.DeliveryQuery{Endpoint: mail, App: "app_other", Mode: catalog.Live, Status: store.DeliveryPending}, 1},
		{store.DeliveryQuery{Endpoint: mail, App: "app_other", Mode: catalog.Live, Status: store.DeliveryFailed}, 0},
		{store.DeliveryQuery{Endpoint: mail, App: "app_none", Mode: catalog.Live}, 0},
		{store.DeliveryQuery{Endpoint: payments, App: app, Mode: catalog.Live}, 1},
	} {
		list, err := b.ListDeliveries(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), len(list), c.want)
	}
	if n, _ := b.prune(start+100, 2); n != 2 {
		b.Fatalf("%d were pruned, want the two that were delivered", n)
	}
}

// prune goes through all deliveries in stretches of a few, and returns how many were deleted and
// how many stretches it took.
func (b *bench) prune(before clock.Instant, limit int) (deleted int64, stretches int) {
	b.Helper()
	q := store.PruneQuery{Before: before, Limit: limit}
	for {
		p, err := b.PruneDeliveries(b.ctx, q)
		b.must(err)
		if p.Deleted > int64(limit) {
			b.Fatalf("%d were deleted at one time, of at most %d", p.Deleted, limit)
		}
		deleted, stretches = deleted+p.Deleted, stretches+1
		if p.Next == nil {
			return deleted, stretches
		}
		q.After = *p.Next
		if stretches > 100 {
			b.Fatalf("there is no end; behind %+v", q.After)
		}
	}
}

func checkPrune(b *bench) {
	if n, stretches := b.prune(start+1, 10); n != 0 || stretches != 1+len(catalog.Receivers()) {
		b.Fatalf("of none %d in %d stretches", n, stretches)
	}
	second, gone := plainEndpoint("whk_second"), plainEndpoint("whk_gone")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{second, gone, plainEndpoint("whk_idle")}}))
	const each = 5
	for i := range each {
		b.now = start + clock.Instant(i)
		b.tell("a", hook, second.ID, gone.ID)
		b.tell("b", hook)
	}
	before, err := b.Snapshot(b.ctx, key("a").ID())
	b.must(err)
	gone.ArchivedAt = start + 3
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{gone}}))
	left := func(endpoint string) int {
		b.Helper()
		list, err := b.ListDeliveries(b.ctx, store.DeliveryQuery{Endpoint: endpoint})
		b.must(err)
		return len(list)
	}
	if n, _ := b.prune(start+each, 3); n != each || left(gone.ID) != 0 {
		b.Fatalf("%d were deleted, %d are left of an archived endpoint", n, left(gone.ID))
	}
	// Half of one endpoint's are delivered or given up; the others stay, and stand in nobody's way.
	taken := b.lease(store.LeaseQuery{})
	slices.SortFunc(taken, func(x, y store.Leased) int { return int(x.CreatedAt - y.CreatedAt) })
	for i := range taken {
		status := []store.DeliveryStatus{store.DeliveryDelivered, store.DeliveryFailed, store.DeliverySkipped, store.DeliveryPending}[i%4]
		b.finish(taken[i:i+1], status, start+200)
	}
	if n, _ := b.prune(start+2, 1); n != 3 || left(hook) != 2*each-3 {
		b.Fatalf("%d were deleted of the first two instants, %d are left", n, left(hook))
	}
	if n, stretches := b.prune(start+each, 2); n != 5 || left(hook) != 2 || stretches != 9+len(catalog.Receivers()) {
		b.Fatalf("%d were deleted in %d stretches, %d are left", n, stretches, left(hook))
	}
	if n, _ := b.prune(start+each, 100); n != 0 || left(second.ID) != each {
		b.Fatalf("%d more were deleted, %d are left of what is pending", n, left(second.ID))
	}
	after, err := b.Snapshot(b.ctx, key("a").ID())
	b.must(err)
	b.same("the wallet, and the number of its last event", after, before)
	b.tell("a", second.ID)
	if list, err := b.ListDeliveries(b.ctx, store.DeliveryQuery{Endpoint: second.ID, Limit: 1}); err != nil || list[0].N != before.TellSeq+1 {
		b.Fatalf("the next has number %d, want %d: %v", list[0].N, before.TellSeq+1, err)
	}
}

func checkBacklog(b *bench) {
	backlog := func(want store.Backlog) {
		b.Helper()
		got, err := b.Backlog(b.ctx)
		b.must(err)
		b.same("backlog", got, want)
	}
	off, gone := plainEndpoint("whk_off"), plainEndpoint("whk_gone")
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{off, gone}}))
	backlog(store.Backlog{})
	b.tell("a", off.ID, gone.ID)
	b.now++
	b.tell("a", hook)
	b.now++
	b.tell("b", hook, gone.ID)
	backlog(store.Backlog{Pending: 5, Oldest: start})
	off.Disabled, gone.ArchivedAt = true, start+1
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{off, gone}}))
	backlog(store.Backlog{Pending: 2, Oldest: start + 1})
	taken := b.lease(store.LeaseQuery{Now: start + 1})
	b.finish(taken, store.DeliveryPending, start+500)
	backlog(store.Backlog{Pending: 2, Oldest: start + 1})
	b.finish(b.lease(store.LeaseQuery{Now: start + 500}), store.DeliveryDelivered, 0)
	backlog(store.Backlog{})
}

package storetest

import (
	"crypto/sha256"
	"fmt"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var definitionTests = []test{
	{"apps", checkApps},
	{"definitions read as they were written", checkDefinitionsRoundTrip},
	{"definitions are replaced under their id", checkRedefine},
	{"a version that moved asks for another try", checkStaleDefine},
	{"a name is taken in any case", checkNames},
	{"an archived name can be used again", checkArchivedNames},
	{"another app's definitions are out of reach", checkForeignDefine},
	{"two apps may give their packs the same id", checkSharedPackID},
	{"answers outside any wallet", checkAppAnswers},
}

// define changes the bench's definitions at their present version.
func (b *bench) define(change store.Definition) error {
	version, err := b.DefinitionsVersion(b.ctx, app)
	b.must(err)
	change.At = b.now
	return b.Define(b.ctx, app, version, change, nil)
}

func (b *bench) definitions(name string) *catalog.Definitions {
	b.Helper()
	defs, err := b.Definitions(b.ctx, name)
	b.must(err)
	return defs
}

func (b *bench) other() {
	b.Helper()
	b.must(b.CreateApp(b.ctx, store.App{ID: "app_other", Name: "Other", Version: 1, CreatedAt: start}))
}

func checkApps(b *bench) {
	first := store.App{ID: "app_1", Name: "A " + hard, Version: 1, CreatedAt: start}
	b.must(b.CreateApp(b.ctx, first))
	b.wantCode(b.CreateApp(b.ctx, store.App{ID: "app_2", Name: "Bench", Version: 1, CreatedAt: start}), fault.CodeNameTaken)
	b.wantRefused(b.CreateApp(b.ctx, store.App{ID: "app_1", Name: "C", Version: 1, CreatedAt: start}))
	apps, err := b.Apps(b.ctx)
	b.must(err)
	b.same("apps", apps, []store.App{first, {ID: app, Name: "Bench", Version: 2, CreatedAt: start}})

	if defs := b.definitions("app_none"); defs != nil {
		b.Fatalf("definitions of no app: %v", defs)
	}
	b.same("definitions of a new app", b.definitions("app_1"), catalog.NewDefinitions("app_1", first.Name, 1))
	for name, want := range map[string]int64{"app_none": 0, "app_1": 1, app: 2} {
		version, err := b.DefinitionsVersion(b.ctx, name)
		b.must(err)
		b.same("version of "+name, version, want)
	}
	b.wantCode(b.Define(b.ctx, "app_none", 0, store.Definition{At: start}, nil), fault.CodeNotFound)
}

func checkDefinitionsRoundTrip(b *bench) {
	b.other()
	plain := &catalog.Credit{ID: "crd_plain", App: app, Name: "n"}
	empty := &catalog.Pack{ID: "pck_empty", App: app, Name: "n"}
	full, pack := fullCredit("crd_full", hard), fullPack("pck_full", hard)
	bare, meter := &catalog.Meter{ID: "mtr_bare", App: app, Name: "n"}, fullMeter("mtr_full", hard)
	blank, product := &catalog.Product{ID: "pdt_blank", App: app, Name: "n"}, fullProduct("pdt_full", hard)
	endpoint, live := fullEndpoint("whk_full"), plainEndpoint("whk_plain")
	hidden := fullKey("key_revoked")
	open := fullKey("key_open")
	open.RevokedAt = 0
	b.must(b.define(store.Definition{
		Credits: []*catalog.Credit{plain, full}, Packs: []*catalog.Pack{empty, pack}, NewKeys: []store.Key{hidden, open},
		Meters: []*catalog.Meter{bare, meter}, Products: []*catalog.Product{blank, product},
		Endpoints: []*catalog.Endpoint{endpoint, live},
	}))
	want := catalog.NewDefinitions(app, "Bench", 3)
	for _, c := range append(benchCredits(), plain, full) {
		want.Credits[c.ID] = c
	}
	for _, m := range append(benchMeters(), bare, meter) {
		want.AddMeter(m)
	}
	want.Packs = map[string]*catalog.Pack{empty.ID: empty, pack.ID: pack}
	want.Products = map[string]*catalog.Product{blank.ID: blank, product.ID: product}
	want.Endpoints = map[string]*catalog.Endpoint{endpoint.ID: endpoint, live.ID: live, hook: plainEndpoint(hook)}
	want.Keys = map[string]bool{"key_open": true}
	b.same("definitions", b.definitions(app), want)
	b.same("definitions of another app", b.definitions("app_other"), catalog.NewDefinitions("app_other", "Other", 1))
}

func checkRedefine(b *bench) {
	b.must(b.define(store.Definition{Credits: []*catalog.Credit{fullCredit("crd", "One")}, Packs: []*catalog.Pack{fullPack("pck", "One")}}))
	credit := &catalog.Credit{ID: "crd", App: app, Name: "Two", CreatedAt: start, UpdatedAt: start + 1}
	pack := &catalog.Pack{ID: "pck", App: app, Name: "Two", CreatedAt: start, UpdatedAt: start + 1}
	b.must(b.define(store.Definition{Credits: []*catalog.Credit{credit}, Packs: []*catalog.Pack{pack}}))
	defs := b.definitions(app)
	b.same("credit", defs.Credits["crd"], credit)
	b.same("pack", defs.Packs["pck"], pack)
	b.same("version", defs.Version, int64(4))
	for _, name := range []string{"One", "Two"} { // names of products may repeat
		product := fullProduct("pdt", name)
		b.must(b.define(store.Definition{Products: []*catalog.Product{product, fullProduct("pdt_again", name)}}))
		b.same("product", b.definitions(app).Products["pdt"], product)
	}
	changedHook := fullEndpoint(hook)
	b.must(b.define(store.Definition{Endpoints: []*catalog.Endpoint{changedHook}}))
	b.same("endpoint", b.definitions(app).Endpoints[hook], changedHook)
	b.do(key("a"), give(calls, 1)) // what wallets refer to can be redefined too
	changed := *defs.Credits[calls]
	changed.Name = "Calls, renamed"
	b.must(b.define(store.Definition{Credits: []*catalog.Credit{&changed}}))
	b.same("credit in use", b.definitions(app).Credits[calls], &changed)
	if n := len(b.snapshot(key("a")).Grants); n != 1 {
		b.Fatalf("%d grants after the credit was redefined", n)
	}
}

func checkStaleDefine(b *bench) {
	before := b.definitions(app)
	change := store.Definition{
		Credits: []*catalog.Credit{fullCredit("crd", "x")}, Packs: []*catalog.Pack{fullPack("pck", "x")},
		NewKeys: []store.Key{fullKey("key")}, At: start,
	}
	for _, expect := range []int64{0, 1, 3} {
		b.wantRetry(b.Define(b.ctx, app, expect, change, &store.AppAnswer{Key: "k"}))
	}
	b.same("definitions", b.definitions(app), before)
	answer, err := b.AppAnswer(b.ctx, app, "k")
	b.must(err)
	if answer != nil {
		b.Fatal("the answer was stored without the change")
	}
}

func checkNames(b *bench) {
	b.other()
	for i, pair := range [][2]string{{"Image credits", "IMAGE Credits"}, {"Größe ÄÖÉ", "gRÖßE äöé"}, {"Κόσμος Жизнь", "κόσμοσ жИЗНЬ"}} {
		name, same := pair[0], pair[1]
		credit, pack := fullCredit(fmt.Sprint("crd", i), name), fullPack(fmt.Sprint("pck", i), name)
		credit.ArchivedAt, pack.ArchivedAt = 0, 0
		b.must(b.define(store.Definition{Credits: []*catalog.Credit{credit}, Packs: []*catalog.Pack{pack}}))
		second, third := *credit, *pack
		second.ID, second.Name, third.ID, third.Name = "crd_again", same, "pck_again", same
		before := b.definitions(app)
		b.wantCode(b.define(store.Definition{Credits: []*catalog.Credit{&second}}), fault.CodeNameTaken)
		b.wantCode(b.define(store.Definition{Packs: []*catalog.Pack{&third}}), fault.CodeNameTaken)
		b.same("definitions", b.definitions(app), before)

		renamed := *credit // to itself, in another case
		renamed.Name = same
		b.must(b.define(store.Definition{Credits: []*catalog.Credit{&renamed}}))
		second.App, third.App = "app_other", "app_other"
		second.ID, third.ID = fmt.Sprint("crd_o", i), fmt.Sprint("pck_o", i)
		b.must(b.Define(b.ctx, "app_other", int64(i)+1, store.Definition{Credits: []*catalog.Credit{&second}, Packs: []*catalog.Pack{&third}}, nil))
	}
}

func checkArchivedNames(b *bench) {
	for i := range 3 { // full definitions are archived
		b.must(b.define(store.Definition{
			Credits: []*catalog.Credit{fullCredit(fmt.Sprint("crd", i), "Name")},
			Packs:   []*catalog.Pack{fullPack(fmt.Sprint("pck", i), "Name")},
		}))
	}
	back := fullCredit("crd0", "Name")
	back.ArchivedAt = 0
	b.must(b.define(store.Definition{Credits: []*catalog.Credit{back}}))
	second := fullCredit("crd1", "NAME")
	second.ArchivedAt = 0
	b.wantCode(b.define(store.Definition{Credits: []*catalog.Credit{second}}), fault.CodeNameTaken)
	back.ArchivedAt = 5
	b.must(b.define(store.Definition{Credits: []*catalog.Credit{back, second}}))
}

func checkForeignDefine(b *bench) {
	b.other()
	theft := *b.defs.Credits[calls]
	theft.App, theft.Name = "app_other", "stolen"
	hijack := plainEndpoint(hook)
	hijack.App, hijack.URL = "app_other", "https://example.test/theirs"
	b.wantRefused(b.Define(b.ctx, "app_other", 1, store.Definition{Endpoints: []*catalog.Endpoint{hijack}, At: start}, nil))
	b.wantRefused(b.Define(b.ctx, "app_other", 1, store.Definition{Credits: []*catalog.Credit{&theft}, At: start}, nil))
	b.same("definitions", b.definitions(app), b.defs)
}

// checkSharedPackID: operators choose the ids of packs, and know nothing of one another.
func checkSharedPackID(b *bench) {
	b.other()
	ours, theirs := fullPack("cpk_topup", "Ours"), fullPack("cpk_topup", "Theirs")
	theirs.App, theirs.PriceMinor = "app_other", 1
	b.must(b.define(store.Definition{Packs: []*catalog.Pack{ours}}))
	b.must(b.Define(b.ctx, "app_other", 1, store.Definition{Packs: []*catalog.Pack{theirs}}, nil))
	b.same("our pack", b.definitions(app).Packs["cpk_topup"], ours)
	b.same("their pack", b.definitions("app_other").Packs["cpk_topup"], theirs)
}

func checkAppAnswers(b *bench) {
	b.other()
	answer, err := b.AppAnswer(b.ctx, app, "k")
	b.must(err)
	if answer != nil {
		b.Fatalf("an answer to nothing: %v", answer)
	}
	want := &store.AppAnswer{Key: "k", Request: sha256.Sum256(nil), Answer: []byte("{\x00\xff}"), At: start}
	b.must(b.Define(b.ctx, app, 2, store.Definition{At: start}, want))
	got, err := b.AppAnswer(b.ctx, app, "k")
	b.must(err)
	b.same("answer", got, want)
	got, err = b.AppAnswer(b.ctx, "app_other", "k")
	b.must(err)
	if got != nil {
		b.Fatal("another app's key found an answer")
	}
	b.wantRetry(b.Define(b.ctx, app, 3, store.Definition{At: start}, want))
	b.same("version", b.definitions(app).Version, int64(3))
	b.must(b.Define(b.ctx, "app_other", 1, store.Definition{At: start}, want))
}

var keyTests = []test{
	{"keys are found by their hash and listed by creation", checkKeys},
	{"a revoked key is found as revoked, and gone from the definitions", checkRevoke},
}

func checkKeys(b *bench) {
	b.other()
	none, err := b.FindKey(b.ctx, sha256.Sum256([]byte("key_2")))
	b.must(err)
	if none != nil {
		b.Fatalf("a key was found: %v", none)
	}
	second, first, third := fullKey("key_2"), fullKey("key_1"), fullKey("key_3")
	second.CreatedAt, third.CreatedAt = start+2, start+3
	second.RevokedAt, third.RevokedAt = 0, 0
	b.must(b.define(store.Definition{NewKeys: []store.Key{second, first}}))
	b.must(b.define(store.Definition{NewKeys: []store.Key{third}}))
	for _, want := range []store.Key{first, second, third} {
		got, err := b.FindKey(b.ctx, want.Hash)
		b.must(err)
		b.same("key", got, &want)
	}
	keys, err := b.ListKeys(b.ctx, app)
	b.must(err)
	b.same("keys", keys, []store.Key{first, second, third})
	keys, err = b.ListKeys(b.ctx, "app_other")
	b.must(err)
	b.same("keys of another app", keys, []store.Key{})

	again := fullKey("key_4")
	again.Hash = first.Hash
	b.wantRefused(b.define(store.Definition{NewKeys: []store.Key{again}}))
	odd := fullKey("key_5")
	odd.Kind = "x"
	b.wantRefused(b.define(store.Definition{NewKeys: []store.Key{odd}}))
}

func checkRevoke(b *bench) {
	b.other()
	one, two := fullKey("key_1"), fullKey("key_2")
	one.RevokedAt, two.RevokedAt = 0, 0
	b.must(b.define(store.Definition{NewKeys: []store.Key{one, two}}))
	b.same("keys", b.definitions(app).Keys, map[string]bool{"key_1": true, "key_2": true})
	b.now = start + 5
	b.must(b.define(store.Definition{Revoke: []string{"key_1"}}))
	b.same("keys", b.definitions(app).Keys, map[string]bool{"key_2": true})
	b.now = start + 9
	b.must(b.define(store.Definition{Revoke: []string{"key_1"}}))
	got, err := b.FindKey(b.ctx, one.Hash)
	b.must(err)
	one.RevokedAt = start + 5 // revoking again does not move it
	b.same("revoked key", got, &one)
	b.wantCode(b.define(store.Definition{Revoke: []string{"key_none"}}), fault.CodeKeyNotFound)
	b.wantCode(b.Define(b.ctx, "app_other", 1, store.Definition{Revoke: []string{"key_2"}, At: start}, nil), fault.CodeKeyNotFound)
	b.same("version", b.definitions(app).Version, int64(5))
}

var customerTests = []test{
	{"a customer read is the one that was saved", checkSaveCustomer},
	{"a change of a customer leaves the rest", checkUpdateCustomer},
	{"customers are listed by id, within app and mode", checkCustomers},
	{"customers are found by what is known of them", checkFindCustomers},
	{"the holders of a credit", checkHolders},
}

func checkSaveCustomer(b *bench) {
	k := key(longest)
	c := fullCustomer(k)
	b.must(b.SaveCustomer(b.ctx, c))
	got, err := b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: k.Mode, ID: longest})
	b.must(err)
	b.same("customer", got, []store.Customer{c})
	b.same("the wallet that was made", b.snapshot(k), &wallet.Snapshot{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, CreatedAt: c.CreatedAt},
	})
	b.do(k, give(calls, 5))
	before := b.snapshot(k)
	changed := store.Customer{Key: k, CreatedAt: start + 7, UpdatedAt: start + 8}
	b.must(b.SaveCustomer(b.ctx, changed))
	changed.CreatedAt = c.CreatedAt // is told once
	got, err = b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: k.Mode})
	b.must(err)
	b.same("customer", got, []store.Customer{changed})
	b.same("wallet", b.snapshot(k), before)

	b.do(key("b"), give(calls, 5))
	late := fullCustomer(key("b"))
	b.must(b.SaveCustomer(b.ctx, late))
	got, err = b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: k.Mode, ID: "b"})
	b.must(err)
	b.same("customer of a wallet that was there", got, []store.Customer{late})
}

func checkCustomers(b *bench) {
	b.other()
	b.now = start + 3
	for _, customer := range []string{"d", "b", "B", "é"} {
		b.do(key(customer), give(calls, 1))
	}
	saved := fullCustomer(key("c"))
	b.must(b.SaveCustomer(b.ctx, saved))
	b.must(b.SaveCustomer(b.ctx, store.Customer{Key: wallet.Key{App: app, Mode: catalog.Test, Customer: "a"}}))
	b.must(b.SaveCustomer(b.ctx, store.Customer{Key: wallet.Key{App: "app_other", Mode: catalog.Live, Customer: "b"}}))
	for _, c := range []struct {
		q    store.CustomerQuery
		want string
	}{
		{store.CustomerQuery{App: app, Mode: catalog.Live}, "B b c d é"}, // by bytes, on every machine
		{store.CustomerQuery{App: app, Mode: catalog.Live, Limit: 2}, "B b"},
		{store.CustomerQuery{App: app, Mode: catalog.Live, After: "b", Limit: 2}, "c d"},
		{store.CustomerQuery{App: app, Mode: catalog.Live, ID: "d"}, "d"},
		{store.CustomerQuery{App: app, Mode: catalog.Live, ID: "a"}, ""},
		{store.CustomerQuery{App: app, Mode: catalog.Test}, "a"},
		{store.CustomerQuery{App: "app_other", Mode: catalog.Live}, "b"},
		{store.CustomerQuery{App: "app_none", Mode: catalog.Live}, ""},
	} {
		got, err := b.Customers(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(got, func(x store.Customer) any { return x.Key.Customer }), c.want)
	}
	got, err := b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: catalog.Live, After: "B", Limit: 2})
	b.must(err)
	b.same("one that nothing was told about", got, []store.Customer{{Key: key("b"), CreatedAt: b.now, UpdatedAt: b.now}, saved})
}

func checkUpdateCustomer(b *bench) {
	k := key("a")
	name, email, phone, none := "Zoë "+hard, "Zoë@Example.test", "+41 44", wallet.Metadata{}
	found, err := b.UpdateCustomer(b.ctx, store.CustomerChange{Key: k, Name: &name, At: start})
	b.must(err)
	b.same("a customer nobody has seen was found", found, false)
	b.do(k, give(calls, 1))
	want := store.Customer{Key: k, CreatedAt: b.now}
	update := func(c store.CustomerChange) {
		b.Helper()
		c.Key, c.At = k, want.UpdatedAt
		found, err := b.UpdateCustomer(b.ctx, c)
		b.must(err)
		b.same("found", found, true)
		got, err := b.Customers(b.ctx, store.CustomerQuery{App: app, Mode: k.Mode, ID: "a"})
		b.must(err)
		b.same("customer", got, []store.Customer{want})
	}
	want.Name, want.UpdatedAt = name, start+1
	update(store.CustomerChange{Name: &name})
	metadata := hardMetadata()
	want.Email, want.Phone, want.Metadata, want.UpdatedAt = email, phone, metadata, start+2
	update(store.CustomerChange{Email: &email, Phone: &phone, Metadata: &metadata})
	want.UpdatedAt = start + 3
	update(store.CustomerChange{})
	empty := ""
	want.Name, want.Metadata = "", nil
	update(store.CustomerChange{Name: &empty, Metadata: &none})
	b.same("customers of that name", b.customers(store.CustomerQuery{Name: "zoë"}), "")
	b.same("customers at that address", b.customers(store.CustomerQuery{Email: "ZOË@example.TEST"}), "a")
}

// customers lists the ids of live customers.
func (b *bench) customers(q store.CustomerQuery) string {
	b.Helper()
	q.App, q.Mode = app, catalog.Live
	got, err := b.Customers(b.ctx, q)
	b.must(err)
	return list(got, func(c store.Customer) any { return c.Key.Customer })
}

func checkFindCustomers(b *bench) {
	b.now = start
	b.do(key("z"), give(calls, 1)) // nothing is known of them
	for i, c := range []store.Customer{
		{Key: key("a"), Name: "Ada Lovelace", Email: "ada@example.test"},
		{Key: key("b"), Name: "Émile ÅDA_%", Email: "emile@example.test"},
		{Key: key("c"), Name: "Grace", Email: "Ada@Example.test"},
		{Key: key("d")},
	} {
		c.CreatedAt = start + clock.Instant(i+1)
		c.UpdatedAt = c.CreatedAt
		b.must(b.SaveCustomer(b.ctx, c))
	}
	b.must(b.SaveCustomer(b.ctx, store.Customer{Key: wallet.Key{App: app, Mode: catalog.Test, Customer: "t"}, Name: "Ada", Email: "ada@example.test"}))
	for _, c := range []struct {
		q    store.CustomerQuery
		want string
	}{
		{store.CustomerQuery{Email: "ADA@example.test"}, "a c"},
		{store.CustomerQuery{Email: "ada@example"}, ""},
		{store.CustomerQuery{Name: "ada"}, "a"},
		{store.CustomerQuery{Name: "åda_%"}, "b"},
		{store.CustomerQuery{Name: "ÉMILE"}, "b"},
		{store.CustomerQuery{Name: "a"}, "a b c"},
		{store.CustomerQuery{Name: "%"}, "b"},
		{store.CustomerQuery{Email: "ada@example.test", Name: "grace"}, "c"},
		{store.CustomerQuery{From: start + 2}, "b c d"},
		{store.CustomerQuery{To: start + 2}, "a z"},
		{store.CustomerQuery{From: start + 1, To: start + 4, Email: "ada@example.test"}, "a c"},
		{store.CustomerQuery{Offset: 2}, "c d z"},
		{store.CustomerQuery{Offset: 1, Limit: 2}, "b c"},
		{store.CustomerQuery{After: "b", Offset: 1, Limit: 5}, "d z"},
		{store.CustomerQuery{Email: "ada@example.test", Offset: 1}, "c"},
		{store.CustomerQuery{Offset: 9}, ""},
	} {
		b.same(fmt.Sprintf("%+v", c.q), b.customers(c.q), c.want)
	}
}

func checkHolders(b *bench) {
	b.other()
	later := give(calls, 5)
	later.EffectiveAt = start + 100*day
	b.do(key("pending"), later) // not part of any balance yet
	b.now = start + day
	b.do(key("b"), give(tokens, 1), give(calls, 1))
	b.do(key("a"), give(calls, 2))
	b.now = start + 2*day
	b.do(key("a"), give(calls, 2), give(tokens, 1), &wallet.Reserve{Charge: wallet.Charge{Credit: calls, Amount: 1}})
	b.do(key("none"), give(tokens, 1))
	b.do(key("debtor"), &wallet.Deduct{Charge: wallet.Charge{Credit: dollars, Amount: 5, Shortfall: wallet.Overage}})
	b.do(wallet.Key{App: app, Mode: catalog.Test, Customer: "test"}, give(calls, 1))
	all := []store.Holder{
		{Customer: "a", CreatedAt: start + day, LastAt: start + 2*day},
		{Customer: "b", CreatedAt: start + day, LastAt: start + day},
		{Customer: "pending", CreatedAt: start},
	}
	for _, c := range []struct {
		q    store.HolderQuery
		want []store.Holder
	}{
		{store.HolderQuery{Credit: calls}, all},
		{store.HolderQuery{Credit: calls, Limit: 1}, all[:1]},
		{store.HolderQuery{Credit: calls, After: "a"}, all[1:]},
		{store.HolderQuery{Credit: calls, Offset: 1, Limit: 1}, all[1:2]},
		{store.HolderQuery{Credit: calls, After: "a", Offset: 1}, all[2:]},
		{store.HolderQuery{Credit: calls, Customer: "b"}, all[1:2]},
		{store.HolderQuery{Credit: calls, Customer: "none"}, nil},
		{store.HolderQuery{Credit: calls, Customer: "test"}, nil},
		{store.HolderQuery{Credit: "none"}, nil},
		{store.HolderQuery{Credit: dollars}, []store.Holder{{Customer: "debtor", CreatedAt: start + 2*day, LastAt: start + 2*day}}},
	} {
		c.q.App, c.q.Mode = app, catalog.Live
		got, err := b.Holders(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), got, c.want)
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

var providerTests = []test{
	{"an object reads as it was written", checkObject},
	{"an object that moved is not written", checkObjectMoved},
	{"many who change one object lose nothing", checkObjectWriters},
	{"objects are found by what they belong to, oldest first", checkObjects},
}

func (b *bench) object(id string) *store.ProviderObject {
	b.Helper()
	o, err := b.ProviderObject(b.ctx, id)
	b.must(err)
	return o
}

func checkObject(b *bench) {
	if o := b.object("o"); o != nil {
		b.Fatalf("an object from nowhere: %+v", o)
	}
	full := fullObject("o")
	full.Version = 0
	b.must(b.PutProviderObject(b.ctx, full))
	full.Version = 1
	b.same("object", b.object("o"), &full)
	other := store.ProviderObject{ID: "o", App: app, Mode: catalog.Test, Version: 1}
	b.must(b.PutProviderObject(b.ctx, other))
	other.Version = 2
	b.same("replaced", b.object("o"), &other)
	for _, o := range []store.ProviderObject{{ID: "x", App: "app_none", Mode: catalog.Test}, {ID: "x", App: app, Mode: "demo"}} {
		b.wantRefused(b.PutProviderObject(b.ctx, o))
	}
	b.wantCode(b.PutProviderObject(b.ctx, store.ProviderObject{ID: "x", App: app, Mode: catalog.Test, Ref: "a\xff"}), fault.CodeInvalidRequest)
}

func checkObjectMoved(b *bench) {
	o := store.ProviderObject{ID: "o", App: app, Mode: catalog.Test, Body: []byte("1")}
	b.must(b.PutProviderObject(b.ctx, o))
	for _, version := range []int64{0, 2, -1} {
		moved := o
		moved.Version, moved.Body = version, []byte("2")
		b.wantRetry(b.PutProviderObject(b.ctx, moved))
	}
	b.wantRetry(b.PutProviderObject(b.ctx, store.ProviderObject{ID: "none", App: app, Mode: catalog.Test, Version: 1}))
	o.Version = 1
	b.same("object", b.object("o"), &o)
}

// checkObjectWriters lets 20 writers add a word each.
func checkObjectWriters(b *bench) {
	const writers = 20
	add := func(word string) error {
		for {
			have, err := b.ProviderObject(context.WithoutCancel(b.ctx), "o")
			if err != nil {
				return err
			}
			o := store.ProviderObject{ID: "o", App: app, Mode: catalog.Test}
			if have != nil {
				o = *have
			}
			o.Body = append(o.Body, word...)
			err = b.PutProviderObject(context.WithoutCancel(b.ctx), o)
			if !errors.Is(err, store.ErrRetry) {
				return err
			}
		}
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if err := add(fmt.Sprintf("<%d>", i)); err != nil {
				b.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	o := b.object("o")
	b.same("version", o.Version, int64(writers))
	for i := range writers {
		if word := fmt.Sprintf("<%d>", i); strings.Count(string(o.Body), word) != 1 {
			b.Errorf("%s is not in %s once", word, o.Body)
		}
	}
}

func checkObjects(b *bench) {
	b.other()
	for i, o := range []store.ProviderObject{
		{ID: "c", CreatedAt: 20},
		{ID: "b", CreatedAt: 10},
		{ID: "a", CreatedAt: 20},
		{ID: "d", CreatedAt: 10, App: "app_other"},
		{ID: "e", CreatedAt: 10, Mode: alice},
		{ID: "f", CreatedAt: 10, Kind: "x"},
		{ID: "g", CreatedAt: 10, Ref: "x"},
	} {
		if o.App == "" {
			o.App = app
		}
		if o.Mode == "" {
			o.Mode = catalog.Test
		}
		if o.Kind == "" {
			o.Kind = "payment"
		}
		if o.Ref == "" {
			o.Ref = "ord"
		}
		o.Body = fmt.Append(nil, i)
		b.must(b.PutProviderObject(b.ctx, o))
	}
	for _, c := range []struct {
		q    store.ProviderQuery
		want string
	}{
		{store.ProviderQuery{App: app, Mode: catalog.Test, Kind: "payment", Ref: "ord"}, "b a c"},
		{store.ProviderQuery{App: app, Mode: catalog.Test, Kind: "payment", Ref: "ord", Limit: 2}, "b a"},
		{store.ProviderQuery{App: "app_other", Mode: catalog.Test, Kind: "payment", Ref: "ord"}, "d"},
		{store.ProviderQuery{App: app, Mode: alice, Kind: "payment", Ref: "ord"}, "e"},
		{store.ProviderQuery{App: app, Mode: catalog.Test, Kind: "x", Ref: "ord"}, "f"},
		{store.ProviderQuery{App: app, Mode: catalog.Test, Kind: "payment", Ref: "x"}, "g"},
		{store.ProviderQuery{App: app, Mode: catalog.Test, Kind: "payment"}, ""},
		{store.ProviderQuery{Kind: "payment", Ref: "ord"}, "b d e a c"},
		{store.ProviderQuery{Kind: "payment", Ref: "ord", Limit: 2}, "b d"},
		{store.ProviderQuery{Kind: "payment"}, ""},
	} {
		found, err := b.ProviderObjects(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, func(o store.ProviderObject) any { return o.ID }), c.want)
	}
	want := store.ProviderObject{ID: "g", App: app, Mode: catalog.Test, Kind: "payment", Ref: "x", Version: 1, Body: []byte("6"), CreatedAt: clock.Instant(10)}
	b.same("one of them", *b.object("g"), want)
}

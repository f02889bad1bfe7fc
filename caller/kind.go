package caller

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Author is who defines something: a caller, where the definitions are, and the time they are dated by.
type Author struct {
	Engine *engine.Engine
	Clock  clock.Clock
	By     v1.Caller
}

// Define changes definitions of the author's app, once per idempotency key, and returns what was
// made.
func Define[T any](ctx context.Context, a Author, request any, opts []v1.Option, change func(*catalog.Definitions) (store.Definition, T, error)) (T, error) {
	who := engine.Definer{App: a.By.App, Mode: a.By.Mode, APIKey: a.By.Key, Idempotency: v1.NewCall(opts).IdempotencyKey}
	return engine.DefineAs(ctx, a.Engine, who, request, change)
}

// Look finds something among the definitions as this process knows them, and looks again in the
// store before it says no: another process may just have made it. The error is that of find.
func Look[D any](ctx context.Context, a Author, find func(*catalog.Definitions) (D, error)) (D, error) {
	var none D
	defs, err := a.Engine.Known(ctx, a.By.App)
	if err != nil {
		return none, err
	}
	if d, err := find(defs); err == nil {
		return d, nil
	}
	if defs, err = a.Engine.Definitions(ctx, a.By.App); err != nil {
		return none, err
	}
	return find(defs)
}

// Kind is how an author keeps the definitions of one kind: what is the same for packs, plans,
// meters and whatever else is created, read, changed and archived. D is the kind in the words of
// catalog, Out in those of whoever reads it. What a request asks for, and whether it may be so,
// the kind's own service says.
type Kind[D, Out any] struct {
	Author
	// Name is what messages call one, and part of what idempotency keys remember of an archiving.
	Name string
	// All are those there are, archived ones included, in any order.
	All func(*catalog.Definitions) iter.Seq[*D]
	// Find finds one by what callers may name it by; its error says that there is none.
	Find func(defs *catalog.Definitions, idOrName string) (*D, error)
	// Head points to what every kind has.
	Head func(*D) catalog.Head
	// Store is the change that writes one.
	Store func(*D) store.Definition
	// Out tells of one.
	Out func(*D, *catalog.Definitions) Out
}

// Create makes a definition: read reads what the request asks for, with its id, and checks it.
func (k Kind[D, Out]) Create(ctx context.Context, request any, opts []v1.Option, read func(*catalog.Definitions) (*D, error)) (Out, error) {
	return Define(ctx, k.Author, request, opts, func(defs *catalog.Definitions) (store.Definition, Out, error) {
		d, err := read(defs)
		if err != nil {
			var none Out
			return store.Definition{}, none, err
		}
		head := k.Head(d)
		*head.App, *head.CreatedAt = k.By.App, k.Clock.Now()
		*head.UpdatedAt = *head.CreatedAt
		return k.Store(d), k.Out(d, defs), nil
	})
}

// Change changes a definition; change gets a copy of what it is as the change will find it, and
// checks what it makes of it.
func (k Kind[D, Out]) Change(ctx context.Context, idOrName string, request any, opts []v1.Option, change func(*D, *catalog.Definitions) error) (Out, error) {
	return Define(ctx, k.Author, request, opts, func(defs *catalog.Definitions) (store.Definition, Out, error) {
		var none Out
		have, err := k.Find(defs, idOrName)
		if err != nil {
			return store.Definition{}, none, err
		}
		d := *have
		if err := change(&d, defs); err != nil {
			return store.Definition{}, none, err
		}
		*k.Head(&d).UpdatedAt = k.Clock.Now()
		return k.Store(&d), k.Out(&d, defs), nil
	})
}

// Archive ends a definition. Archiving again is no error, and keeps the instant.
func (k Kind[D, Out]) Archive(ctx context.Context, idOrName string, opts []v1.Option) (Out, error) {
	return k.Change(ctx, idOrName, "archive "+k.Name+" "+idOrName, opts, func(d *D, _ *catalog.Definitions) error {
		if head := k.Head(d); head.InUse() {
			*head.ArchivedAt = k.Clock.Now()
		}
		return nil
	})
}

// Unarchive takes a definition into use again, unless its name was taken meanwhile. One that is in
// use stays as it is, which is no error.
func (k Kind[D, Out]) Unarchive(ctx context.Context, idOrName string, opts []v1.Option) (Out, error) {
	return k.Change(ctx, idOrName, "unarchive "+k.Name+" "+idOrName, opts, func(d *D, defs *catalog.Definitions) error {
		*k.Head(d).ArchivedAt = 0
		return k.FreeName(d, defs)
	})
}

// Get reads a definition as the store has it.
func (k Kind[D, Out]) Get(ctx context.Context, idOrName string) (Out, error) {
	var none Out
	defs, err := k.Engine.Definitions(ctx, k.By.App)
	if err != nil {
		return none, err
	}
	d, err := k.Find(defs, idOrName)
	if err != nil {
		return none, err
	}
	return k.Out(d, defs), nil
}

// List reads the definitions that are wanted, in order of creation.
func (k Kind[D, Out]) List(ctx context.Context, want func(catalog.Head) bool) (v1.Page[Out], error) {
	page := v1.Page[Out]{Data: []Out{}}
	defs, err := k.Engine.Definitions(ctx, k.By.App)
	if err != nil {
		return page, err
	}
	inOrder := slices.SortedFunc(k.All(defs), func(a, b *D) int {
		x, y := k.Head(a), k.Head(b)
		return cmp.Or(cmp.Compare(*x.CreatedAt, *y.CreatedAt), cmp.Compare(*x.ID, *y.ID))
	})
	for _, d := range inOrder {
		if want(k.Head(d)) {
			page.Data = append(page.Data, k.Out(d, defs))
		}
	}
	return page, nil
}

// FreeName refuses a name that another definition of the kind is in use under: name_taken.
func (k Kind[D, Out]) FreeName(d *D, defs *catalog.Definitions) error {
	head := k.Head(d)
	for other := range k.All(defs) {
		if o := k.Head(other); *o.ID != *head.ID && o.Named(*head.Name) {
			return fault.New("caller.FreeName", fault.CodeNameTaken, "there is a %s named %q already in this app", k.Name, Clip(*head.Name)).In("name")
		}
	}
	return nil
}

// Finder is what finds definitions of a kind as catalog does; code says that there is none.
func Finder[D any](code fault.Code, kind string, find func(*catalog.Definitions, string) (*D, bool)) func(*catalog.Definitions, string) (*D, error) {
	return func(defs *catalog.Definitions, idOrName string) (*D, error) {
		if d, ok := find(defs, idOrName); ok {
			return d, nil
		}
		return nil, ErrNotFound(code, kind, idOrName)
	}
}

// ErrNotFound says that an app has no definition of a kind under an id or name.
func ErrNotFound(code fault.Code, kind, idOrName string) error {
	return fault.New("caller.Find", code, "there is no %s %q in this app", kind, Clip(idOrName)).In(kind + "_id")
}

// Clip shortens what a caller sent, to name it in a message.
func Clip(text string) string {
	const most = 80 // characters
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}

package sandbox_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed42445051/scrip/store"
)

// memory is a store of the sandbox's objects, as the real ones are to behave.
type memory struct {
	mu      sync.Mutex
	objects []store.ProviderObject // oldest first
	fail    error                  // what every call answers, unless nil
	before  func()                 // what happens before the next write
}

func (m *memory) PutProviderObject(_ context.Context, o store.ProviderObject) error {
	if other := m.interrupt(nil); other != nil {
		other()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if o.App == "" || o.Mode == "" || o.Kind == "" || o.CreatedAt.IsZero() {
		return errors.New("an object without a place")
	}
	o.Body = slices.Clone(o.Body)
	i := slices.IndexFunc(m.objects, func(have store.ProviderObject) bool { return have.ID == o.ID })
	switch {
	case i < 0 && o.Version == 0:
		o.Version = 1
		m.objects = append(m.objects, o)
	case i >= 0 && o.Version == m.objects[i].Version:
		m.objects[i].Version++
		m.objects[i].Body, m.objects[i].Ref = o.Body, o.Ref
	default:
		return store.Retry(errors.New("another version"))
	}
	return nil
}

func (m *memory) ProviderObject(_ context.Context, name string) (*store.ProviderObject, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.objects {
		if o.ID == name {
			o.Body = slices.Clone(o.Body)
			return &o, m.fail
		}
	}
	return nil, m.fail
}

func (m *memory) ProviderObjects(_ context.Context, q store.ProviderQuery) ([]store.ProviderObject, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []store.ProviderObject
	for _, o := range m.objects {
		place := q.App == "" && q.Mode == "" || q.App == o.App && q.Mode == o.Mode
		if place && q.Kind == o.Kind && q.Ref == o.Ref && len(found) < q.Limit {
			found = append(found, o)
		}
	}
	return found, m.fail
}

// interrupt sets what happens before the next write, and returns what was set.
func (m *memory) interrupt(by func()) func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.before
	m.before = by
	return was
}

// failing makes every call fail from now on; nil mends it.
func (m *memory) failing(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

package store

import (
	"cmp"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// Stretch is the part of one endpoint's deliveries that a store looks at to prune them. It decides
// what goes, and where the next part begins, the same for every store.
type Stretch struct {
	After  PrunePlace      // behind which it lies
	All    bool            // its endpoint was archived: what is pending goes as well
	Doomed []DeliveryPlace // what goes

	endpoints []pruned
	looked    int
	last      DeliveryPlace
}

// pruned is an endpoint, or a receiver within Scrip itself, which is never archived.
type pruned struct {
	id         string
	archivedAt clock.Instant
}

// Endpoint hears of the endpoints that are not before the place where the stretch begins: the first
// two of them, in the order of their ids.
func (s *Stretch) Endpoint(id string, archivedAt clock.Instant) {
	s.endpoints = append(s.endpoints, pruned{id, archivedAt})
}

// Begin finds the beginning; false when there is no endpoint left.
func (s *Stretch) Begin(q *PruneQuery) bool {
	for _, id := range catalog.Receivers() {
		if id >= q.After.Endpoint {
			s.endpoints = append(s.endpoints, pruned{id: id})
		}
	}
	if len(s.endpoints) == 0 {
		return false
	}
	slices.SortFunc(s.endpoints, func(a, b pruned) int { return cmp.Compare(a.id, b.id) })
	first := s.endpoints[0]
	if s.After = q.After; s.After.Endpoint != first.id {
		s.After = PrunePlace{Endpoint: first.id}
	}
	s.All = !first.archivedAt.IsZero() && first.archivedAt < q.Before
	return true
}

// Row hears of the deliveries of the stretch, in their order.
func (s *Stretch) Row(at DeliveryPlace, pending bool) {
	s.looked, s.last = s.looked+1, at
	if !pending || s.All {
		s.Doomed = append(s.Doomed, at)
	}
}

// Next is behind what the next stretch lies when this one had room for so many; nil: nothing is
// left.
func (s *Stretch) Next(limit int) *PrunePlace {
	switch {
	case s.looked >= limit:
		return &PrunePlace{s.After.Endpoint, s.last}
	case len(s.endpoints) > 1:
		return &PrunePlace{Endpoint: s.endpoints[1].id}
	}
	return nil
}

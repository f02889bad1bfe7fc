package store

import "github.com/seed42445051/scrip/clock"

// Stretch is the part of one endpoint's deliveries that a store looks at to prune them. It decides
// what goes, and where the next part begins, the same for every store.
type Stretch struct {
	After  PrunePlace      // behind which it lies
	All    bool            // its endpoint was archived: what is pending goes as well
	Doomed []DeliveryPlace // what goes

	ids      []string
	archived []clock.Instant
	looked   int
	last     DeliveryPlace
}

// Endpoint hears of the endpoints that are not before the place where the stretch begins: the first
// two of them, in the order of their ids.
func (s *Stretch) Endpoint(id string, archivedAt clock.Instant) {
	s.ids, s.archived = append(s.ids, id), append(s.archived, archivedAt)
}

// Begin finds the beginning; false when there is no endpoint left.
func (s *Stretch) Begin(q *PruneQuery) bool {
	if len(s.ids) == 0 {
		return false
	}
	if s.After = q.After; s.After.Endpoint != s.ids[0] {
		s.After = PrunePlace{Endpoint: s.ids[0]}
	}
	s.All = !s.archived[0].IsZero() && s.archived[0] < q.Before
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
	case len(s.ids) > 1:
		return &PrunePlace{Endpoint: s.ids[1]}
	}
	return nil
}

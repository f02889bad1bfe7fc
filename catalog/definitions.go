package catalog

import (
	"slices"
	"strings"
)

// Definitions is everything that one app defines, at one version. It is read-only once built:
// an edit makes a new one under a higher version.
type Definitions struct {
	App     string
	Name    string
	Version int64
	Credits map[string]*Credit
	Packs   map[string]*Pack
	Meters  map[string]*Meter // filled by AddMeter
	// Products are by id: their names may repeat.
	Products map[string]*Product
	// Endpoints are where events go.
	Endpoints map[string]*Endpoint
	// Keys holds the ids of the API keys that are not revoked, so that a revocation by any
	// process is seen by the transaction that relies on the key.
	Keys map[string]bool
	// Clocks are those of the test modes that were ever advanced. Live has none.
	Clocks map[Mode]TestClock

	byEvent map[string][]*Meter // the meters in use, by what they count
}

// NewDefinitions returns an empty set for an app.
func NewDefinitions(app, name string, version int64) *Definitions {
	return &Definitions{
		App: app, Name: name, Version: version,
		Credits: map[string]*Credit{}, Packs: map[string]*Pack{}, Meters: map[string]*Meter{}, Keys: map[string]bool{}, byEvent: map[string][]*Meter{},
		Products: map[string]*Product{}, Endpoints: map[string]*Endpoint{}, Clocks: map[Mode]TestClock{},
	}
}

// Pack finds a pack by its id or, if it is in use, by its name in any case.
func (d *Definitions) Pack(idOrName string) (*Pack, bool) { return named(d.Packs, idOrName) }

// Credit finds a credit by its id or, if it is in use, by its name in any case.
func (d *Definitions) Credit(idOrName string) (*Credit, bool) { return named(d.Credits, idOrName) }

// AddMeter adds a meter while the definitions are built.
func (d *Definitions) AddMeter(m *Meter) {
	d.Meters[m.ID] = m
	if m.ArchivedAt.IsZero() {
		d.byEvent[m.Event] = append(d.byEvent[m.Event], m)
		slices.SortFunc(d.byEvent[m.Event], func(a, b *Meter) int { return strings.Compare(a.ID, b.ID) })
	}
}

// MetersOf lists the meters that are in use and count events of a name, by id.
func (d *Definitions) MetersOf(event string) []*Meter { return d.byEvent[event] }

// Meter finds a meter by its id or, if it is in use, by its name in any case.
func (d *Definitions) Meter(idOrName string) (*Meter, bool) { return named(d.Meters, idOrName) }

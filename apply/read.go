package apply

import (
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/metering"
	v1 "github.com/seed42445051/scrip/v1"
)

// creditOf reads a credit as the service does, so that the file is checked before anything is
// changed, and both sides of the comparison have their defaults.
func creditOf(r *v1.CreateCredit) (*catalog.Credit, error) {
	c, err := credits.ReadCredit(r)
	if err != nil {
		return nil, err
	}
	c.ID = newID(r.Name)
	return c, nil
}

// newID marks a credit that is not defined yet.
func newID(name string) string { return "new " + strings.ToLower(strings.TrimSpace(name)) }

// meterOf reads a meter as the service does. meterID is that of the meter that is defined; empty
// for one that is not.
func meterOf(meterID string, r *v1.CreateMeter, defs *catalog.Definitions) (*catalog.Meter, error) {
	m, err := metering.ReadMeter(r, defs)
	if err != nil {
		return nil, err
	}
	m.ID = meterID
	return m, nil
}

// planOf reads a plan as the service does. planID is that of the plan that is defined; empty for one
// that is not.
func planOf(planID string, r *v1.CreatePlan, defs *catalog.Definitions) (*catalog.Product, error) {
	p := &catalog.Product{ID: planID}
	if planID == "" {
		p.ID = r.ID
	}
	return p, credits.ReadPlan(p, r, defs)
}

// packOf reads a pack as the service does. packID is that of the pack that is defined; empty for
// one that is not.
func packOf(packID string, r *v1.CreatePack, defs *catalog.Definitions) (*catalog.Pack, error) {
	p := &catalog.Pack{ID: packID}
	if packID == "" {
		p.ID = r.ID
	}
	return p, credits.ReadPack(p, r, defs)
}

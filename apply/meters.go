package apply

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// meters compares all meters.
func (c *comparison) meters(ctx context.Context) error {
	if len(c.file.Meters) == 0 {
		return nil
	}
	var defined []v1.Meter
	for _, archived := range []string{"", "true"} {
		page, err := c.ops.ListMeters(ctx, v1.MeterQuery{Archived: archived})
		if err != nil {
			return err
		}
		defined = append(defined, page.Data...)
	}
	seen := map[string]bool{}
	for i := range c.file.Meters {
		want, path := &c.file.Meters[i], fmt.Sprintf("meters[%d]", i)
		name := strings.ToLower(strings.TrimSpace(want.Name))
		if seen[name] {
			return c.file.wrong(c.file.at(path+".name"), "the file has the meter %q twice", want.Name)
		}
		seen[name] = true
		if err := c.meter(path, want, defined); err != nil {
			return err
		}
	}
	return nil
}

// meter compares one meter. What it counts and how cannot be changed; an archived one of the same
// name comes back when it counts the same.
func (c *comparison) meter(path string, want *Meter, defined []v1.Meter) error {
	def, err := meterOf("", &want.CreateMeter, c.defs)
	if err != nil {
		return c.file.refused(path, err)
	}
	old, have, err := c.findMeter(def, defined)
	if err != nil {
		return err
	}
	switch {
	case old == nil && want.Archived, old != nil && want.Archived && !old.ArchivedAt.IsZero():
		return nil
	case old == nil:
		c.diff.add(Change{Kind: Created, What: "meter", Name: def.Name, Fields: changes(nil, meterFields(def, c.defs)), do: func(ctx context.Context) error {
			_, err := c.ops.CreateMeter(ctx, want.CreateMeter)
			return err
		}})
		return nil
	}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"event_name", have.Event == def.Event},
		{"filter", reflect.DeepEqual(have.Filter, def.Filter)},
		{"aggregation", have.Aggregation == def.Aggregation},
	} {
		if !f.same {
			return c.file.wrong(c.file.at(path+"."+f.name), "the %s of %q cannot be changed: archive the meter, and define another under a name of its own", f.name, old.Name)
		}
	}
	fields := changes(meterFields(have, c.defs), meterFields(def, c.defs))
	back := !old.ArchivedAt.IsZero()
	if back {
		fields = append(fields, FieldChange{"archived", "true", ""})
	}
	if len(fields) > 0 {
		c.diff.add(Change{Kind: Changed, What: "meter", Name: old.Name, Fields: fields, do: func(ctx context.Context) error {
			if back {
				if _, err := c.ops.UnarchiveMeter(ctx, old.ID); err != nil {
					return err
				}
			}
			return c.changeMeter(ctx, old.ID, &want.CreateMeter)
		}})
	}
	if want.Archived {
		c.diff.add(Change{Kind: Archived, What: "meter", Name: old.Name, do: func(ctx context.Context) error {
			_, err := c.ops.ArchiveMeter(ctx, old.ID)
			return err
		}})
	}
	return nil
}

// changeMeter sets every field that can be changed, so that what the file leaves out gets its
// default back.
func (c *comparison) changeMeter(ctx context.Context, meterID string, r *v1.CreateMeter) error {
	links := append([]v1.MeterLink{}, r.Links...) // empty, not null, which over HTTP would leave them as they are
	_, err := c.ops.UpdateMeter(ctx, meterID, v1.UpdateMeter{
		Name: &r.Name, Description: &r.Description, MeasurementUnit: &r.MeasurementUnit, Links: &links,
	})
	return err
}

// findMeter finds the meter that is meant by its name: the one that is in use, else one that was
// archived and counts the same.
func (c *comparison) findMeter(def *catalog.Meter, defined []v1.Meter) (*v1.Meter, *catalog.Meter, error) {
	for i := range defined { // those in use come first
		d := &defined[i]
		if !strings.EqualFold(d.Name, def.Name) {
			continue
		}
		have, err := meterOf(d.ID, &v1.CreateMeter{
			Name: d.Name, Description: d.Description, EventName: d.EventName, Filter: d.Filter, Aggregation: d.Aggregation,
			MeasurementUnit: d.MeasurementUnit, Links: d.Links,
		}, c.defs)
		if err != nil {
			return nil, nil, err
		}
		counts := have.Event == def.Event && have.Aggregation == def.Aggregation && reflect.DeepEqual(have.Filter, def.Filter)
		if d.ArchivedAt.IsZero() || counts {
			return d, have, nil
		}
	}
	return nil, nil, nil
}

// microDecimals are the decimals of a free threshold, which is in millionths.
const microDecimals = 6

// meterFields lists what can be compared of a meter.
func meterFields(m *catalog.Meter, defs *catalog.Definitions) []field {
	aggregation := string(m.Aggregation.Kind)
	if m.Aggregation.Key != "" {
		aggregation += " of " + m.Aggregation.Key
	}
	fields := []field{
		{"name", m.Name},
		{"description", m.Description},
		{"event_name", m.Event},
		{"filter", filterText(m.Filter)},
		{"aggregation", aggregation},
		{"measurement_unit", m.Unit},
	}
	for i, l := range m.Links {
		name := l.Credit
		if def, ok := defs.Credits[l.Credit]; ok {
			name = def.Name
		}
		text := fmt.Sprintf("%q at %s per credit", name, l.UnitsPerCredit)
		if l.FreeThreshold > 0 {
			text += ", " + money.FormatUnits(l.FreeThreshold, microDecimals) + " free"
		}
		fields = append(fields, field{fmt.Sprintf("links[%d]", i), text})
	}
	return fields
}

func filterText(f *catalog.Filter) string {
	if f == nil {
		return ""
	}
	var clauses []string
	for _, c := range f.Conditions {
		clauses = append(clauses, fmt.Sprintf("%s %s %q", c.Key, c.Operator, c.Value.Text))
	}
	for i := range f.Filters {
		clauses = append(clauses, "("+filterText(&f.Filters[i])+")")
	}
	return strings.Join(clauses, " "+string(f.Conjunction)+" ")
}

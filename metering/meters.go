package metering

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// CreateMeter defines a meter.
func (s *Session) CreateMeter(ctx context.Context, r v1.CreateMeter, opts ...v1.Option) (v1.Meter, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, r, func(defs *catalog.Definitions) (store.Definition, v1.Meter, error) {
		m, err := ReadMeter(&r, defs)
		if err != nil {
			return store.Definition{}, v1.Meter{}, err
		}
		now := s.core.Clock.Now()
		m.ID, m.App, m.CreatedAt, m.UpdatedAt = id.New(id.PrefixMeter), s.caller.App, now, now
		return s.store(defs, m)
	})
}

// ReadMeter reads a meter as a caller describes it, and checks it; credits must resolve in defs.
func ReadMeter(r *v1.CreateMeter, defs *catalog.Definitions) (*catalog.Meter, error) {
	m := &catalog.Meter{
		Name: strings.TrimSpace(r.Name), Description: r.Description, Event: r.EventName, Filter: (*catalog.Filter)(r.Filter), Unit: r.MeasurementUnit,
		Aggregation: catalog.Aggregation{Kind: catalog.AggregationKind(r.Aggregation.Type), Key: r.Aggregation.Key},
	}
	return m, readLinks(m, r.Links, defs)
}

// readLinks gives a meter its links, and checks it whole.
func readLinks(m *catalog.Meter, links []v1.MeterLink, defs *catalog.Definitions) error {
	m.Links = make([]catalog.MeterLink, len(links))
	for i := range links {
		link, err := linkIn(defs, &links[i])
		if err != nil {
			e := fault.As(err)
			return e.In("links." + strconv.Itoa(i) + "." + e.Field)
		}
		m.Links[i] = link
	}
	return m.Validate(defs)
}

// UpdateMeter changes a meter. What is absent stays; a link's new terms count from the next
// billing period on.
func (s *Session) UpdateMeter(ctx context.Context, meterID string, r v1.UpdateMeter, opts ...v1.Option) (v1.Meter, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, struct {
		ID string
		v1.UpdateMeter
	}{meterID, r}, func(defs *catalog.Definitions) (store.Definition, v1.Meter, error) {
		return s.change(defs, meterID, func(m *catalog.Meter) ([]v1.MeterLink, error) {
			for to, value := range map[*string]*string{&m.Name: r.Name, &m.Description: r.Description, &m.Unit: r.MeasurementUnit} {
				if value != nil {
					*to = *value
				}
			}
			if r.Links != nil {
				return *r.Links, nil
			}
			return linksOut(m), nil
		})
	})
}

// ArchiveMeter ends a meter: it counts no more, and what it counted stays. Archiving again is no
// error.
func (s *Session) ArchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, "archive meter "+meterID, func(defs *catalog.Definitions) (store.Definition, v1.Meter, error) {
		return s.change(defs, meterID, func(m *catalog.Meter) ([]v1.MeterLink, error) {
			if m.ArchivedAt.IsZero() {
				m.ArchivedAt = s.core.Clock.Now()
			}
			return linksOut(m), nil
		})
	})
}

// UnarchiveMeter lets a meter count again, from now on.
func (s *Session) UnarchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, "unarchive meter "+meterID, func(defs *catalog.Definitions) (store.Definition, v1.Meter, error) {
		return s.change(defs, meterID, func(m *catalog.Meter) ([]v1.MeterLink, error) {
			m.ArchivedAt = 0
			return linksOut(m), nil
		})
	})
}

func (s *Session) change(defs *catalog.Definitions, meterID string, change func(*catalog.Meter) ([]v1.MeterLink, error)) (store.Definition, v1.Meter, error) {
	have, ok := defs.Meter(meterID)
	if !ok {
		return store.Definition{}, v1.Meter{}, errNoMeter(meterID)
	}
	m := *have
	links, err := change(&m)
	if err != nil {
		return store.Definition{}, v1.Meter{}, err
	}
	m.UpdatedAt = s.core.Clock.Now()
	if err := readLinks(&m, links, defs); err != nil {
		return store.Definition{}, v1.Meter{}, err
	}
	return s.store(defs, &m)
}

// store checks that the meter's name is free among those in use.
func (s *Session) store(defs *catalog.Definitions, m *catalog.Meter) (store.Definition, v1.Meter, error) {
	for _, other := range defs.Meters {
		if other.ID != m.ID && other.ArchivedAt.IsZero() && m.ArchivedAt.IsZero() && strings.EqualFold(other.Name, m.Name) {
			return store.Definition{}, v1.Meter{}, fault.New("metering.store", fault.CodeNameTaken, "there is a meter named %q already in this app", clip(m.Name)).In("name")
		}
	}
	return store.Definition{Meters: []*catalog.Meter{m}}, meterOut(m), nil
}

func linkIn(defs *catalog.Definitions, r *v1.MeterLink) (catalog.MeterLink, error) {
	const op = "metering.linkIn"
	var out catalog.MeterLink
	def, ok := defs.Credit(r.CreditID)
	if !ok {
		return out, fault.New(op, fault.CodeCreditNotFound, "there is no credit %q in this app", clip(r.CreditID)).In("credit_id")
	}
	out.Credit, out.UnitsPerCredit = def.ID, money.Ratio{Num: 1, Den: 1}
	if r.UnitsPerCredit != "" {
		ratio, err := money.ParseRatio(string(r.UnitsPerCredit))
		if err != nil || ratio.Num <= 0 {
			return out, fault.New(op, fault.CodeInvalidAmount, "units_per_credit must be a positive decimal").In("units_per_credit").Because(err)
		}
		out.UnitsPerCredit = ratio
	}
	if r.FreeThreshold != "" {
		micros, err := r.FreeThreshold.Units(wallet.QuantityDecimals)
		if err != nil || micros < 0 {
			return out, fault.New(op, fault.CodeInvalidAmount, "free_threshold must be a decimal that is not negative, of at most %d decimals", wallet.QuantityDecimals).In("free_threshold").Because(err)
		}
		out.FreeThreshold = micros
	}
	return out, nil
}

func meterOut(m *catalog.Meter) v1.Meter {
	return v1.Meter{
		ID: m.ID, Name: m.Name, Description: m.Description, EventName: m.Event, Filter: (*v1.Filter)(m.Filter),
		Aggregation:     v1.Aggregation{Type: string(m.Aggregation.Kind), Key: m.Aggregation.Key},
		MeasurementUnit: m.Unit, Links: linksOut(m), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, ArchivedAt: m.ArchivedAt,
	}
}

func linksOut(m *catalog.Meter) []v1.MeterLink {
	out := make([]v1.MeterLink, len(m.Links))
	for i, l := range m.Links {
		out[i] = v1.MeterLink{
			CreditID: l.Credit, UnitsPerCredit: money.Decimal(l.UnitsPerCredit.String()),
			FreeThreshold: wording.Amount(l.FreeThreshold, wallet.QuantityDecimals),
		}
	}
	return out
}

// GetMeter reads a meter by id or name.
func (s *Session) GetMeter(ctx context.Context, meterID string) (v1.Meter, error) {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return v1.Meter{}, err
	}
	m, ok := defs.Meter(meterID)
	if !ok {
		return v1.Meter{}, errNoMeter(meterID)
	}
	return meterOut(m), nil
}

// ListMeters lists the meters that are in use, or those that are archived, in order of creation.
func (s *Session) ListMeters(ctx context.Context, q v1.MeterQuery) (v1.Page[v1.Meter], error) {
	page := v1.Page[v1.Meter]{Data: []v1.Meter{}}
	if q.Archived != "" && q.Archived != "true" && q.Archived != "false" {
		return page, fault.New("metering.ListMeters", fault.CodeInvalidRequest, "archived must be true or false").In("archived")
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	for _, m := range defs.Meters {
		if m.ArchivedAt.IsZero() == (q.Archived != "true") {
			page.Data = append(page.Data, meterOut(m))
		}
	}
	slices.SortFunc(page.Data, func(a, b v1.Meter) int { return strings.Compare(a.ID, b.ID) })
	return page, nil
}

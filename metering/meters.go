package metering

import (
	"context"
	"iter"
	"maps"
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

// meters is how meters are kept.
func (s *Session) meters() caller.Kind[catalog.Meter, v1.Meter] {
	return caller.Kind[catalog.Meter, v1.Meter]{
		Author: s.author(), Name: "meter",
		All:   func(defs *catalog.Definitions) iter.Seq[*catalog.Meter] { return maps.Values(defs.Meters) },
		Find:  findMeter,
		Head:  (*catalog.Meter).Head,
		Store: func(m *catalog.Meter) store.Definition { return store.Definition{Meters: []*catalog.Meter{m}} },
		Out:   func(m *catalog.Meter, _ *catalog.Definitions) v1.Meter { return meterOut(m) },
	}
}

var (
	findMeter  = caller.Finder(fault.CodeMeterNotFound, "meter", (*catalog.Definitions).Meter)
	findCredit = caller.Finder(fault.CodeCreditNotFound, "credit", (*catalog.Definitions).Credit)
)

// CreateMeter defines a meter.
func (s *Session) CreateMeter(ctx context.Context, r v1.CreateMeter, opts ...v1.Option) (v1.Meter, error) {
	meters := s.meters()
	return meters.Create(ctx, r, opts, func(defs *catalog.Definitions) (*catalog.Meter, error) {
		m, err := ReadMeter(&r, defs)
		if err != nil {
			return nil, err
		}
		m.ID = id.New(id.PrefixMeter)
		return m, meters.FreeName(m, defs)
	})
}

// UpdateMeter changes a meter. What is absent stays; a link's new terms count from the next
// billing period on.
func (s *Session) UpdateMeter(ctx context.Context, meterID string, r v1.UpdateMeter, opts ...v1.Option) (v1.Meter, error) {
	meters, request := s.meters(), struct {
		ID string
		v1.UpdateMeter
	}{meterID, r}
	return meters.Change(ctx, meterID, request, opts, func(m *catalog.Meter, defs *catalog.Definitions) error {
		v1.Set(&m.Name, r.Name)
		v1.Set(&m.Description, r.Description)
		v1.Set(&m.Unit, r.MeasurementUnit)
		links := linksOut(m)
		v1.Set(&links, r.Links)
		if err := readLinks(m, links, defs); err != nil || !m.ArchivedAt.IsZero() {
			return err
		}
		return meters.FreeName(m, defs)
	})
}

// ArchiveMeter ends a meter: it counts no more, and what it counted stays. Archiving again is no
// error.
func (s *Session) ArchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return s.meters().Archive(ctx, meterID, opts)
}

// UnarchiveMeter lets a meter count again, from now on, unless its name was taken meanwhile.
func (s *Session) UnarchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return s.meters().Unarchive(ctx, meterID, opts)
}

// GetMeter reads a meter by id or name.
func (s *Session) GetMeter(ctx context.Context, meterID string) (v1.Meter, error) {
	return s.meters().Get(ctx, meterID)
}

// ListMeters lists the meters that are in use, or those that are archived, in order of creation.
func (s *Session) ListMeters(ctx context.Context, q v1.MeterQuery) (v1.Page[v1.Meter], error) {
	if q.Archived != "" && q.Archived != "true" && q.Archived != "false" {
		return v1.Page[v1.Meter]{Data: []v1.Meter{}}, fault.New("metering.ListMeters", fault.CodeInvalidRequest, "archived must be true or false").In("archived")
	}
	return s.meters().List(ctx, func(m catalog.Head) bool { return m.InUse() == (q.Archived != "true") })
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

func linkIn(defs *catalog.Definitions, r *v1.MeterLink) (catalog.MeterLink, error) {
	const op = "metering.linkIn"
	var out catalog.MeterLink
	def, err := findCredit(defs, r.CreditID)
	if err != nil {
		return out, err
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

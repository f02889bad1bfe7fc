package dodo

import (
	"net/http"
	"slices"

	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// meterRoutes are what counts usage (dodo.md section 8).
var meterRoutes = []route{
	{http.MethodPost, "/meters", http.StatusCreated, (*call).createMeter},
	{http.MethodGet, "/meters", http.StatusOK, (*call).listMeters},
	{http.MethodGet, "/meters/{meter}", http.StatusOK, (*call).getMeter},
	{http.MethodDelete, "/meters/{meter}", http.StatusNoContent, (*call).archiveMeter},
	{http.MethodPost, "/meters/{meter}/unarchive", http.StatusOK, (*call).unarchiveMeter},
}

// meter is what counts usage.
type meter struct {
	ID              string         `json:"id"`
	BusinessID      string         `json:"business_id"`
	Name            string         `json:"name"`
	Description     *string        `json:"description"`
	EventName       string         `json:"event_name"`
	Aggregation     v1.Aggregation `json:"aggregation"`
	MeasurementUnit string         `json:"measurement_unit"`
	Filter          *v1.Filter     `json:"filter"`
	CreatedAt       clock.Instant  `json:"created_at"`
	UpdatedAt       clock.Instant  `json:"updated_at"`
}

func (c *call) meter(m *v1.Meter) meter {
	return meter{
		ID: m.ID, BusinessID: c.app, Name: m.Name, Description: unlessZero(m.Description), EventName: m.EventName,
		Aggregation: m.Aggregation, MeasurementUnit: m.MeasurementUnit, Filter: m.Filter, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}

// meterBody is what creating a meter takes. The kind unique_count is in the vendor's texts and not
// in its API; here it works.
type meterBody struct {
	Name            optional[string]         `json:"name"`
	Description     optional[string]         `json:"description"`
	EventName       optional[string]         `json:"event_name"`
	Aggregation     optional[v1.Aggregation] `json:"aggregation"`
	MeasurementUnit optional[string]         `json:"measurement_unit"`
	Filter          optional[v1.Filter]      `json:"filter"`
}

func (c *call) createMeter() (any, error) {
	var body meterBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.Name.has() || !body.EventName.has() || !body.Aggregation.has() || !body.MeasurementUnit.has() {
		return nil, invalidBody("name, event_name, aggregation and measurement_unit are required")
	}
	made, err := c.CreateMeter(c, v1.CreateMeter{
		Name: body.Name.value, Description: body.Description.value, EventName: body.EventName.value,
		Aggregation: body.Aggregation.value, MeasurementUnit: body.MeasurementUnit.value, Filter: body.Filter.pointer(),
	})
	if err != nil {
		return nil, named(err, "METER_NAME_ALREADY_EXISTS")
	}
	return c.meter(&made), nil
}

// foundMeter finds a meter by its id, archived or not: what it counted stays readable.
func (c *call) foundMeter() (v1.Meter, error) {
	id := c.path("meter")
	m, err := c.GetMeter(c, id)
	if err == nil && m.ID != id {
		return m, notFound("there is no such meter")
	}
	return m, err
}

func (c *call) getMeter() (any, error) {
	m, err := c.foundMeter()
	if err != nil {
		return nil, err
	}
	return c.meter(&m), nil
}

func (c *call) listMeters() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	archived, err := c.flag("archived")
	if err != nil {
		return nil, err
	}
	var q v1.MeterQuery
	if archived != nil && *archived {
		q.Archived = "true"
	}
	page, err := c.ListMeters(c, q)
	if err != nil {
		return nil, err
	}
	slices.Reverse(page.Data) // newest first
	return each(cut(page.Data, w), c.meter), nil
}

func (c *call) archiveMeter() (any, error) {
	m, err := c.foundMeter()
	if err != nil {
		return nil, err
	}
	if !m.ArchivedAt.IsZero() {
		return nil, &refusal{http.StatusGone, "METER_IS_DELETED", "the meter is archived already"}
	}
	_, err = c.ArchiveMeter(c, m.ID)
	return nil, err
}

func (c *call) unarchiveMeter() (any, error) {
	m, err := c.foundMeter()
	if err != nil {
		return nil, err
	}
	_, err = c.UnarchiveMeter(c, m.ID)
	return nil, named(err, "METER_NAME_ALREADY_EXISTS")
}

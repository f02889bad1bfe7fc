package catalog

import (
	"sync"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// IntervalUnit is a calendar unit.
type IntervalUnit string

// The calendar units.
const (
	Day   IntervalUnit = "day"
	Week  IntervalUnit = "week"
	Month IntervalUnit = "month"
	Year  IntervalUnit = "year"
)

// Interval is a length in calendar units, such as 3 months.
type Interval struct {
	Count int          `json:"count"`
	Unit  IntervalUnit `json:"unit"`
}

// MaxIntervalCount bounds an interval.
const MaxIntervalCount = 1000

// Valid reports whether the interval is positive, bounded and of a known unit.
func (v Interval) Valid() bool {
	if v.Count < 1 || v.Count > MaxIntervalCount {
		return false
	}
	return v.Unit == Day || v.Unit == Week || v.Unit == Month || v.Unit == Year
}

// After returns the instant one interval after start in UTC; a day that the target month
// lacks is clamped to the month's last (31 January + 1 month = 28 February).
func (v Interval) After(start clock.Instant) clock.Instant {
	return clock.At(addUnits(start.Time(), v.Unit, v.Count))
}

// addUnits counts on a calendar without changes of the clock: t is in UTC.
func addUnits(t time.Time, unit IntervalUnit, n int) time.Time {
	switch unit {
	case Day:
		return t.AddDate(0, 0, n)
	case Week:
		return t.AddDate(0, 0, 7*n)
	case Month:
		return addMonths(t, n)
	default:
		return addMonths(t, 12*n)
	}
}

// addMonths keeps the day of the month where it exists and clamps it where it does not.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	day := min(t.Day(), daysIn(first.Year(), first.Month()))
	return time.Date(first.Year(), first.Month(), day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// PeriodKind is how often an allowance starts anew.
type PeriodKind string

// The kinds of period.
const (
	Daily    PeriodKind = "daily"
	Weekly   PeriodKind = "weekly"
	Monthly  PeriodKind = "monthly"
	Yearly   PeriodKind = "yearly"
	Lifetime PeriodKind = "lifetime"
)

// Anchor is what a period is counted from.
type Anchor string

// The anchors of a period.
const (
	AnchorCalendar Anchor = "calendar" // midnight, Monday, the 1st, 1 January
	AnchorStart    Anchor = "start"    // the subscription's start
)

// Period says when an allowance's window begins and ends
// (vevee-golivekit-stripe.md section 1.2).
type Period struct {
	Kind   PeriodKind `json:"kind"`
	Anchor Anchor     `json:"anchor"`
	Zone   string     `json:"zone,omitempty"` // IANA name; empty is UTC
}

// Validate checks the vocabulary and that the zone is known.
func (p Period) Validate() error {
	const op = "catalog.Period.Validate"
	switch p.Kind {
	case Daily, Weekly, Monthly, Yearly, Lifetime:
	default:
		return fault.New(op, fault.CodeInvalidRequest, "period must be daily, weekly, monthly, yearly or lifetime").In("period")
	}
	if p.Anchor != AnchorCalendar && p.Anchor != AnchorStart {
		return fault.New(op, fault.CodeInvalidRequest, "anchor must be calendar or start").In("anchor")
	}
	return CheckZone(p.Zone, "zone")
}

// Window returns the half-open window [start, end) that holds at, counted from the
// subscription's start. A lifetime window ends never (zero).
func (p Period) Window(started, at clock.Instant) (start, end clock.Instant) {
	if p.Kind == Lifetime {
		return started, 0
	}
	loc := zone(p.Zone)
	base := wall(started.Time().In(loc))
	if p.Anchor == AnchorCalendar {
		base = p.calendarBase(base)
		started = clock.At(onWall(base, loc))
	}
	return windowOn(started, base, p.every(), loc, at)
}

// every is the length of one period; not of a lifetime.
func (p Period) every() Interval {
	switch p.Kind {
	case Daily:
		return Interval{Count: 1, Unit: Day}
	case Weekly:
		return Interval{Count: 1, Unit: Week}
	case Monthly:
		return Interval{Count: 1, Unit: Month}
	default:
		return Interval{Count: 1, Unit: Year}
	}
}

// Window returns the half-open window [start, end) that holds at, when one interval follows
// another before and after an anchor. Days that a month lacks are clamped to its last, and the
// anchor's day is not lost: 31 January, 28 February, 31 March. The zone is an IANA name; empty
// is UTC.
func (v Interval) Window(anchor clock.Instant, zoneName string, at clock.Instant) (start, end clock.Instant) {
	loc := zone(zoneName)
	return windowOn(anchor, wall(anchor.Time().In(loc)), v, loc, at)
}

// zones are the time zones that were read: reading one takes longer than counting in it.
var zones sync.Map

// zone is a time zone by name. Validation refused unknown ones; one that vanished from the system
// since reads as UTC.
func zone(name string) *time.Location {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, loc)
	return loc
}

// windowOn counts windows on the wall's clock, and only their boundaries are looked up in the
// zone: counted from a boundary that fell into a change of the clocks, all others would move. The
// anchor, at which the wall shows base, is a boundary itself, also where it is the second time that the
// wall shows it.
func windowOn(anchor clock.Instant, base time.Time, every Interval, loc *time.Location, at clock.Instant) (start, end clock.Instant) {
	boundary := func(n int) clock.Instant {
		if n == 0 {
			return anchor
		}
		return clock.At(onWall(addUnits(base, every.Unit, n*every.Count), loc))
	}
	guess := every.guess(base, wall(at.Time().In(loc)))
	start, end = boundary(guess), boundary(guess+1)
	for start > at {
		guess--
		start, end = boundary(guess), start
	}
	for end <= at {
		guess++
		start, end = end, boundary(guess+1)
	}
	return start, end
}

// wall is what a clock on the wall shows at t, as a time in UTC.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// onWall is when a clock on the wall of a zone first shows a time. Where it never does, because the
// clocks go forward over it, it is as long after the change as it would have been.
func onWall(shown time.Time, loc *time.Location) time.Time {
	t := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), shown.Nanosecond(), loc)
	if skipped := shown.Sub(wall(t)); skipped != 0 {
		return t.Add(max(0, skipped))
	}
	// Where the clocks went back over it, time.Date gives one of the two times, whichever.
	change, _ := t.ZoneBounds()
	if change.IsZero() {
		return t
	}
	_, before := change.Add(-1).Zone()
	_, after := t.Zone()
	if first := t.Add(time.Duration(after-before) * time.Second); first.Before(change) && before > after {
		return first
	}
	return t
}

// calendarBase is the calendar boundary at or before t.
func (p Period) calendarBase(t time.Time) time.Time {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	switch p.Kind {
	case Weekly:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case Monthly:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
	case Yearly:
		return time.Date(t.Year(), time.January, 1, 0, 0, 0, 0, t.Location())
	}
	return day
}

// guess estimates how many intervals lie between, to be corrected by the caller: the calendar is
// never counted through one interval at a time.
func (v Interval) guess(base, at time.Time) int {
	days := int(at.Sub(base) / (24 * time.Hour))
	months := (at.Year()-base.Year())*12 + int(at.Month()-base.Month())
	switch v.Unit {
	case Day:
		return days / v.Count
	case Week:
		return days / 7 / v.Count
	case Month:
		return months / v.Count
	default:
		return months / 12 / v.Count
	}
}

// CheckZone refuses a time zone that is not known by an IANA name. "Local" would be the zone of
// whichever machine asks.
func CheckZone(name, field string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return fault.New("catalog.CheckZone", fault.CodeInvalidRequest, "time zone %q is unknown: use an IANA name such as Europe/Zurich", clip(name)).In(field)
	}
	return nil
}

package catalog_test

import (
	"archive/zip"
	"fmt"
	"go/build"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/testenv"
)

// The forty years of the calendar, of which firstDay is a Monday.
const (
	firstYear = 1990
	lastYear  = 2029
	firstDay  = 7305 // 1 January 1990, in days since 1 January 1970
	second    = 1_000_000
	daySecs   = 86_400
)

// date is a day of the civil calendar. They are made one after the other, by the rules that are taught
// at school, and know nothing of instants.
type date struct {
	n                int64 // days since 1 January 1970
	year, month, day int
	last             int // the last day of its month
	weekday          int // 0 is Monday
}

func civil() []date {
	var days []date
	n, weekday := int64(firstDay), 0
	for year := firstYear; year <= lastYear; year++ {
		february := 28
		if year%4 == 0 && year%100 != 0 || year%400 == 0 {
			february = 29
		}
		for month, last := range []int{31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
			for day := 1; day <= last; day++ {
				days = append(days, date{n, year, month + 1, day, last, weekday})
				n, weekday = n+1, (weekday+1)%7
			}
		}
	}
	return days
}

// span is a stretch of time in which a zone has one distance from UTC, in seconds.
type span struct{ from, to, offset int64 }

// spansOf asks a zone for its distance from UTC twice a day, and between two answers that differ until
// the second of the change is found.
func spansOf(loc *time.Location) []span {
	offset := func(at int64) int64 {
		_, o := time.Unix(at, 0).In(loc).Zone()
		return int64(o)
	}
	from := int64(firstDay-400) * daySecs
	to := from + (lastYear-firstYear+4)*366*daySecs
	spans := []span{{from, to, offset(from)}}
	for at := from; at < to; at += daySecs / 2 {
		now := &spans[len(spans)-1]
		if offset(at+daySecs/2) == now.offset {
			continue
		}
		before, after := at, at+daySecs/2
		for after-before > 1 {
			if middle := (before + after) / 2; offset(middle) == now.offset {
				before = middle
			} else {
				after = middle
			}
		}
		now.to = after
		spans = append(spans, span{after, to, offset(after)})
	}
	return spans
}

// when is the first second at which a zone's clocks show a day and a second of it; where they never do,
// the second at which they would have, had they not been changed.
func when(spans []span, day, secs int64) int64 {
	shown := day*daySecs + secs
	for i, s := range spans {
		at := shown - s.offset
		if s.from <= at && at < s.to {
			return at
		}
		if i+1 < len(spans) && at >= s.to && shown-spans[i+1].offset < spans[i+1].from {
			return at
		}
	}
	panic("the calendar is too short")
}

// cursor finds spans for days that come one after the other.
type cursor struct{ spans []span }

func (c *cursor) when(day, secs int64) int64 {
	for len(c.spans) > 2 && c.spans[0].to < (day-3)*daySecs {
		c.spans = c.spans[1:]
	}
	return when(c.spans, day, secs)
}

// rule says which days begin a window, and at which second of the day.
type rule struct {
	name   string
	begins func(d *date) bool
	secs   int64
	micros int64
	anchor clock.Instant // zero where the calendar itself is the anchor
	ask    func(at clock.Instant) (start, end clock.Instant)
}

// check holds a rule against the code, for every window of the forty years: at its first microsecond, at
// its last, and at changes of the clocks. It returns how many windows there were.
func (r *rule) check(days []date, spans []span) (windows int, err error) {
	c := cursor{spans}
	var start clock.Instant
	for i := range days {
		if !r.begins(&days[i]) {
			continue
		}
		end := clock.Instant(c.when(days[i].n, r.secs)*second + r.micros)
		if r.anchor != 0 && r.anchor-2*daySecs*second < end && end < r.anchor && shows(spans, end) == shows(spans, r.anchor) {
			end = r.anchor
		}
		if start != 0 && start < end {
			windows++
			probes := []clock.Instant{start, end - 1}
			for _, s := range c.spans {
				if change := clock.Instant(s.from * second); start < change && change < end {
					probes = append(probes, change)
				}
			}
			for _, at := range probes {
				if s, e := r.ask(at); s != start || e != end {
					return windows, fmt.Errorf("%s: at %v the window is %v to %v, want %v to %v", r.name, at, s, e, start, end)
				}
			}
		}
		start = end
	}
	return windows, nil
}

// shows is what a zone's clocks show, in microseconds.
func shows(spans []span, at clock.Instant) int64 {
	for _, s := range spans {
		if int64(at) >= s.from*second && int64(at) < s.to*second {
			return int64(at) + s.offset*second
		}
	}
	panic("the calendar is too short")
}

// anchored is a rule that counts from an anchor, which is the instant at which clocks show a day and a
// second of it: the second time, where they show it twice.
func anchored(zone string, v catalog.Interval, from *date, spans []span, secs, micros int64) rule {
	anchor := clock.Instant(when(spans, from.n, secs)*second + micros)
	// Where the clocks never showed it, the anchor is what they showed instead.
	shown := shows(spans, anchor)
	for _, s := range spans {
		if at := clock.Instant(shown - s.offset*second); int64(at) >= s.from*second && int64(at) < s.to*second {
			anchor = max(anchor, at)
		}
	}
	r := rule{
		name: fmt.Sprintf("%s, every %d %s from %v", zone, v.Count, v.Unit, anchor),
		secs: shown / second % daySecs, micros: micros, anchor: anchor,
		ask: func(at clock.Instant) (start, end clock.Instant) { return v.Window(anchor, zone, at) },
	}
	day, month := from.day, from.year*12+from.month
	apart := shown/second/daySecs - from.n // a day that was skipped as a whole
	switch v.Unit {
	case catalog.Day, catalog.Week:
		every := int64(v.Count)
		if v.Unit == catalog.Week {
			every *= 7
		}
		r.begins = func(d *date) bool { return (d.n-from.n-apart)%every == 0 }
	default:
		every := v.Count
		if v.Unit == catalog.Year {
			every *= 12
		}
		r.begins = func(d *date) bool {
			return (d.year*12+d.month-month)%every == 0 && d.day == min(day+int(apart), d.last)
		}
	}
	return r
}

// onCalendar is a rule of the calendar itself.
func onCalendar(zone string, kind catalog.PeriodKind, begun clock.Instant) rule {
	p := catalog.Period{Kind: kind, Anchor: catalog.AnchorCalendar, Zone: zone}
	r := rule{
		name: fmt.Sprintf("%s, %s on the calendar", zone, kind),
		ask:  func(at clock.Instant) (start, end clock.Instant) { return p.Window(begun, at) },
	}
	switch kind {
	case catalog.Daily:
		r.begins = func(*date) bool { return true }
	case catalog.Weekly:
		r.begins = func(d *date) bool { return d.weekday == 0 }
	case catalog.Monthly:
		r.begins = func(d *date) bool { return d.day == 1 }
	default:
		r.begins = func(d *date) bool { return d.day == 1 && d.month == 1 }
	}
	return r
}

// zoneNames lists every IANA zone that Go knows.
func zoneNames(t *testing.T) []string {
	path := filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip")
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatalf("Go's own list of time zones is missing: %v", err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	if len(names) < 500 {
		t.Fatalf("%s has %d zones only", path, len(names))
	}
	slices.Sort(names)
	return names
}

// oddTime is a second of the day that the clocks of a zone skip or show twice, at one of their changes;
// any at all where they are never changed.
func oddTime(random *rand.Rand, spans []span) int64 {
	if len(spans) == 1 {
		return random.Int64N(daySecs)
	}
	i := 1 + random.IntN(len(spans)-1)
	low, high := spans[i-1].offset, spans[i].offset
	if low > high {
		low, high = high, low
	}
	return (spans[i].from + low + random.Int64N(high-low+1)) % daySecs
}

// rulesOf are the rules that a zone is held against. Where another zone has the same history, only those
// with few windows.
func rulesOf(random *rand.Rand, zone string, days []date, spans []span, again bool) []rule {
	begun := clock.Instant(days[random.IntN(len(days))].n * daySecs * second)
	var rules []rule
	pick := func(fits func(d *date) bool) *date {
		for {
			if d := &days[random.IntN(len(days))]; fits(d) {
				return d
			}
		}
	}
	add := func(count int, unit catalog.IntervalUnit, fits func(d *date) bool) {
		v := catalog.Interval{Count: count, Unit: unit}
		rules = append(rules, anchored(zone, v, pick(fits), spans, oddTime(random, spans), random.Int64N(second)))
	}
	anyDay := func(*date) bool { return true }
	leap := func(d *date) bool { return d.month == 2 && d.day == 29 }
	for day := 28; day <= 31; day++ {
		add(1, catalog.Month, func(d *date) bool { return d.day == day })
		add(1+random.IntN(18), catalog.Month, func(d *date) bool { return d.day == day })
	}
	add(1, catalog.Month, anyDay)
	add(1, catalog.Year, anyDay)
	add(1, catalog.Year, leap)
	add(1+random.IntN(4), catalog.Year, leap)
	rules = append(rules, onCalendar(zone, catalog.Monthly, begun), onCalendar(zone, catalog.Yearly, begun))
	if again {
		return rules
	}
	add(1, catalog.Day, anyDay)
	add(2+random.IntN(40), catalog.Day, anyDay)
	add(1, catalog.Week, anyDay)
	add(2+random.IntN(6), catalog.Week, anyDay)
	return append(rules, onCalendar(zone, catalog.Daily, begun), onCalendar(zone, catalog.Weekly, begun))
}

// TestCalendar holds every window of forty years, in every time zone, against the rules of the calendar
// as a reader would apply them with a wall calendar and a list of the changes of the clocks.
func TestCalendar(t *testing.T) {
	seed := testenv.Seed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	days, names := civil(), zoneNames(t)
	if n := testenv.Ops(t, usualZones); n < len(names) {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = names[:n]
	}
	seen, windows := map[string]bool{}, 0
	for _, zone := range names {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		spans := spansOf(loc)
		history := fmt.Sprint(spans)
		for _, r := range rulesOf(random, zone, days, spans, seen[history]) {
			n, err := r.check(days, spans)
			if windows += n; err != nil {
				t.Errorf("%v (%s=%d)", err, testenv.SeedVariable, seed)
			}
		}
		seen[history] = true
	}
	t.Logf("%d windows in %d zones of %d histories (%s=%d)", windows, len(names), len(seen), testenv.SeedVariable, seed)
}

// TestMonthsOfAYear: a yearly plan that grants each month begins every year with a month, and has twelve.
func TestMonthsOfAYear(t *testing.T) {
	seed := testenv.Seed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	days := civil()
	yearly, monthly := catalog.Interval{Count: 1, Unit: catalog.Year}, catalog.Interval{Count: 1, Unit: catalog.Month}
	for _, zone := range []string{"UTC", "Europe/Zurich", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		spans := spansOf(loc)
		for i := range days {
			if days[i].day < 28 {
				continue
			}
			anchor := clock.Instant(when(spans, days[i].n, oddTime(random, spans)) * second)
			for start, year := anchor, 0; year < 8; year++ {
				from, to := yearly.Window(anchor, zone, start)
				months, end := 0, from
				for ; end < to; months++ {
					begun, next := monthly.Window(anchor, zone, end)
					if begun != end {
						t.Fatalf("%s from %v: a month begins at %v, not at %v (%s=%d)", zone, anchor, begun, end, testenv.SeedVariable, seed)
					}
					end = next
				}
				if from != start || end != to || months != 12 {
					t.Fatalf("%s from %v: the year from %v to %v has %d months, until %v (%s=%d)", zone, anchor, from, to, months, end, testenv.SeedVariable, seed)
				}
				start = to
			}
		}
	}
}

package catalog

import (
	"testing"

	"github.com/seed42445051/scrip/clock"
)

func at(t *testing.T, text string) clock.Instant {
	t.Helper()
	i, err := clock.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestWindow: the window that holds an instant, counted from the subscription's start. Every
// window is half open, so the instant at which one ends is in the next.
func TestWindow(t *testing.T) {
	const calendar, anchored = AnchorCalendar, AnchorStart
	for _, c := range []struct {
		name       string
		period     Period
		started    string
		at         string
		start, end string
	}{
		{"daily, calendar", Period{Daily, calendar, ""}, "2026-01-31T15:30:00Z", "2026-03-05T09:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"},
		{"daily, calendar, at midnight", Period{Daily, calendar, ""}, "2026-01-31T15:30:00Z", "2026-03-06T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z"},
		{"daily, calendar, just before midnight", Period{Daily, calendar, ""}, "2026-01-31T15:30:00Z", "2026-03-05T23:59:59.999999Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"},
		{"daily, start", Period{Daily, anchored, ""}, "2026-01-31T15:30:00Z", "2026-03-05T09:00:00Z", "2026-03-04T15:30:00Z", "2026-03-05T15:30:00Z"},
		{"daily, start, before it", Period{Daily, anchored, ""}, "2026-01-31T15:30:00Z", "2026-01-31T15:29:59Z", "2026-01-30T15:30:00Z", "2026-01-31T15:30:00Z"},

		{"weekly, calendar: Monday", Period{Weekly, calendar, ""}, "2026-01-01T10:00:00Z", "2026-03-08T23:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"},
		{"weekly, calendar, on a Monday", Period{Weekly, calendar, ""}, "2026-01-01T10:00:00Z", "2026-03-09T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z"},
		{"weekly, calendar, begun on a Sunday", Period{Weekly, calendar, ""}, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"weekly, start", Period{Weekly, anchored, ""}, "2026-01-01T10:00:00Z", "2026-01-15T09:59:59Z", "2026-01-08T10:00:00Z", "2026-01-15T10:00:00Z"},

		{"monthly, calendar", Period{Monthly, calendar, ""}, "2026-01-31T15:30:00Z", "2026-02-28T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"monthly, calendar, leap year", Period{Monthly, calendar, ""}, "2026-01-31T15:30:00Z", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"monthly, anchor 31 in February", Period{Monthly, anchored, ""}, "2026-01-31T15:30:00Z", "2026-02-28T15:29:59Z", "2026-01-31T15:30:00Z", "2026-02-28T15:30:00Z"},
		{"monthly, anchor 31 is not lost", Period{Monthly, anchored, ""}, "2026-01-31T15:30:00Z", "2026-02-28T15:30:00Z", "2026-02-28T15:30:00Z", "2026-03-31T15:30:00Z"},
		{"monthly, anchor 31 in April", Period{Monthly, anchored, ""}, "2026-01-31T15:30:00Z", "2026-05-01T00:00:00Z", "2026-04-30T15:30:00Z", "2026-05-31T15:30:00Z"},
		{"monthly, anchor 31 in a leap year", Period{Monthly, anchored, ""}, "2027-12-31T00:00:00Z", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"},
		{"monthly, anchor 29 in February", Period{Monthly, anchored, ""}, "2026-01-29T00:00:00Z", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-29T00:00:00Z"},

		{"yearly, calendar", Period{Yearly, calendar, ""}, "2026-05-05T00:00:00Z", "2028-12-31T23:59:59Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"},
		{"yearly, start", Period{Yearly, anchored, ""}, "2026-05-05T00:00:00Z", "2028-05-04T23:59:59Z", "2027-05-05T00:00:00Z", "2028-05-05T00:00:00Z"},
		{"yearly, from a leap day", Period{Yearly, anchored, ""}, "2028-02-29T12:00:00Z", "2029-03-01T00:00:00Z", "2029-02-28T12:00:00Z", "2030-02-28T12:00:00Z"},
		{"yearly, from a leap day to the next", Period{Yearly, anchored, ""}, "2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z", "2032-02-29T12:00:00Z", "2033-02-28T12:00:00Z"},

		{"lifetime", Period{Lifetime, anchored, ""}, "2026-05-05T00:00:00Z", "2099-01-01T00:00:00Z", "2026-05-05T00:00:00Z", ""},

		// Zurich is at +01:00, and at +02:00 from 29 March to 25 October 2026.
		{"zone, winter", Period{Daily, calendar, "Europe/Zurich"}, "2026-01-01T00:00:00Z", "2026-01-10T22:59:59Z", "2026-01-09T23:00:00Z", "2026-01-10T23:00:00Z"},
		{"zone, summer", Period{Daily, calendar, "Europe/Zurich"}, "2026-01-01T00:00:00Z", "2026-07-10T22:00:00Z", "2026-07-10T22:00:00Z", "2026-07-11T22:00:00Z"},
		{"zone, a day of 23 hours", Period{Daily, calendar, "Europe/Zurich"}, "2026-01-01T00:00:00Z", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"zone, a day of 25 hours", Period{Daily, calendar, "Europe/Zurich"}, "2026-01-01T00:00:00Z", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"zone, the month changes earlier", Period{Monthly, calendar, "Europe/Zurich"}, "2026-01-01T00:00:00Z", "2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z", "2026-07-31T22:00:00Z"},
		{"zone, anchored at an hour of its clock", Period{Monthly, anchored, "Europe/Zurich"}, "2026-01-15T09:00:00Z", "2026-07-15T08:00:00Z", "2026-07-15T08:00:00Z", "2026-08-15T08:00:00Z"},
		{"zone, anchored at an hour that is left out", Period{Daily, anchored, "Europe/Zurich"}, "2026-03-01T01:30:00Z", "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},

		// Cairo's clocks go from 00:00 to 01:00 on 24 April 2026, Santiago's on 6 September: that
		// day has no midnight, and begins where midnight would have been.
		{"no midnight, begun on that day", Period{Daily, calendar, "Africa/Cairo"}, "2026-04-24T10:00:00Z", "2026-04-24T10:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"no midnight, days later", Period{Daily, calendar, "Africa/Cairo"}, "2026-04-24T10:00:00Z", "2026-05-10T10:00:00Z", "2026-05-09T21:00:00Z", "2026-05-10T21:00:00Z"},
		{"no midnight in the west, begun on that day", Period{Daily, calendar, "America/Santiago"}, "2026-09-06T12:00:00Z", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		{"no midnight in the west, the day before", Period{Daily, calendar, "America/Santiago"}, "2026-09-06T12:00:00Z", "2026-09-06T03:59:59Z", "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"},
		{"no midnight in the west, days later", Period{Daily, calendar, "America/Santiago"}, "2026-09-06T12:00:00Z", "2026-09-20T12:00:00Z", "2026-09-20T03:00:00Z", "2026-09-21T03:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.period.Validate(); err != nil {
				t.Fatal(err)
			}
			start, end := c.period.Window(at(t, c.started), at(t, c.at))
			if start.String() != c.start || end.String() != c.end {
				t.Errorf("[%s, %s), want [%s, %s)", start, end, c.start, c.end)
			}
		})
	}
}

// TestWindowsFollowOneAnother: each window begins where the one before ends, in every zone and
// over every change of its clocks, and holds the instants that it was asked for.
func TestWindowsFollowOneAnother(t *testing.T) {
	for _, zone := range []string{"", "Europe/Zurich", "Africa/Cairo", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"} {
		for _, kind := range []PeriodKind{Daily, Weekly, Monthly, Yearly} {
			for _, anchor := range []Anchor{AnchorCalendar, AnchorStart} {
				for _, started := range []string{"2024-02-29T03:30:00Z", "2026-01-31T23:59:59.999999Z", "2026-03-29T01:30:00Z", "2026-04-24T00:30:00Z", "2026-09-06T04:10:00Z"} {
					p := Period{kind, anchor, zone}
					begin := at(t, started)
					_, next := p.Window(begin, begin)
					for range 200 {
						start, end := p.Window(begin, next)
						if start != next || end <= start {
							t.Fatalf("%+v from %s: after the window that ends at %s comes [%s, %s)", p, started, next, start, end)
						}
						if last, _ := p.Window(begin, end-1); last != start {
							t.Fatalf("%+v from %s: the last instant of [%s, %s) is in the window from %s", p, started, start, end, last)
						}
						next = end
					}
				}
			}
		}
	}
}

func TestPeriodValidate(t *testing.T) {
	good := Period{Kind: Daily, Anchor: AnchorStart, Zone: "Asia/Kathmandu"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]Period{
		"no kind":             {Anchor: AnchorStart},
		"unknown kind":        {Kind: "hourly", Anchor: AnchorStart},
		"no anchor":           {Kind: Daily},
		"unknown anchor":      {Kind: Daily, Anchor: "moon"},
		"unknown zone":        {Kind: Daily, Anchor: AnchorStart, Zone: "Mars/Olympus"},
		"the machine's zone":  {Kind: Daily, Anchor: AnchorStart, Zone: "Local"},
		"a path out of zones": {Kind: Daily, Anchor: AnchorStart, Zone: "../../etc/passwd"},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestIntervalAfter: a day that the month lacks becomes its last.
func TestIntervalAfter(t *testing.T) {
	for _, c := range []struct {
		start string
		v     Interval
		want  string
	}{
		{"2026-01-31T10:00:00Z", Interval{1, Day}, "2026-02-01T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Interval{2, Week}, "2026-02-14T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Interval{1, Month}, "2026-02-28T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Interval{2, Month}, "2026-03-31T10:00:00Z"},
		{"2028-01-31T10:00:00Z", Interval{1, Month}, "2028-02-29T10:00:00Z"},
		{"2026-11-30T10:00:00Z", Interval{3, Month}, "2027-02-28T10:00:00Z"},
		{"2028-02-29T10:00:00Z", Interval{1, Year}, "2029-02-28T10:00:00Z"},
		{"2028-02-29T10:00:00Z", Interval{4, Year}, "2032-02-29T10:00:00Z"},
		{"2026-12-31T23:59:59.999999Z", Interval{1, Day}, "2027-01-01T23:59:59.999999Z"},
	} {
		if got := c.v.After(at(t, c.start)); got.String() != c.want {
			t.Errorf("%s + %d %s = %s, want %s", c.start, c.v.Count, c.v.Unit, got, c.want)
		}
	}
	for v, want := range map[Interval]bool{
		{1, Day}: true, {MaxIntervalCount, Year}: true, {0, Day}: false, {-1, Day}: false,
		{MaxIntervalCount + 1, Day}: false, {1, "hour"}: false, {1, ""}: false,
	} {
		if v.Valid() != want {
			t.Errorf("%+v valid: %t", v, v.Valid())
		}
	}
}

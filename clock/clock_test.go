package clock

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/fault"
)

func TestParseAndString(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Instant
		text string
	}{
		{"2026-01-31T09:30:00Z", 1769851800_000000, "2026-01-31T09:30:00Z"},
		{"2026-01-31T11:30:00+02:00", 1769851800_000000, "2026-01-31T09:30:00Z"},
		{"2026-01-31T09:30:00.5Z", 1769851800_500000, "2026-01-31T09:30:00.500000Z"},
		{"2026-01-31T09:30:00.123456Z", 1769851800_123456, "2026-01-31T09:30:00.123456Z"},
		{"2026-01-31T09:30:00.1234569Z", 1769851800_123456, "2026-01-31T09:30:00.123456Z"},
		{"1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"},
		{"1969-12-31T23:59:59Z", -1_000000, "1969-12-31T23:59:59Z"},
		{"2024-02-29T00:00:00-00:00", 1709164800_000000, "2024-02-29T00:00:00Z"},
	} {
		got, err := Parse(tc.in)
		if err != nil || got != tc.want || got.String() != tc.text {
			t.Errorf("Parse(%q) = %d %q, %v; want %d %q", tc.in, got, got, err, tc.want, tc.text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", "now", "2026-01-31", "2026-01-31 09:30:00Z", "2026-01-31T09:30:00", "2026-01-31T9:30:00Z",
		"2026-01-31T09:30:00,5Z", "2026-02-29T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T09:30:60Z",
		"2026-01-31T09:30:00+25:00", "2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+01:60", "2026-01-31T09:30:00z",
		"1769851800", " 2026-01-31T09:30:00Z", "12026-01-31T09:30:00Z",
		// Both of these would silently become "none".
		"1970-01-01T00:00:00Z", "1970-01-01T01:00:00.0000009+01:00", "0001-01-01T00:00:00Z",
	} {
		if got, err := Parse(in); fault.CodeOf(err) != fault.CodeInvalidTime || got != 0 {
			t.Errorf("Parse(%q) = %v, %v; want invalid_time", in, got, err)
		}
	}
}

func TestAtAndTime(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	if got := At(time.Date(2026, 1, 31, 11, 30, 0, 1999, zone)); got != 1769851800_000001 {
		t.Errorf("At truncates to %d", got)
	}
	if !At(time.Time{}).IsZero() || !Instant(0).Time().IsZero() || Instant(0).String() != "" {
		t.Error("none must be the zero time.Time and empty text")
	}
	if tm := Instant(1769851800_000001).Time(); tm.Location() != time.UTC || At(tm) != 1769851800_000001 {
		t.Errorf("Time = %v", tm)
	}
}

func TestTextRoundTrip(t *testing.T) {
	first := At(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	last := At(time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC))
	rapid.Check(t, func(t *rapid.T) {
		i := Instant(rapid.Int64Range(int64(first), int64(last)).Draw(t, "i"))
		if i == At(time.Time{}.Add(time.Microsecond))-1 {
			i = 0 // the zero time.Time, which Parse refuses
		}
		data, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		got := Instant(1)
		if err := json.Unmarshal(data, &got); err != nil || got != i {
			t.Fatalf("%d travels as %s and arrives as %d, %v", i, data, got, err)
		}
		text, err := i.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got = 1
		if err := got.UnmarshalText(text); err != nil || got != i {
			t.Fatalf("%d travels as %s and arrives as %d, %v", i, text, got, err)
		}
	})
}

func TestJSON(t *testing.T) {
	type doc struct {
		A Instant            `json:"a"`
		B Instant            `json:"b,omitzero"`
		M map[Instant]string `json:"m,omitempty"`
	}
	out, err := json.Marshal(doc{M: map[Instant]string{1769851800_000000: "x"}})
	if want := `{"a":null,"m":{"2026-01-31T09:30:00Z":"x"}}`; err != nil || string(out) != want {
		t.Errorf("got %s, %v; want %s", out, err, want)
	}
	d := doc{A: 7}
	if err := json.Unmarshal([]byte(`{"a":null,"b":"2026-01-31T09:30:00Z"}`), &d); err != nil || d.A != 0 || d.B != 1769851800_000000 {
		t.Errorf("got %+v, %v", d, err)
	}
	for _, in := range []string{`1769851800`, `""`, `true`, `{}`, `"tomorrow"`, `"1970-01-01T00:00:00Z"`} {
		var i Instant
		if err := json.Unmarshal([]byte(in), &i); fault.CodeOf(err) != fault.CodeInvalidTime {
			t.Errorf("%s: got %v, want invalid_time", in, err)
		}
	}
}

func TestAddSub(t *testing.T) {
	for _, tc := range []struct {
		i    Instant
		d    time.Duration
		want Instant
	}{
		{100, time.Second, 1_000_100},
		{100, -time.Microsecond, 99},
		{100, 999 * time.Nanosecond, 100},
		{math.MaxInt64, time.Second, math.MaxInt64},
		{math.MinInt64, -time.Second, math.MinInt64},
	} {
		if got := tc.i.Add(tc.d); got != tc.want {
			t.Errorf("%d.Add(%v) = %d, want %d", tc.i, tc.d, got, tc.want)
		}
	}
	for _, tc := range []struct {
		i, j Instant
		want time.Duration
	}{
		{1_000_000, 0, time.Second},
		{0, 1, -time.Microsecond},
		{5, 5, 0},
		{math.MaxInt64, 0, math.MaxInt64},
		{math.MinInt64, 0, math.MinInt64},
		{math.MaxInt64, math.MinInt64, math.MaxInt64},
		{math.MinInt64, math.MaxInt64, math.MinInt64},
		{math.MaxInt64, math.MaxInt64 - 1, time.Microsecond},
	} {
		if got := tc.i.Sub(tc.j); got != tc.want {
			t.Errorf("%d.Sub(%d) = %d, want %d", tc.i, tc.j, got, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123456789+01:00", "1970-01-01T00:00:00Z", "x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := Parse(s)
		if err != nil {
			if fault.CodeOf(err) != fault.CodeInvalidTime || i != 0 {
				t.Fatalf("Parse(%q) = %d, %v", s, i, err)
			}
			return
		}
		if i == 0 {
			t.Fatalf("Parse(%q) is none", s)
		}
		std, err := time.Parse(time.RFC3339, s)
		if err != nil || At(std) != i {
			t.Fatalf("Parse(%q) = %v; package time says %v, %v", s, i, std, err)
		}
	})
}

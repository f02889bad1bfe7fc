// Package clock owns time: the Instant that the rest of Scrip reckons with, and
// the only reading of the machine's clock. Every other package is told what
// time it is.
//
// It does not own calendars: months, billing anchors and time zones belong to
// the packages that bill.
package clock

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/seed42445051/scrip/fault"
)

// Instant is a moment in microseconds since the Unix epoch, UTC. 0 means
// "none": no expiry, not yet ended. The epoch itself can therefore not be
// expressed, and Parse refuses it, so that an expiry in 1970 is never taken for
// no expiry at all.
//
// Microseconds are what PostgreSQL stores; anything finer would change on its
// way through the database.
type Instant int64

// At returns t truncated to microseconds, and none for the zero time.Time.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMicro())
}

// Parse reads an RFC 3339 date and time with any offset; digits beyond
// microseconds are cut off. The error's code is invalid_time.
func Parse(s string) (Instant, error) {
	const op = "clock.Parse"
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strict(s) {
		return 0, fault.New(op, fault.CodeInvalidTime,
			"The time must be in RFC 3339 form, such as 2026-01-31T09:30:00Z.").Because(err)
	}
	i := At(t)
	if i == 0 {
		return 0, fault.New(op, fault.CodeInvalidTime,
			"%s is used by many systems to mean that no time is set; leave the field out instead.", s)
	}
	return i, nil
}

// ParseLoose is Parse for what programs log: a time without a zone reads as UTC.
func ParseLoose(s string) (Instant, error) {
	if t, err := time.Parse("2006-01-02T15:04:05", s); err == nil && !strings.Contains(s, ",") {
		return At(t), nil
	}
	return Parse(s)
}

// strict refuses what time.Parse lets pass although RFC 3339 does not have it:
// hours of one digit, a comma before the fraction, and offsets of a day or more.
// time.Parse must have accepted s.
func strict(s string) bool {
	if s[len("2006-01-02T")+1] == ':' || strings.Contains(s, ",") {
		return false
	}
	if strings.HasSuffix(s, "Z") {
		return true
	}
	offset := s[len(s)-len("hh:mm"):]
	return offset[:2] <= "23" && offset[3:] <= "59"
}

// Time returns i as a time.Time in UTC, and the zero time.Time for none.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

// Add returns the instant d later, or earlier when d is negative. What d holds
// below a microsecond is dropped. A result that int64 cannot hold is clamped.
// None is not special here: check IsZero before reckoning with an optional
// instant.
func (i Instant) Add(d time.Duration) Instant {
	us := Instant(d.Microseconds())
	sum := i + us
	switch {
	case us > 0 && sum < i:
		return math.MaxInt64
	case us < 0 && sum > i:
		return math.MinInt64
	}
	return sum
}

// Sub returns the time from j to i. A result beyond the roughly 292 years of a
// time.Duration is clamped.
func (i Instant) Sub(j Instant) time.Duration {
	const limit = math.MaxInt64 / int64(time.Microsecond)
	diff := int64(i) - int64(j)
	overflow := (i < j) != (diff < 0)
	switch {
	case i > j && (overflow || diff > limit):
		return math.MaxInt64
	case i < j && (overflow || diff < -limit):
		return math.MinInt64
	}
	return time.Duration(diff) * time.Microsecond
}

// IsZero reports whether i is none. It also makes the JSON option omitzero
// leave out instants that are not set.
func (i Instant) IsZero() bool { return i == 0 }

// String returns i in RFC 3339 form, UTC, with six decimals when it has
// microseconds and none otherwise; "" for none.
func (i Instant) String() string {
	return string(i.append(make([]byte, 0, textLen)))
}

// textLen is the length of an instant's text, for years of four digits.
const textLen = len("2006-01-02T15:04:05.000000Z")

// append appends what String returns. Seconds are formatted by the layout that package time
// has a fast path for; the decimals follow by hand.
func (i Instant) append(b []byte) []byte {
	if i == 0 {
		return b
	}
	t := i.Time()
	b = t.AppendFormat(b, time.RFC3339)
	us := t.Nanosecond() / 1000
	if us == 0 {
		return b
	}
	b[len(b)-1] = '.' // the Z comes last
	for unit := 100_000; unit > 0; unit /= 10 {
		b = append(b, byte('0'+us/unit%10))
	}
	return append(b, 'Z')
}

// MarshalText returns what String does. It never fails.
func (i Instant) MarshalText() ([]byte, error) { return i.append(make([]byte, 0, textLen)), nil }

// UnmarshalText reads what Parse does, and none from empty text. The error's
// code is invalid_time.
func (i *Instant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*i = 0
		return nil
	}
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*i = v
	return nil
}

// MarshalJSON returns the RFC 3339 text as a JSON string, and null for none.
// It never fails.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i == 0 {
		return []byte("null"), nil
	}
	b := append(make([]byte, 0, textLen+2), '"')
	return append(i.append(b), '"'), nil
}

// UnmarshalJSON reads a JSON string as Parse does, and none from null. Numbers
// are refused: whether they count seconds or milliseconds is a guess. The
// error's code is invalid_time.
func (i *Instant) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*i = 0
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fault.New("clock.UnmarshalJSON", fault.CodeInvalidTime,
			"The time must be a string in RFC 3339 form, such as \"2026-01-31T09:30:00Z\".").Because(err)
	}
	v, err := Parse(s)
	if err != nil {
		return err
	}
	*i = v
	return nil
}

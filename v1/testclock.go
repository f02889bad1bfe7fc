package v1

import "github.com/seed42445051/scrip/clock"

// TestClock is the time of a test mode. It runs as real time does, so many seconds ahead of it.
type TestClock struct {
	Mode          string        `json:"mode"`
	Now           clock.Instant `json:"now" doc:"The instant at which the mode stands"`
	OffsetSeconds int64         `json:"offset_seconds" doc:"How far ahead of real time that is, in whole seconds"`
}

// AdvanceTestClock moves a test clock on: to an instant, or by so many seconds.
type AdvanceTestClock struct {
	To        clock.Instant `json:"to,omitzero" doc:"To this instant, not back. Moving it again to where it was moved last changes nothing"`
	BySeconds int64         `json:"by_seconds,omitempty" minimum:"0" maximum:"1581120000" doc:"Or by so many seconds"`
}

package catalog

import (
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
)

// Mode separates real business from trials of it. Definitions are shared by all modes of an app;
// balances, holds, events and keys are not (design law 8). A mode is live, test, or test/NAME: a
// sandbox that is to test what test is to live.
type Mode string

// The two modes that every app has.
const (
	Live Mode = "live"
	Test Mode = "test"
)

// MaxSandboxName bounds the name of a sandbox, in characters.
const MaxSandboxName = 40

const sandboxPrefix = string(Test) + "/"

// ModeWords says which modes there are, for messages.
const ModeWords = "live, test, or test/NAME with a name of 1 to 40 of a-z, 0-9, - and _"

// Valid reports whether m is a mode.
func (m Mode) Valid() bool {
	if m == Live || m == Test {
		return true
	}
	name := m.Sandbox()
	wrong := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	return name != "" && len(name) <= MaxSandboxName && !strings.ContainsFunc(name, wrong)
}

// Sandbox is the name of a named sandbox; empty for the modes that every app has.
func (m Mode) Sandbox() string {
	name, _ := strings.CutPrefix(string(m), sandboxPrefix)
	if name == string(m) {
		return ""
	}
	return name
}

// Base is live or test: what a mode is, whatever the name of its sandbox.
func (m Mode) Base() Mode {
	if m.Sandbox() != "" {
		return Test
	}
	return m
}

// MaxAhead bounds how far the time of a test mode can be ahead of real time: some 50 years.
const MaxAhead = 50 * 366 * 24 * time.Hour

// TestClock is how far the time of a test mode is ahead of real time. It keeps running, and never
// goes back.
type TestClock struct {
	Offset time.Duration // whole microseconds
	// Reached is the instant to which it was last advanced, so that doing it again is known for
	// what it is.
	Reached clock.Instant
}

// Now is the time of a mode: real time, ahead of it where the mode has a test clock.
func (d *Definitions) Now(mode Mode, real clock.Instant) clock.Instant {
	if c, ok := d.Clocks[mode]; ok {
		return real.Add(c.Offset)
	}
	return real
}

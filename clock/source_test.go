package clock

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	_ Clock  = System{}
	_ Waiter = System{}
	_ Clock  = (*Manual)(nil)
	_ Waiter = (*Manual)(nil)
)

func TestSystemIsNowAndMonotonic(t *testing.T) {
	before := At(time.Now())
	got := System{}.Now()
	if got < before || got.Sub(before) > time.Minute {
		t.Errorf("Now = %v, the machine says %v", got, before)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := Instant(0)
			for range 1000 {
				now := System{}.Now()
				if now < last {
					t.Errorf("went back from %d to %d", last, now)
				}
				last = now
			}
		})
	}
	wg.Wait()
	<-System{}.After(0)
}

func TestRaise(t *testing.T) {
	var m atomic.Int64
	for _, tc := range [][2]int64{{5, 5}, {3, 5}, {5, 5}, {9, 9}, {-1, 9}} {
		if got := raise(&m, tc[0]); got != tc[1] {
			t.Errorf("raise to %d gives %d, want %d", tc[0], got, tc[1])
		}
	}
}

func TestManual(t *testing.T) {
	m := NewManual(1000)
	if m.Now() != 1000 {
		t.Fatalf("starts at %d", m.Now())
	}
	m.Advance(time.Millisecond)
	if m.Now() != 2000 {
		t.Errorf("advanced to %d", m.Now())
	}
	m.Set(500)
	if m.Now() != 500 {
		t.Errorf("set to %d", m.Now())
	}
}

func TestManualAfter(t *testing.T) {
	m := NewManual(1_000_000)
	atOnce, soon, later := m.After(0), m.After(time.Second), m.After(time.Hour)
	if !fired(atOnce) {
		t.Error("After(0) must fire at once")
	}
	m.Advance(time.Second - time.Microsecond)
	if fired(soon) {
		t.Error("fired a microsecond early")
	}
	m.Advance(time.Microsecond)
	if !fired(soon) || fired(later) {
		t.Error("exactly the due one must fire")
	}
	m.Set(Instant(2 * time.Hour.Microseconds()))
	if !fired(later) || fired(soon) {
		t.Error("each fires once")
	}
}

func fired(ch <-chan time.Time) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// TestManualDrivesALoop is how a background loop is meant to be tested.
func TestManualDrivesALoop(t *testing.T) {
	m := NewManual(1)
	ticks := make(chan Instant)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case at := <-m.After(time.Minute):
				ticks <- At(at)
			}
		}
	})
	for n := range 3 {
		m.BlockUntil(1)
		m.Advance(time.Minute)
		if got, want := <-ticks, Instant(1).Add(time.Duration(n+1)*time.Minute); got != want {
			t.Errorf("tick %d at %v, want %v", n, got, want)
		}
	}
	close(stop)
	wg.Wait()
}

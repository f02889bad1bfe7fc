package model_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// meteredStory is a wallet in which everything that concerns meters happens in a random order,
// while meters and links come and go.
type meteredStory struct {
	r    *rand.Rand
	bare *model.Bare
	defs *catalog.Definitions
	now  clock.Instant
	n    int // names events
	log  []string
}

func newMeteredStory(r *rand.Rand) *meteredStory {
	s := &meteredStory{r: r, defs: newMetered(r).defs, now: meteredNow}
	for _, c := range s.defs.Credits {
		if r.IntN(2) == 0 {
			c.Overage.Behavior = catalog.CarryDeficitAutoRepay
		}
		if r.IntN(2) == 0 {
			c.Rollover = catalog.Rollover{Percent: 50, Validity: catalog.Interval{Count: 1, Unit: catalog.Week}, MaxCount: 1}
		}
	}
	s.bare = model.NewBare(wallet.Key{App: "app", Mode: catalog.Live, Customer: "c"}, s.defs)
	return s
}

func (s *meteredStory) chance(of int) bool { return s.r.IntN(of) == 0 }

func (s *meteredStory) event() wallet.UsageEvent {
	s.n++
	e := wallet.UsageEvent{ID: fmt.Sprint("e", s.r.IntN(s.n)+s.r.IntN(2)*s.n), Event: "e", Metadata: catalog.Values{"n": catalog.Number(fmt.Sprint(s.r.IntN(30) - 3))}}
	if s.chance(2) {
		e.At = s.now - clock.Instant(s.r.IntN(70*24))*clock.Instant(time.Hour.Microseconds())
	}
	if s.chance(8) {
		delete(e.Metadata, "n")
	}
	return e
}

func (s *meteredStory) charge() wallet.Charge {
	c := wallet.Charge{Event: "e", Quantity: (1 + s.r.Int64N(40)) * wallet.MicrosPerUnit / (1 + s.r.Int64N(3))}
	if s.chance(2) {
		c.Shortfall = wallet.Overage
	}
	if s.chance(4) {
		c.Metadata = wallet.Metadata{"n": fmt.Sprint(s.r.IntN(20) - 2)}
	}
	return c
}

func (s *meteredStory) someCredit() string { return []string{"a", "b"}[s.r.IntN(2)] }

func (s *meteredStory) command() wallet.Command {
	r := s.r
	st := s.bare.State()
	switch r.IntN(15) {
	case 0, 1:
		g := &wallet.GiveCredits{Credit: s.someCredit(), Amount: 1 + r.Int64N(60)}
		if s.chance(2) {
			g.ExpiresAt = s.now + clock.Instant(1+r.Int64N(20*24*3600*1_000_000))
		}
		return g
	case 2, 3, 4:
		call := &wallet.Ingest{}
		seen := map[string]bool{}
		for range 1 + r.IntN(4) {
			if e := s.event(); !seen[e.ID] {
				seen[e.ID] = true
				call.Events = append(call.Events, e)
			}
		}
		return call
	case 5:
		return &wallet.VoidUsage{ID: fmt.Sprint("e", r.IntN(s.n+1))}
	case 6:
		e := s.event()
		return &wallet.CorrectUsage{ID: fmt.Sprint("e", r.IntN(s.n+1)), Event: e}
	case 7, 8:
		return &wallet.Reserve{Charge: s.charge(), TTL: time.Duration(1+r.IntN(24)) * time.Hour}
	case 9, 10:
		c := &wallet.Commit{Hold: 1 + r.Int64N(max(1, st.HoldSeq)), AllowMore: s.chance(2)}
		if s.chance(2) {
			c.Amount = money.Decimal(fmt.Sprint(r.IntN(60)))
		}
		return c
	case 11:
		return &wallet.Release{Hold: 1 + r.Int64N(max(1, st.HoldSeq))}
	case 12:
		if s.chance(2) {
			return &wallet.Track{Charge: s.charge()}
		}
		return &wallet.Deduct{Charge: s.charge()}
	case 13:
		if s.chance(2) {
			return &wallet.ResetOverage{Credit: s.someCredit()}
		}
		return &wallet.VoidUsage{ID: fmt.Sprint("evt_", 1+r.Int64N(max(1, st.UsageSeq)))}
	}
	return s.rarely()
}

func (s *meteredStory) rarely() wallet.Command {
	r, st := s.r, s.bare.State()
	switch r.IntN(6) {
	case 0:
		return &wallet.RevokeGrant{Grant: 1 + r.Int64N(max(1, st.GrantSeq))}
	case 1, 5:
		return s.subscribe()
	case 2:
		return &wallet.EndSubscription{}
	case 3:
		return &wallet.Deduct{Charge: wallet.Charge{Credit: s.someCredit(), Amount: 1 + r.Int64N(9), Shortfall: wallet.Overage}}
	}
	return &wallet.Reverse{Entry: 1 + r.Int64N(max(1, st.Seq))}
}

// subscribe gives the customer a plan, changes it, or moves its cycles.
func (s *meteredStory) subscribe() wallet.Command {
	switch s.r.IntN(6) {
	case 0:
		return &wallet.PauseSubscription{}
	case 1:
		return &wallet.PauseSubscription{Resume: true}
	case 2:
		return &wallet.EditSubscription{NextCycle: s.now + 1 + clock.Instant(s.r.Int64N(40*24*3600*1_000_000))}
	}
	c := &wallet.Subscribe{
		Plan: "p", Terms: wallet.Terms{Name: "plan", Currency: "usd", Every: catalog.Interval{Count: 1 + s.r.IntN(2), Unit: catalog.Month}},
		Retake: s.chance(3), AtCycleEnd: s.chance(3), Charge: []wallet.Charging{wallet.ChargeFull, wallet.ChargeNothing}[s.r.IntN(2)],
	}
	if s.chance(2) {
		c.CycleStart = s.now - clock.Instant(s.r.Int64N(40*24*3600*1_000_000))
	}
	if s.chance(3) {
		c.Terms.Meters = s.meters()
	}
	return c
}

// meters is what a plan counts at its own rate, or for money.
func (s *meteredStory) meters() []wallet.MeterTerm {
	var all []wallet.MeterTerm
	for _, m := range s.defs.Meters {
		ratio, _ := money.NewRatio(1+s.r.Int64N(9), 1)
		t := wallet.MeterTerm{Meter: m.ID, FreeThreshold: s.r.Int64N(4) * 1_000_000}
		if s.chance(3) {
			t.PricePerUnit = "0.25"
		} else {
			t.Credit, t.UnitsPerCredit = s.someCredit(), ratio
		}
		all = append(all, t)
	}
	return all
}

// redefine archives a meter, lets it count again, or gives it other links.
func (s *meteredStory) redefine() {
	next := catalog.NewDefinitions("app", "app", s.defs.Version+1)
	next.Credits = s.defs.Credits
	for _, m := range s.defs.Meters {
		c := *m
		if s.chance(3) {
			c.ArchivedAt = s.now - c.ArchivedAt
			if !m.ArchivedAt.IsZero() {
				c.ArchivedAt = 0
			}
		}
		if s.chance(3) {
			c.Links = nil
			for _, credit := range []string{"a", "b"} {
				if s.chance(2) {
					ratio, _ := money.NewRatio(1+s.r.Int64N(9), 1)
					c.Links = append(c.Links, catalog.MeterLink{Credit: credit, UnitsPerCredit: ratio, FreeThreshold: s.r.Int64N(4) * 1_000_000})
				}
			}
		}
		next.AddMeter(&c)
	}
	s.defs = next
	s.bare.Redefine(next)
}

// step does one thing and checks everything.
func (s *meteredStory) step() error {
	switch {
	case s.chance(20):
		s.redefine()
	case s.chance(20):
		s.bare.Restart()
	case s.chance(5):
		s.now += clock.Instant(s.r.Int64N(12*24*3600) * 1_000_000)
	case s.chance(3):
		s.now += clock.Instant(s.r.Int64N(8*3600) * 1_000_000)
	}
	c := s.command()
	_, err := s.bare.Do(s.now, c)
	s.log = append(s.log, fmt.Sprintf("%s %T %+v: %v", s.now, c, c, err))
	if code := fault.CodeOf(err); err != nil && (code == fault.CodeInvariantViolated || code == fault.CodeInternalError) {
		return err
	}
	if err := s.bare.Check(); err != nil {
		return err
	}
	return s.bare.CheckMetered()
}

// TestMeteredAddsUp: whatever happens to usage, holds, grants, meters and links, every tally is
// what its events make it, and what is due is paid, overage or uncovered.
func TestMeteredAddsUp(t *testing.T) {
	seed := testenv.Seed(t)
	t.Logf("SCRIP_TEST_SEED=%d", seed)
	for i := range usualHistories / 50 {
		s := newMeteredStory(rand.New(rand.NewPCG(seed, uint64(i))))
		for range 80 {
			if err := s.step(); err != nil {
				for _, line := range s.log[max(0, len(s.log)-25):] {
					t.Log(line)
				}
				t.Fatalf("history %d: %v", i, err)
			}
		}
	}
}

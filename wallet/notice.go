package wallet

import (
	"slices"
	"sort"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// How long before something ends its customer is told.
const (
	ExpiryNotice = 7 * 24 * time.Hour
	TrialNotice  = 3 * 24 * time.Hour
)

// Notice is word of what is about to happen to a wallet.
type Notice struct {
	Type   catalog.EventType `json:"-"`
	Credit string            `json:"credit,omitempty"` // of what expires
	Units  int64             `json:"units,omitempty"`  // how much of it
	Ends   clock.Instant     `json:"ends"`
	Grants []int64           `json:"grants,omitempty"`
	// Subscription is the one whose trial ends.
	Subscription int64         `json:"subscription,omitempty"`
	At           clock.Instant `json:"at"`
}

// announced reports whether its customer is told before a grant ends. What a plan gives for a cycle
// comes again with the next.
func (g *Grant) announced() bool {
	return g.Source != SourceSubscription && g.Source != SourceRollover && !g.ExpiresAt.IsZero() &&
		g.ExpiresAt.Sub(g.EffectiveAt) > ExpiryNotice
}

// nextNotice is when something has to be announced next: after the last instant at which the wallet
// was written, since all that lay before was announced then. Zero: nothing has.
func (s *State) nextNotice() clock.Instant {
	var next clock.Instant
	after := s.LastAt.Add(ExpiryNotice)
	from := sort.Search(len(s.ending), func(i int) bool { return s.ending[i].ExpiresAt > after })
	for _, g := range s.ending[from:] {
		if g.announced() && g.Available > 0 {
			next = g.ExpiresAt.Add(-ExpiryNotice)
			break
		}
	}
	if at := s.Subscription.trialNotice(); at > s.LastAt && (next.IsZero() || at < next) {
		next = at
	}
	return next
}

// trialNotice is when it is said that the trial ends; zero: never. Nothing follows on one with which
// the subscription ends.
func (s *Subscription) trialNotice() clock.Instant {
	if s == nil || s.Ended || !s.PausedAt.IsZero() || s.TrialEnds.IsZero() || s.TrialEnds.Sub(s.StartedAt) <= TrialNotice ||
		!s.EndsAt.IsZero() && s.EndsAt <= s.TrialEnds {
		return 0
	}
	return s.TrialEnds.Add(-TrialNotice)
}

// remind announces what ends when the time of notice before it has come: at that very instant, which
// Settle never passes by. What a command changes at that instant comes after it.
func (w *work) remind() {
	if w.at <= w.s.LastAt {
		return
	}
	ends := w.at.Add(ExpiryNotice)
	from := sort.Search(len(w.s.ending), func(i int) bool { return w.s.ending[i].ExpiresAt >= ends })
	for _, g := range w.s.ending[from:] {
		if g.ExpiresAt != ends {
			break
		}
		if g = w.see(g); g.announced() && g.Available > 0 && g.Status == GrantActive {
			w.announce(g)
		}
	}
	sub := w.seeSubscription()
	if at := sub.trialNotice(); at == w.at && sub.TrialAt(w.at) {
		w.d.Notices = append(w.d.Notices, Notice{Type: catalog.EventTrialEnding, Subscription: sub.N, Ends: sub.TrialEnds, At: w.at})
	}
}

// announce adds a grant to the notice about its credit.
func (w *work) announce(g *Grant) {
	i := slices.IndexFunc(w.d.Notices, func(n Notice) bool { return n.Type == catalog.EventCreditExpiring && n.Credit == g.Credit })
	if i < 0 {
		w.d.Notices = append(w.d.Notices, Notice{Type: catalog.EventCreditExpiring, Credit: g.Credit, Ends: g.ExpiresAt, At: w.at})
		i = len(w.d.Notices) - 1
	}
	n := &w.d.Notices[i]
	n.Units += g.Available
	n.Grants = append(n.Grants, g.N)
}

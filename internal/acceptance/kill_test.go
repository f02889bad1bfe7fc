package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// clientsPerRound is how many clients work when the server is killed.
const clientsPerRound = 4

// longestRound bounds how long they work. It is long enough for a few hundred requests.
const longestRound = 120 * time.Millisecond

// usualKills is how often the server is killed under load, on both stores together.
const usualKills = 210

// outage is in how many rounds PostgreSQL once stays down until the server has given up, which
// takes it more than ten seconds.
const outage = 15

// patience is how often more a test kills than it was asked to, until a kill has met what it should: that
// is up to chance, and to how fast the machine is.
const patience = 200

// stronghold is a database whose server, or whose PostgreSQL, is killed again and again.
type stronghold struct {
	t       *testing.T
	random  *rand.Rand
	address string
	app     string
	secret  string
	credit  string
	server  *process
	pg      *pgtest.Server // nil unless PostgreSQL itself is killed
	// kills are those that met requests under way; early ones hit a server that was only starting, or
	// had nothing to do, and show little.
	totals struct{ rounds, kills, early, deeds, unacknowledged int }
}

// TestKilledServer kills the server, on either store.
func TestKilledServer(t *testing.T) {
	random := seeded(t)
	kills := testenv.Kills(t, usualKills)
	onBoth(t, func(t *testing.T, db *database) {
		noError(t, db.store.Close()) // a reader would keep SQLite's log alive over the crash
		s := newStronghold(t, random, db.address, nil)
		for s.totals.kills < (kills+1)/2 {
			s.round()
		}
		s.end()
	})
}

// TestKilledPostgres kills PostgreSQL, and in some rounds the server as well.
func TestKilledPostgres(t *testing.T) {
	random := seeded(t)
	kills := max(1, testenv.Kills(t, usualKills)/6)
	pg := pgtest.New(t, pgtest.WithSetting("fsync", "off")) // commits are in the kernel when they are answered
	address, err := pg.NewDatabase(t.Context())
	noError(t, err)
	s := newStronghold(t, random, address, pg)
	for s.totals.kills < kills || s.totals.kills < kills+patience && s.totals.unacknowledged == 0 {
		s.round()
	}
	s.end()
}

func newStronghold(t *testing.T, random *rand.Rand, address string, pg *pgtest.Server) *stronghold {
	t.Helper()
	s := &stronghold{t: t, random: random, address: address, pg: pg}
	s.secret = makeKey(t, address, "besieged", "live")
	s.server = runServer(t, address)
	credit, err := s.server.client(s.secret).CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
	noError(t, err)
	app, err := s.server.client(s.secret).GetApp(t.Context())
	noError(t, err)
	s.credit, s.app = credit.ID, app.ID
	return s
}

// round lets clients work, kills at a random moment, starts again and compares.
func (s *stronghold) round() {
	s.t.Helper()
	n := s.totals.rounds
	s.totals.rounds++
	besiegers := make([]*besieger, clientsPerRound)
	for i := range besiegers {
		name := fmt.Sprintf("r%d-c%d", n, i)
		besiegers[i] = &besieger{
			name: name, random: rand.New(rand.NewPCG(s.random.Uint64(), 0)), credit: s.credit,
			own: name, shared: fmt.Sprintf("r%d-shared", n),
		}
	}
	var wg sync.WaitGroup
	var stop atomic.Bool
	for _, b := range besiegers {
		wg.Go(func() { b.besiege(s.server.wire, s.secret, &stop) })
	}
	<-time.After(time.Duration(s.random.Int64N(int64(longestRound))))
	s.strike()
	if s.pg != nil && s.random.IntN(outage) > 0 {
		// PostgreSQL is back before the server gives up: most clients notice nothing.
		noError(s.t, s.pg.Start())
		stop.Store(true)
	}
	wg.Wait()
	lost, deeds := unacknowledged(besiegers)
	if lost > 0 || s.pg != nil { // a PostgreSQL that is soon back leaves no request without an answer
		s.totals.kills++
	} else {
		s.totals.early++
	}
	s.totals.deeds, s.totals.unacknowledged = s.totals.deeds+deeds, s.totals.unacknowledged+lost
	s.rise()
	settle(s.t, s.server.wire, s.secret, s.credit, besiegers)
	s.audit(besiegers)
	if s.t.Failed() {
		s.t.Fatalf("round %d failed\n%s", n, s.server.log)
	}
}

// strike kills what this round kills.
func (s *stronghold) strike() {
	s.t.Helper()
	if s.pg == nil {
		s.server.kill()
		return
	}
	if s.random.IntN(4) == 0 {
		s.server.kill()
	}
	noError(s.t, s.pg.Kill())
}

// rise starts what is down. Now and then the server is killed once more while it starts.
func (s *stronghold) rise() {
	s.t.Helper()
	if s.pg != nil {
		noError(s.t, s.pg.Start())
	}
	select {
	case <-s.server.done:
	default: // only PostgreSQL was down
		until(s.t, "the server to find PostgreSQL again", func() bool {
			_, err := s.server.client(s.secret).GetApp(context.Background())
			return err == nil
		})
		return
	}
	for s.random.IntN(8) == 0 {
		p := launch(s.t, s.address)
		<-time.After(time.Duration(s.random.Int64N(int64(60 * time.Millisecond))))
		p.kill()
		s.totals.early++
	}
	s.server = runServer(s.t, s.address)
}

// audit proves the books of the round's customers, from a connection of its own.
func (s *stronghold) audit(besiegers []*besieger) {
	s.t.Helper()
	db := &database{address: s.address}
	st := db.connect(s.t)
	defer func() { noError(s.t, st.Close()) }()
	only := theseWallets{Store: st}
	for customer := range byCustomer(besiegers) {
		only.ids = append(only.ids, wallet.Key{App: s.app, Mode: catalog.Live, Customer: customer}.ID())
	}
	report, err := audit.Run(context.Background(), only)
	noError(s.t, err)
	for _, d := range report.Differences {
		s.t.Errorf("audit: %s", d)
	}
}

// theseWallets narrows an audit to some wallets.
type theseWallets struct {
	store.Store
	ids []id.Wallet
}

// Headers lists the wallets.
func (o theseWallets) Headers(_ context.Context, after id.Wallet, _ int) ([]wallet.Header, error) {
	var found []wallet.Header
	if after == (id.Wallet{}) {
		for _, w := range o.ids {
			found = append(found, wallet.Header{ID: w})
		}
	}
	return found, nil
}

// end proves all books with the program's own command.
func (s *stronghold) end() {
	s.t.Helper()
	noError(s.t, s.server.stop(s.t))
	verify(s.t, s.address)
	s.t.Logf("%d kills under load, %d others, %d requests, of which %d were not answered",
		s.totals.kills, s.totals.early, s.totals.deeds, s.totals.unacknowledged)
	if s.totals.unacknowledged == 0 {
		s.t.Error("no kill ever met a request under way: the rounds are too short to show anything")
	}
}

// TestKilledWhileMigrating kills servers that make the schema: the next one finishes it.
func TestKilledWhileMigrating(t *testing.T) {
	random := seeded(t)
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			rounds := max(1, testenv.Kills(t, usualKills)/30)
			if kind == "postgres" {
				rounds = max(1, rounds/6) // the next server waits for the claim of the killed one to run out
			}
			for range rounds {
				db := emptyDatabase(t, kind)
				for range 1 + random.IntN(3) {
					p := launch(t, db.address)
					<-time.After(time.Duration(random.Int64N(int64(150 * time.Millisecond))))
					p.kill()
				}
				key := makeKey(t, db.address, "survivor", "live")
				p := runServer(t, db.address)
				_, err := p.client(key).CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
				noError(t, err)
				p.kill()
			}
		})
	}
}

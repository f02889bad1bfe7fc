package lives

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/payments/stripefake"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	v1 "github.com/seed42445051/scrip/v1"
)

// What TestKilledServers does: so many servers are killed at least, while so many live at one time, each
// life of so many steps.
const (
	usualKills  = 12
	atOneTime   = 8
	lifeSteps   = 14
	longestRest = 900 * time.Millisecond // between two kills
	patience    = 150                    // kills beyond those, until something happened that could be lost
)

// TestKilledServers has two servers on one database, of which one after the other is killed at random
// moments, while customers live and webhooks come to either. In the end the same is checked as of lives
// in one process, by the same code.
func TestKilledServers(t *testing.T) {
	seed := testenv.Seed(t)
	t.Logf("%s=%d", testenv.SeedVariable, seed)
	random := rand.New(rand.NewPCG(seed, 1<<32))
	p := newPair(t, pgtest.URL(t), random)
	lives := p.live(testenv.Kills(t, usualKills))
	p.end(lives)
}

// pair is two servers, whichever of them runs, and the provider.
type pair struct {
	t       *testing.T
	random  *rand.Rand
	address string // of the database
	stripe  *stripefake.Fake
	key     string // of the app
	env     []string
	kills   int

	mu      sync.Mutex
	servers [2]*server // nil while one is down
}

// server is one life of a real server.
type server struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	done chan struct{}
	addr string
}

var binary struct {
	once sync.Once
	dir  string
	err  error
}

// build builds the program, once.
func build(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "scrip-lives"); binary.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", binary.dir, "github.com/seed42445051/scrip/cmd/scrip").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	noError(t, binary.err)
	return filepath.Join(binary.dir, "scrip")
}

func newPair(t *testing.T, address string, random *rand.Rand) *pair {
	t.Helper()
	p := &pair{t: t, random: random, address: address}
	fake, err := stripefake.Start(stripefake.Options{Clock: clock.System{}, Seed: random.Uint64(), Automatic: true})
	noError(t, err)
	t.Cleanup(func() { noError(t, fake.Close()) })
	p.stripe = fake
	p.env = append(os.Environ(), stripe.VarTestKey+"="+providerKey, stripe.VarTestWebhook+"="+webhookSecret, stripe.VarURL+"="+fake.URL)
	w := p.open()
	define(t, w.ops)
	_, text, err := w.all.Accounts.CreateKey(t.Context(), w.app.ID, catalog.Test, store.Secret, "")
	noError(t, err)
	p.key = text
	w.close()
	for i := range p.servers {
		p.start(i)
	}
	hooks := httptest.NewServer(http.HandlerFunc(p.forward))
	t.Cleanup(hooks.Close)
	noError(t, fake.AddEndpoint(stripefake.Endpoint{URL: hooks.URL + "/webhooks/stripe/test", Secret: webhookSecret, Types: webhookTypes}))
	return p
}

// open opens the database in this process, where nothing moves by itself.
func (p *pair) open() *world {
	st, err := postgres.Open(context.Background(), p.address, postgres.Options{})
	noError(p.t, err)
	return newWorldOver(p.t, st, clock.System{}, p.stripe, p.random)
}

var serving = regexp.MustCompile(`msg=serving address=(\S+)`)

// start starts one of the servers and returns when it listens.
func (p *pair) start(i int) {
	p.t.Helper()
	s := &server{cmd: exec.Command(build(p.t), "serve", "--addr", "127.0.0.1:0", "--db", p.address), done: make(chan struct{})}
	s.cmd.Env = p.env
	dieTogether(s.cmd)
	out, err := s.cmd.StderrPipe()
	noError(p.t, err)
	started, listens := make(chan error), make(chan string, 1)
	go func() {
		runtime.LockOSThread() // the kernel takes the end of this thread for the death of the parent
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		s.listen(out, listens)
		_ = s.cmd.Wait() // it is killed
		close(s.done)
	}()
	noError(p.t, <-started)
	p.t.Cleanup(s.kill)
	select {
	case s.addr = <-listens:
	case <-s.done:
		p.t.Fatalf("the server ended while it started:\n%s", s.said.String())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers[i] = s
}

// listen reads what a server says to its end, and finds where it listens.
func (s *server) listen(out io.Reader, found chan<- string) {
	buffer := make([]byte, 4096)
	for sent := false; ; {
		n, err := out.Read(buffer)
		s.said.Write(buffer[:n])
		if m := serving.FindSubmatch(s.said.Bytes()); m != nil && !sent {
			found <- string(m[1])
			sent = true
		}
		if err != nil {
			return
		}
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.done
}

// any is where one of the servers that run listens, or empty.
func (p *pair) any(first int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.servers {
		if s := p.servers[(first+i)%2]; s != nil {
			return s.addr
		}
	}
	return ""
}

// RoundTrip sends a request to either server, and again to the other where it breaks off: under the same
// key it is the same call.
func (p *pair) RoundTrip(r *http.Request) (*http.Response, error) {
	first := rand.IntN(2)
	for try := range 200 {
		again := r.Clone(r.Context())
		if r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			again.Body = body
		}
		again.URL.Host = p.any(first + try)
		if again.URL.Host == "" {
			<-time.After(10 * time.Millisecond)
			continue
		}
		answer, err := whole(http.DefaultTransport.RoundTrip(again))
		if err == nil {
			return answer, nil
		}
		<-time.After(10 * time.Millisecond)
	}
	return nil, errors.New("no server answers")
}

// whole reads the body of an answer: one that breaks off is none.
func whole(answer *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

// forward brings a webhook to one of the servers; nobody sends it again soon where that is killed.
func (p *pair) forward(w http.ResponseWriter, r *http.Request) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+p.any(rand.IntN(2))+r.URL.Path, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	out.Header = r.Header.Clone()
	answer, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
}

// live has customers live until so many servers were killed, and on until there was something to lose:
// how far they come between two kills is up to the machine.
func (p *pair) live(kills int) []*life {
	p.t.Helper()
	ops, err := client.New("http://scrip.test", p.key, client.WithHTTPClient(&http.Client{Transport: p}), client.WithRetries(0))
	noError(p.t, err)
	p.stripe.SetPolicy(stripefake.Policy{Duplicates: 1, Twins: 1, Shuffle: true, DropThousandth: 150})
	p.stripe.FailRandomly(40, stripefake.RateLimit, stripefake.ErrorAfter, stripefake.ResetBefore, stripefake.ResetAfter)
	var over atomic.Bool
	var mu sync.Mutex
	var all, ended []*life
	var wg sync.WaitGroup
	for i := range atOneTime {
		random := rand.New(rand.NewPCG(p.random.Uint64(), 0))
		wg.Go(func() {
			for n := 0; !over.Load(); n++ {
				l := newCustomer(&market{t: p.t, ops: ops, stripe: p.stripe, now: clock.System{}.Now, known: &record{}}, fmt.Sprintf("life-%d-%d", i, n), random)
				mu.Lock()
				all = append(all, l)
				mu.Unlock()
				p.liveOne(l)
				mu.Lock()
				ended = append(ended, l)
				mu.Unlock()
			}
		})
	}
	happened := func() bool {
		mu.Lock()
		over := slices.Clone(ended)
		mu.Unlock()
		return p.couldLose(over)
	}
	for p.kills < kills || p.kills < kills+patience && !p.t.Failed() && !happened() {
		p.killOne()
	}
	over.Store(true)
	wg.Wait()
	return all
}

// killOne kills the servers in turn, after a rest, and starts the one again.
func (p *pair) killOne() {
	p.t.Helper()
	<-time.After(time.Duration(p.random.Int64N(int64(longestRest))))
	i := p.kills % 2
	p.mu.Lock()
	s := p.servers[i]
	p.servers[i] = nil
	p.mu.Unlock()
	s.kill()
	p.kills++
	p.start(i)
}

// couldLose tells whether the provider knows of a payment and of a charge of an automatic top-up of
// customers whose lives are over: only they no longer write down what they bought.
func (p *pair) couldLose(ended []*life) bool {
	r := p.known()
	paid, charged := false, false
	for _, l := range ended {
		for order, payments := range r.of(l.id) {
			paid = paid || slices.ContainsFunc(payments, (*payment).paid)
			charged = charged || l.toppedUp(order, payments)
		}
	}
	return paid && charged
}

// liveOne has a customer live, and do some things twice at the same time.
func (p *pair) liveOne(l *life) {
	for n := range lifeSteps {
		if n%4 == 3 {
			l.known = p.known()
		}
		l.step()
		switch l.random.IntN(6) {
		case 0:
			l.mishap()
			l.crowd()
			l.stripe.DeclineNone()
		case 1:
			l.agree()
			l.crowd()
		}
	}
}

// known reads the record, past mishaps.
func (p *pair) known() *record {
	all := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			answer := httptest.NewRecorder()
			if seen := hijacked(p.stripe, answer, r); seen {
				continue
			}
			if answer.Code == http.StatusOK {
				w.WriteHeader(http.StatusOK)
				_, _ = w.Write(answer.Body.Bytes())
				return
			}
		}
	}))
	defer all.Close()
	return readRecord(p.t, all.URL)
}

// hijacked asks the provider, and tells whether it cut the connection off.
func hijacked(f *stripefake.Fake, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		if recover() != nil {
			cut = true
		}
	}()
	f.ServeHTTP(w, r)
	return false
}

// crowd spends from many places at one time: what is below a threshold is bought once.
func (l *life) crowd() {
	var wg sync.WaitGroup
	for i := range 6 {
		key, amount := l.key(), l.some(300)
		wg.Go(func() {
			_, err := l.ops.Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{
				CustomerID: l.id, CreditID: tokens, Amount: decimal(amount, 0), Shortfall: "partial",
			}}, key)
			l.told(fmt.Sprintf("spending in a crowd (%d)", i), err)
		})
	}
	wg.Wait()
}

// end ends the servers, and finds in this process whatever no webhook has told.
func (p *pair) end(lives []*life) {
	p.t.Helper()
	for _, s := range p.servers {
		s.kill()
	}
	p.stripe.FailRandomly(0)
	p.stripe.DeclineNone()
	w := p.open()
	defer w.close()
	w.lives = lives
	for _, l := range lives {
		l.ops = w.ops
	}
	for tries := 0; ; tries++ {
		w.drain()
		if found := w.reconcile(); found.Changed == 0 {
			break
		}
		if tries == 10 {
			p.t.Fatal("reconciliation finds something new each time")
		}
	}
	var sum tally
	w.checkAll(&sum)
	p.t.Logf("%d lives, %d kills: %s", len(lives), p.kills, &sum)
	if sum.payments == 0 || sum.topUps == 0 {
		p.t.Error("nothing was paid that could have been lost")
	}
}

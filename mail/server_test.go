package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/mail"
)

// begin is where every test's clock stands: 2 January 2026, 15:04 UTC.
const begin = clock.Instant(1_767_366_240_000_000)

// password has characters that a URL cannot have as they are.
const password = "hunter2/#@?:%"

// received is a letter as it reached the server.
type received struct {
	from, to string
	data     string
	user     string // who had logged in
	tls      bool
	utf8     bool
}

// mailbox is a real SMTP server on this machine that keeps what it gets.
type mailbox struct {
	*smtp.Server
	addr string
	// What to answer, where it is not nil.
	onMail, onRcpt, onData, onLogin error
	mechanisms                      []string

	mu      sync.Mutex
	letters []received
	logins  int
}

// newMailbox starts a server.
func newMailbox(t *testing.T, change func(*mailbox)) *mailbox {
	t.Helper()
	return newMailboxOn(t, func(l net.Listener) net.Listener { return l }, change)
}

func newMailboxOn(t *testing.T, wrap func(net.Listener) net.Listener, change func(*mailbox)) *mailbox {
	t.Helper()
	b := &mailbox{mechanisms: []string{sasl.Plain}}
	b.Server = smtp.NewServer(b)
	b.Domain, b.AllowInsecureAuth = "localhost", true
	b.ErrorLog = log.New(io.Discard, "", 0) // clients that break off are what is tested
	if change != nil {
		change(b)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(wrap(l)) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return b
}

// all are the letters that have arrived.
func (b *mailbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]received(nil), b.letters...)
}

// url is the address of the server for a sender.
func (b *mailbox) url(scheme, user, query string) string {
	if user != "" {
		user = url.UserPassword(user, password).String() + "@"
	}
	return scheme + "://" + user + b.addr + "?from=Acme+Billing+<billing@acme.example>" + query
}

// NewSession begins to talk with a client.
func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{box: b, conn: c}, nil
}

// session is one connection.
type session struct {
	box    *mailbox
	conn   *smtp.Conn
	letter received
}

func (s *session) Reset()                   {}
func (s *session) Logout() error            { return nil }
func (s *session) AuthMechanisms() []string { return s.box.mechanisms }

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.letter.from, s.letter.utf8 = from, o.UTF8
	return s.box.onMail
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = to
	return s.box.onRcpt
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.box.onData != nil {
		return s.box.onData
	}
	s.letter.data = string(data)
	_, s.letter.tls = s.conn.TLSConnectionState()
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, s.letter)
	return nil
}

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, given string) error {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		s.box.logins++
		if s.box.onLogin != nil {
			return s.box.onLogin
		}
		if user != "ann" || given != password {
			// Some servers do say what was wrong.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "not the password: " + given}
		}
		s.letter.user = user
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, given string) error { return check(user, given) }), nil
}

// loginServer is the server's part of LOGIN, which the library no longer has.
type loginServer struct {
	check func(user, given string) error
	step  int
	user  string
}

// Next asks for the user, and then for the password.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(l.user, string(response))
	}
}

// certificate is one for this machine that is its own authority.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: begin.Time(), NotAfter: begin.Time().Add(100 * 365 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// newSender is a sender whose clock stands still.
func newSender(t *testing.T, address string, roots *x509.CertPool) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Options{URL: address, Clock: clock.NewManual(begin), Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receipt is a letter with every fact.
func receipt() mail.Letter { return mail.Samples(mail.TopUpReceipt)[0] }

// tlsMailbox has TLS from the first byte.
type tlsMailbox struct {
	*mailbox
	roots *x509.CertPool
}

func newTLSMailbox(t *testing.T) tlsMailbox {
	t.Helper()
	config, roots := certificate(t)
	return tlsMailbox{newMailboxOn(t, func(l net.Listener) net.Listener { return tls.NewListener(l, config) }, nil), roots}
}

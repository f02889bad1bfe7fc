package mail

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// How long a mail server may take.
const (
	// DialTimeout bounds connecting to it, with the handshake where TLS comes first.
	DialTimeout = 10 * time.Second
	// Timeout bounds all of a letter's way, from connecting to the server's last word.
	Timeout = time.Minute
)

// Options configure a sender.
type Options struct {
	// URL names the mail server and the sender's address:
	//
	//	smtp://user:password@mail.example.com:587?from=Acme+<billing@example.com>
	//
	// smtps:// is TLS from the first byte. Under smtp:// the server has to offer STARTTLS, unless it is
	// on this machine or the query says tls=none; tls=required asks for it on this machine too. A from
	// without a name bears the name of each letter's app.
	URL   string
	Clock clock.Clock // of the letters' dates
	// Templates write the letters; nil: those that are embedded.
	Templates *Templates
	// Roots are the authorities that the server's certificate may be from; nil: those of this machine.
	Roots *x509.CertPool
}

// Sender hands letters to a mail server. Make it with New; it is safe for concurrent use, and has
// nothing to be closed: letters are few, and each has a connection of its own.
type Sender struct {
	server    server
	clock     clock.Clock
	templates *Templates
	roots     *x509.CertPool
}

// New returns a sender. It connects to nothing yet. The error's code is invalid_config, and nothing
// of the URL is in it.
func New(o Options) (*Sender, error) {
	s, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	templates := o.Templates
	if templates == nil {
		if templates, err = Load(""); err != nil {
			return nil, err
		}
	}
	return &Sender{server: s, clock: o.Clock, templates: templates, roots: o.Roots}, nil
}

// String says where letters go and whom they are from, for logs: without the password.
func (s *Sender) String() string { return s.address() + " as " + s.server.from.String() }

func (s *Sender) address() string {
	return net.JoinHostPort(s.server.host, strconv.Itoa(s.server.port))
}

// Send writes a letter and hands it to the mail server. The key names the letter among all of this
// sender: its Message-ID follows from it, so that the same letter sent twice can be told from two. Who
// keeps letters has such a key, which must not be empty.
//
// The error's code is mail_unavailable when another attempt can help, which Retryable asks;
// mail_login_refused when the server refuses the user or password, and mail_refused when it refuses
// this letter, or the address is none. Those of Templates.Render come as they are. What the server
// answered is in the detail smtp_status. A letter whose attempt was cut off may have arrived.
func (s *Sender) Send(ctx context.Context, l Letter, key string) error {
	m, err := s.message(l, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	conn, err := s.connect(ctx)
	if err != nil {
		return unavailable("it cannot be reached", err)
	}
	defer conn.Close()
	// What is waited for below does not know the context.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client, err := s.greet(conn)
	if err != nil {
		return err
	}
	if err := s.logIn(client); err != nil {
		return err
	}
	if err := handOver(client, s.server.from.Address, l.To, m); err != nil {
		return err
	}
	_ = client.Quit() // the letter was accepted, whatever comes of it
	return nil
}

// Retryable reports whether sending a letter again, later, may succeed where it failed with err.
func Retryable(err error) bool { return fault.CodeOf(err) == fault.CodeMailUnavailable }

// message writes a letter in the form in which it travels.
func (s *Sender) message(l Letter, key string) (*gomail.Msg, error) {
	if key == "" {
		return nil, fault.New("mail.Send", fault.CodeMissingField, "A letter needs a key.").In("key")
	}
	written, err := s.templates.Render(l)
	if err != nil {
		return nil, err
	}
	from := s.server.from
	if from.Name == "" {
		from.Name = clean(l.App)
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, &from)
	m.SetAddrHeaderFromMailAddress(gomail.HeaderTo, &netmail.Address{Name: clean(l.Name), Address: l.To})
	m.Subject(written.Subject)
	m.SetDateWithValue(s.clock.Now().Time())
	m.SetMessageIDWithValue(messageID(key, from.Address))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: programs do not answer
	m.SetBodyString(gomail.TypeTextPlain, written.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, written.HTML)
	return m, nil
}

// messageID is the id of the letter of a key, without the angle brackets around it. Keys are hashed,
// since they may tell what is nobody else's business and may have characters that an id cannot have.
func messageID(key, from string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]) + from[strings.LastIndexByte(from, '@'):]
}

// connect opens a connection.
func (s *Sender) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	if s.server.security == fromTLS {
		return (&tls.Dialer{Config: s.tls()}).DialContext(ctx, "tcp", s.address())
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.address())
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.server.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// greet begins to talk, and has TLS begin where it is asked for.
func (s *Sender) greet(conn net.Conn) (*smtp.Client, error) {
	client, err := smtp.NewClient(conn, s.server.host)
	if err == nil {
		err = client.Hello(ownName())
	}
	if err != nil {
		return nil, unavailable("it did not welcome us", err)
	}
	if s.server.security != startTLS {
		return client, nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return nil, unavailable("it offers no STARTTLS, without which nothing is sent", nil)
	}
	if err := client.StartTLS(s.tls()); err != nil {
		return nil, unavailable("TLS did not begin", err)
	}
	return client, nil
}

// ownName is what this machine calls itself before the server.
func ownName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// logIn says who we are, where that is asked for. None of what the server says is in its errors, and
// nothing of the library's: a server may repeat what it was sent.
func (s *Sender) logIn(client *smtp.Client) error {
	if s.server.password == nil {
		return nil
	}
	user, password, host := s.server.user, s.server.password(), s.server.host
	_, offered := client.Extension("AUTH")
	unprotected := s.server.security == plain
	var auth smtp.Auth
	for _, mechanism := range strings.Fields(offered) {
		switch {
		case mechanism == "PLAIN":
			auth = smtp.PlainAuth("", user, password, host, unprotected)
		case mechanism == "LOGIN" && auth == nil:
			auth = smtp.LoginAuth(user, password, host, unprotected)
		}
	}
	if auth == nil {
		return fault.New("mail.logIn", fault.CodeMailLoginRefused, "The mail server offers no login with a user and a password.")
	}
	err := client.Auth(auth)
	if err == nil {
		return nil
	}
	if status, _ := answered(err); isFinal(status) {
		return fault.New("mail.logIn", fault.CodeMailLoginRefused, "The mail server did not accept user and password.").With(detailStatus, status)
	}
	return unavailable("it did not let us log in", nil)
}

// handOver gives the letter away. From here on the server's refusals are about this letter.
func handOver(client *smtp.Client, from, to string, m *gomail.Msg) error {
	// Asking for SMTPUTF8 without need keeps a letter from servers behind this one that lack it.
	ascii := isASCII(from) && isASCII(to)
	client.SkipSMTPUTF8(ascii)
	if offered, _ := client.Extension("SMTPUTF8"); !offered && !ascii {
		return fault.New("mail.handOver", fault.CodeMailRefused, "The mail server knows only addresses in ASCII.").In("to")
	}
	if err := client.Mail(bracketed(from)); err != nil {
		return refused(err)
	}
	if err := client.Rcpt(bracketed(to)); err != nil {
		return refused(err)
	}
	w, err := client.Data()
	if err != nil {
		return refused(err)
	}
	if _, err := m.WriteTo(w); err != nil {
		return refused(err)
	}
	if err := w.Close(); err != nil {
		return refused(err)
	}
	return nil
}

func bracketed(address string) string { return fmt.Sprintf("<%s>", address) }

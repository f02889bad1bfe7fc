package acceptance

import (
	"errors"
	"io"
	stdlog "log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// postbox is a real SMTP server on this machine that keeps what it gets.
type postbox struct {
	address string
	mu      sync.Mutex
	mails   []posted
	refuse  int // as many letters are refused for the moment
}

// posted is a letter as its reader sees it.
type posted struct{ to, subject, text string }

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	b := &postbox{}
	server := smtp.NewServer(b)
	server.Domain, server.AllowInsecureAuth = "localhost", true
	server.ErrorLog = stdlog.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	b.address = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		noError(t, server.Close())
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return b
}

// url is what a sender is told of the server.
func (b *postbox) url() string {
	return "smtp://" + url.UserPassword("ann", mailSecret).String() + "@" + b.address + "?from=Shop+<billing@shop.example>"
}

// refuses has so many letters refused for the moment.
func (b *postbox) refuses(letters int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = letters
}

// refusing is how many letters are yet to be refused.
func (b *postbox) refusing() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse
}

// all are the letters that have come.
func (b *postbox) all() []posted {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]posted(nil), b.mails...)
}

// NewSession begins to talk with a client.
func (b *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &posting{box: b}, nil }

type posting struct {
	box *postbox
	to  string
}

func (*posting) Reset()                                      {}
func (*posting) Logout() error                               { return nil }
func (*posting) AuthMechanisms() []string                    { return []string{sasl.Plain} }
func (*posting) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *posting) Rcpt(to string, _ *smtp.RcptOptions) error { p.to = to; return nil }

func (p *posting) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "ann" || password != mailSecret {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong password: " + password}
		}
		return nil
	}), nil
}

func (p *posting) Data(r io.Reader) error {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if p.box.refuse > 0 {
		p.box.refuse--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come again later"}
	}
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := readText(m)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	p.box.mails = append(p.box.mails, posted{p.to, subject, text})
	return nil
}

// readText is the part of a letter that is plain text.
func readText(m *netmail.Message) (string, error) {
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return "", errors.Join(errors.New("not of several parts: "+kind), err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		body := io.Reader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		return string(text), err
	}
}

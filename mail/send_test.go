package mail_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/mail"
)

// arrived is the one letter of a mailbox, taken apart.
func arrived(t *testing.T, b *mailbox) (received, *netmail.Message) {
	t.Helper()
	letters := b.all()
	if len(letters) != 1 {
		t.Fatalf("%d letters have arrived, want 1", len(letters))
	}
	m, err := netmail.ReadMessage(strings.NewReader(letters[0].data))
	if err != nil {
		t.Fatal(err)
	}
	return letters[0], m
}

// part is one alternative of a letter.
type part struct{ Kind, Text string }

func parts(t *testing.T, m *netmail.Message) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the letter is %s, %v", kind, err)
	}
	var all []part
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if encoding := p.Header.Get("Content-Transfer-Encoding"); encoding != "quoted-printable" {
			t.Errorf("a part is in %s", encoding)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part{p.Header.Get("Content-Type"), strings.ReplaceAll(string(text), "\r\n", "\n")})
	}
}

func decoded(t *testing.T, m *netmail.Message, header string) string {
	t.Helper()
	if n := len(m.Header[header]); n != 1 {
		t.Errorf("%d headers %s", n, header)
	}
	text, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(header))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLetterArrives(t *testing.T) {
	b := newMailbox(t, nil)
	l := receipt()
	l.Name = "Ann Müller"
	if err := newSender(t, b.url("smtp", "", ""), nil).Send(t.Context(), l, "letter-1"); err != nil {
		t.Fatal(err)
	}
	got, m := arrived(t, b)
	got.data = ""
	if want := (received{from: "billing@acme.example", to: "ann@example.com"}); got != want {
		t.Errorf("envelope %+v, want %+v", got, want)
	}
	for header, want := range map[string]string{
		"From":           `"Acme Billing" <billing@acme.example>`,
		"To":             "Ann Müller <ann@example.com>",
		"Subject":        "Your receipt from Acme (2026-0001)",
		"Date":           "Fri, 02 Jan 2026 15:04:00 +0000",
		"Message-Id":     "<07c5600974c0bdd61612bc6a17393d9d@acme.example>",
		"Auto-Submitted": "auto-generated",
		"Mime-Version":   "1.0",
	} {
		if text := decoded(t, m, header); text != want {
			t.Errorf("%s: %s, want %s", header, text, want)
		}
	}
	if len(m.Header) != 8 { // those, and the type of the content
		t.Errorf("other headers: %v", m.Header)
	}
	templates, err := mail.Load("")
	if err != nil {
		t.Fatal(err)
	}
	written, err := templates.Render(l)
	if err != nil {
		t.Fatal(err)
	}
	want := []part{{"text/plain; charset=UTF-8", written.Text}, {"text/html; charset=UTF-8", written.HTML}}
	if diff := cmp.Diff(want, parts(t, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The same letter has the same id however often it is tried, and no other has it.
func TestOneLetterHasOneID(t *testing.T) {
	b := newMailbox(t, nil)
	s := newSender(t, b.url("smtp", "", ""), nil)
	for _, key := range []string{"a", "a", "b"} {
		if err := s.Send(t.Context(), receipt(), key); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, l := range b.all() {
		m, err := netmail.ReadMessage(strings.NewReader(l.data))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header.Get("Message-ID"))
	}
	if len(ids) != 3 || ids[0] != ids[1] || ids[1] == ids[2] {
		t.Error(ids)
	}
	if err := s.Send(t.Context(), receipt(), ""); fault.CodeOf(err) != fault.CodeMissingField {
		t.Errorf("without a key: %v", err)
	}
}

// A sender without a name is the app.
func TestAppIsTheSendersName(t *testing.T) {
	b := newMailbox(t, nil)
	s := newSender(t, "smtp://"+b.addr+"?from=billing@acme.example", nil)
	if err := s.Send(t.Context(), receipt(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, m := arrived(t, b); m.Header.Get("From") != `"Acme" <billing@acme.example>` {
		t.Error(m.Header.Get("From"))
	}
}

func TestProtectedConnections(t *testing.T) {
	config, roots := certificate(t)
	b := newMailbox(t, func(b *mailbox) { b.TLSConfig, b.AllowInsecureAuth = config, false })
	t.Run("starttls", func(t *testing.T) {
		if err := newSender(t, b.url("smtp", "ann", "&tls=required"), roots).Send(t.Context(), receipt(), "k"); err != nil {
			t.Fatal(err)
		}
		if got, _ := arrived(t, b); !got.tls || got.user != "ann" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("authority that is not known", func(t *testing.T) {
		err := newSender(t, b.url("smtp", "ann", "&tls=required"), nil).Send(t.Context(), receipt(), "k")
		checkFailure(t, err, fault.CodeMailUnavailable)
		if len(b.all()) != 1 || b.logins != 1 {
			t.Error("something was sent")
		}
	})
	t.Run("tls from the first byte", func(t *testing.T) {
		b := newTLSMailbox(t)
		if err := newSender(t, b.url("smtps", "ann", ""), b.roots).Send(t.Context(), receipt(), "k"); err != nil {
			t.Fatal(err)
		}
		if got, _ := arrived(t, b.mailbox); !got.tls || got.user != "ann" {
			t.Errorf("%+v", got)
		}
		checkFailure(t, newSender(t, b.url("smtps", "ann", ""), nil).Send(t.Context(), receipt(), "k"), fault.CodeMailUnavailable)
		arrived(t, b.mailbox)
	})
}

func TestWithoutSTARTTLSNothingIsSent(t *testing.T) {
	b := newMailbox(t, nil)
	err := newSender(t, b.url("smtp", "ann", "&tls=required"), nil).Send(t.Context(), receipt(), "k")
	checkFailure(t, err, fault.CodeMailUnavailable)
	if !strings.Contains(err.Error(), "STARTTLS") || len(b.all()) != 0 || b.logins != 0 {
		t.Errorf("%v; %d letters, %d logins", err, len(b.all()), b.logins)
	}
}

func TestLogin(t *testing.T) {
	for name, tc := range map[string]struct {
		user   string
		change func(*mailbox)
		want   fault.Code
	}{
		"plain":              {"ann", func(*mailbox) {}, ""},
		"login":              {"ann", func(b *mailbox) { b.mechanisms = []string{sasl.Login} }, ""},
		"wrong":              {"bob", func(*mailbox) {}, fault.CodeMailLoginRefused},
		"wrong, with login":  {"bob", func(b *mailbox) { b.mechanisms = []string{sasl.Login} }, fault.CodeMailLoginRefused},
		"other mechanisms":   {"ann", func(b *mailbox) { b.mechanisms = []string{"X-OTHER"} }, fault.CodeMailLoginRefused},
		"not now":            {"ann", func(b *mailbox) { b.onLogin = &smtp.SMTPError{Code: 454, Message: "later, " + password} }, fault.CodeMailUnavailable},
		"closed in midst of": {"ann", func(b *mailbox) { b.onLogin = &smtp.SMTPError{Code: 421, Message: password} }, fault.CodeMailUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMailbox(t, tc.change)
			err := newSender(t, b.url("smtp", tc.user, ""), nil).Send(t.Context(), receipt(), "k")
			checkFailure(t, err, tc.want)
			if n := len(b.all()); (n == 1) != (err == nil) {
				t.Errorf("%d letters, %v", n, err)
			}
		})
	}
}

// checkFailure compares the code of an error, and looks for the password in all that can be seen of it.
func checkFailure(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%v, want %q", err, want)
	}
	if mail.Retryable(err) != (want == fault.CodeMailUnavailable) {
		t.Errorf("%v: another attempt can help: %t", err, mail.Retryable(err))
	}
	if err != nil {
		withoutPassword(t, fmt.Sprintf("%v %+v %#v", err, err, fault.As(err)))
	}
}

func withoutPassword(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"hunter2", base64.StdEncoding.EncodeToString([]byte(password))} {
		if strings.Contains(text, secret) {
			t.Errorf("the password is in %s", text)
		}
	}
}

func TestRefusals(t *testing.T) {
	answer := func(code int) error { return &smtp.SMTPError{Code: code, Message: "says\r\n the server"} }
	for name, tc := range map[string]struct {
		change func(*mailbox)
		want   fault.Code
		status int
	}{
		"sender later":     {func(b *mailbox) { b.onMail = answer(451) }, fault.CodeMailUnavailable, 451},
		"sender never":     {func(b *mailbox) { b.onMail = answer(550) }, fault.CodeMailRefused, 550},
		"recipient later":  {func(b *mailbox) { b.onRcpt = answer(450) }, fault.CodeMailUnavailable, 450},
		"recipient never":  {func(b *mailbox) { b.onRcpt = answer(550) }, fault.CodeMailRefused, 550},
		"content later":    {func(b *mailbox) { b.onData = answer(451) }, fault.CodeMailUnavailable, 451},
		"content never":    {func(b *mailbox) { b.onData = answer(554) }, fault.CodeMailRefused, 554},
		"too large for it": {func(b *mailbox) { b.MaxMessageBytes = 100 }, fault.CodeMailRefused, 552},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMailbox(t, tc.change)
			err := newSender(t, b.url("smtp", "", ""), nil).Send(t.Context(), receipt(), "k")
			checkFailure(t, err, tc.want)
			f := fault.As(err)
			if f.Details["smtp_status"] != tc.status || strings.ContainsAny(f.Message, "\r\n") || len(b.all()) != 0 {
				t.Errorf("%+v, %d letters", f, len(b.all()))
			}
		})
	}
}

// talk answers one connection with lines, and then says nothing any more until it is closed.
func talk(t *testing.T, lines string) (addr string, met <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done, ready := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, lines)
		close(ready)
		if lines == "" {
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), ready
}

func TestServerThatIsNotThere(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	refuses, _ := talk(t, "554 5.7.1 not you\r\n")
	hangsUp, _ := talk(t, "220 welcome\r\n")
	for name, addr := range map[string]string{"nothing listens": gone.Addr().String(), "no welcome": refuses, "hangs up": hangsUp} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t, "smtp://"+addr+"?from=billing@acme.example", nil)
			checkFailure(t, s.Send(t.Context(), receipt(), "k"), fault.CodeMailUnavailable)
		})
	}
}

// A server that never answers is given up as soon as the caller no longer waits.
func TestServerThatSaysNothing(t *testing.T) {
	addr, met := talk(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-met; cancel() }()
	s := newSender(t, "smtp://"+addr+"?from=billing@acme.example", nil)
	checkFailure(t, s.Send(ctx, receipt(), "k"), fault.CodeMailUnavailable)
}

func TestAddressesInOtherScripts(t *testing.T) {
	l := receipt()
	l.To = "änn@example.com"
	plain := newMailbox(t, nil)
	checkFailure(t, newSender(t, plain.url("smtp", "", ""), nil).Send(t.Context(), l, "k"), fault.CodeMailRefused)
	b := newMailbox(t, func(b *mailbox) { b.EnableSMTPUTF8 = true })
	s := newSender(t, b.url("smtp", "", ""), nil)
	for _, letter := range []mail.Letter{l, receipt()} {
		if err := s.Send(t.Context(), letter, "k"); err != nil {
			t.Fatal(err)
		}
	}
	if all := b.all(); len(plain.all()) != 0 || all[0].to != l.To || !all[0].utf8 || all[1].utf8 {
		t.Errorf("%+v", all)
	}
}

func TestConfiguration(t *testing.T) {
	const from = "?from=Acme+<billing@acme.example>"
	for address, want := range map[string]string{
		"smtp://mail.example.com" + from:                       `mail.example.com:587 as "Acme" <billing@acme.example>`,
		"smtps://ann:p%40ss@mail.example.com/" + from:          `mail.example.com:465 as "Acme" <billing@acme.example>`,
		"smtp://[::1]:1025?from=billing@acme.example":          `[::1]:1025 as <billing@acme.example>`,
		"smtp://mail.example.com:25" + from + "&tls=none":      `mail.example.com:25 as "Acme" <billing@acme.example>`,
		"smtp://ann:" + "hunter2@mail.example.com:2525" + from: `mail.example.com:2525 as "Acme" <billing@acme.example>`,
	} {
		s, err := mail.New(mail.Options{URL: address, Clock: clock.NewManual(begin)})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if s.String() != want {
			t.Errorf("%s is %s, want %s", address, s, want)
		}
		withoutPassword(t, fmt.Sprintf("%v %+v %#v %#v", s, s, s, *s))
	}
	for _, address := range []string{
		"", "mail.example.com", "http://ann:hunter2@mail.example.com" + from, "smtp://" + from, "smtp://ann:hunter2@mail.example.com",
		"smtp://ann:hunter2@mail.example.com?from=nobody", "smtp://ann:hunter2@mail.example.com?from=a@x.example,b@x.example",
		"smtp://ann@mail.example.com" + from, "smtp://:hunter2@mail.example.com" + from, "smtp://ann:hunter2@mail.example.com:0" + from,
		"smtp://ann:hunter2@mail.example.com:70000" + from, "smtp://ann:hunter2@mail.example.com" + from + "&tls=perhaps",
		"smtps://ann:hunter2@mail.example.com" + from + "&tls=none", "smtp://ann:hunter2@mail.example.com/inbox" + from,
		"smtp://ann:hunter2@mail.example.com" + from + "&retry=1", "smtp://ann:hunter2@mail.example.com" + from + "&from=b@x.example",
		// Passwords that are not escaped.
		"smtp://ann:25?hunter2@mail.example.com" + from, "smtp://ann:25/hunter2@mail.example.com" + from,
		"smtp://ann:25#hunter2@mail.example.com" + from, "smtp://ann:hunter2@mail.example.com" + from + "#hunter2", "smtp://ann:%hunter2@mail.example.com" + from, "smtp://ann:hunter2 @mail.example.com" + from,
		"smtp://ann:hunter2?from=x@mail.example.com" + from, "smtp://ann:25?from=hunter2@mail.example.com&tls=hunter2",
	} {
		_, err := mail.New(mail.Options{URL: address, Clock: clock.NewManual(begin)})
		checkFailure(t, err, fault.CodeInvalidConfig)
	}
}

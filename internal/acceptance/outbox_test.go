package acceptance

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/internal/selltest"
	v1 "github.com/seed42445051/scrip/v1"
)

// opens has a browser open the outbox, with a password where there is one.
func (s *shop) opens(query, password string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/outbox?"+query, nil)
	if password != "" {
		r.SetBasicAuth("anybody", password)
	}
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	return w
}

func (s *shop) key(kind string) string {
	s.t.Helper()
	k, err := s.CreateKey(s.t.Context(), v1.CreateKey{Kind: kind})
	noError(s.t, err)
	return k.Key
}

// reads opens the outbox, and returns what its letters are about, and the page.
func (s *shop) reads(query, password string) (subjects []string, page string) {
	s.t.Helper()
	w := s.opens(query, password)
	equal(s.t, "status", w.Code, http.StatusOK)
	page = w.Body.String()
	for _, m := range regexp.MustCompile(`<span class="subject">([^<]*)</span><span class="status \w+">([^<]*)</span>`).FindAllStringSubmatch(page, -1) {
		subjects = append(subjects, m[2]+": "+html.UnescapeString(m[1]))
	}
	return subjects, page
}

// mallory is a customer whose id would be a script, if the page let it.
const mallory = `<script>alert("mine")</script>`

// TestOutboxWithoutMail reads in a browser what customers would have been written.
func TestOutboxWithoutMail(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newShop(t, kind, scrip.WithMail("", ""))
		password := s.key("secret")
		letters, page := s.reads("", password)
		if len(letters) != 0 || !strings.Contains(page, "Nobody has been written to yet.") {
			t.Errorf("an empty outbox: %v\n%s", letters, page)
		}
		s.buys("ann", selltest.TestCard)
		s.spends("ann", "110") // runs low
		o, err := s.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: mallory, PackID: s.pack.ID})
		noError(t, err)
		selltest.Press(t, s.pages, o.URL, "pay", selltest.TestCard)
		letters, page = s.reads("", password)
		equal(t, "letters", len(letters), 3)
		for words, want := range map[string]int{"Waiting: [test] Your receipt from Shop": 2, "Waiting: [test] You are running low on credits": 1} {
			if got := strings.Count(strings.Join(letters, "\n"), words); got != want {
				t.Errorf("%d letters are %q, of %q", got, words, letters)
			}
		}
		for _, words := range []string{html.EscapeString(mallory) + " (no address is known)", "No mail server is set", "of the last 72 hours", "test mode", "ann@example.test", `loading="lazy" sandbox="" srcdoc="&lt;!doctype html&gt;`} {
			if !strings.Contains(page, words) {
				t.Errorf("the page does not say %s:\n%s", words, page)
			}
		}
		if strings.Contains(page, "<script") {
			t.Errorf("a customer's id is part of the page:\n%s", page)
		}
		// Page by page, of one kind.
		first, page := s.reads("status=pending&limit=2", password)
		older := regexp.MustCompile(`href="\?([^"]*cursor=[^"]*)"`).FindStringSubmatch(page)
		if len(first) != 2 || older == nil {
			t.Fatalf("the first page has %v, and no link to the next:\n%s", first, page)
		}
		second, page := s.reads(html.UnescapeString(older[1]), password)
		equal(t, "both pages", strings.Join(append(first, second...), "\n"), strings.Join(letters, "\n"))
		if strings.Contains(page, "Older letters") {
			t.Errorf("after the last page there is another:\n%s", page)
		}
		sent, page := s.reads("status=delivered", password)
		if len(sent) != 0 || !strings.Contains(page, "No letter has been sent.") {
			t.Errorf("sent: %v\n%s", sent, page)
		}
		equal(t, "kept by browsers", s.opens("", password).Header().Get("Cache-Control"), "no-store")
		equal(t, "a status that there is not", s.opens("status=lost", password).Code, http.StatusBadRequest)
	})
}

// TestOutboxNeedsAKey has browsers ask for a secret key until they are given one.
func TestOutboxNeedsAKey(t *testing.T) {
	s := newShop(t, "sqlite")
	for what, password := range map[string]string{"none": "", "one that is not known": "sk_test_" + strings.Repeat("0", 32)} {
		w := s.opens("", password)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic realm=") {
			t.Errorf("with a key that is %s: %d %v", what, w.Code, w.Header())
		}
	}
	equal(t, "with a publishable key", s.opens("", s.key("publishable")).Code, http.StatusForbidden)
}

// TestOutboxTells shows what became of letters: sent, and tried again after the mail server refused one twice.
func TestOutboxTells(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newShop(t, kind)
		password := s.key("secret")
		s.box.refuses(2) // the third try is seconds later, and the clock stands still
		s.buys("ann", selltest.TestCard)
		until(t, "a letter to be refused twice", func() bool { return s.box.refusing() == 0 })
		until(t, "the outbox to tell", func() bool {
			letters, page := s.reads("status=pending", password)
			return len(letters) == 1 && strings.HasPrefix(letters[0], "Tried again later: ") && strings.Contains(page, "come again later")
		})
		mails, err := s.ListMails(t.Context(), v1.MailQuery{})
		noError(t, err)
		if !strings.Contains(mails.Data[0].Error, "come again later") {
			t.Errorf("the letter that was refused is %+v", mails.Data[0])
		}
		s.buys("bob", selltest.TestCard)
		until(t, "a letter to be sent", func() bool {
			letters, _ := s.reads("status=delivered", password)
			return len(letters) > 0 && strings.HasPrefix(letters[0], "Sent: ")
		})
	})
}

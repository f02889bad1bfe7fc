package sandbox

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // pages.html, style.css
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

var (
	//go:embed pages.html
	pagesHTML string
	//go:embed style.css
	styleCSS string

	templates = template.Must(template.New("pages").Parse(pagesHTML))
	styleHash = func() string {
		sum := sha256.Sum256([]byte(styleCSS))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

// view is what a template shows. All of it but the style is text, which the template escapes.
type view struct {
	Style template.CSS
	Title string
	Token string
	Alert string // what went wrong
	Lead  string // how it stands, in a sentence

	// The order.
	App, What, Credits, Amount string
	Customer                   []string
	State                      status
	Badge                      string // the state for people
	Paying                     bool   // rather than saving a card
	SaveCard                   bool
	Number                     string // in the field
	Cards                      []cardView
	Asked                      string // the card that is to be confirmed
	Success, Cancel            string // addresses; empty: none
	Payment                    string
	Refunds                    []refundView
	Disputable                 bool
	Disputed                   wallet.DisputeStatus

	// The portal.
	Kept []keptView
}

// cardView is a test card to choose.
type cardView struct {
	Number, Spaced, Meaning string
	Chosen                  bool
}

type keptView struct{ Method, Label, Meaning string }

type refundView struct {
	ID, Amount string
	Status     wallet.RefundStatus
}

// leads say how an order stands.
var leads = map[status]string{
	processing: "Your part is done. The money is on its way.",
	paid:       "This is paid.",
	failed:     "The bank did not send the money. Nothing was paid.",
	closed:     "This page was closed. Nothing was paid.",
	expired:    "The time to pay on this page is over. Nothing was paid.",
}

// titles head the pages.
var titles = map[status]string{
	open: "Pay", confirming: "Confirm the payment", processing: "On its way", paid: "Thank you", failed: "Not paid", closed: "Closed", expired: "Expired",
}

// view is what the page of an order shows.
func (r *record) view(token string) view {
	v := view{
		Token: token, Title: titles[r.Status], Lead: leads[r.Status], App: r.AppName, What: r.Text, Credits: r.Credits,
		Customer: who(r.Key.Customer, r.Name, r.Email), State: r.Status, Paying: r.Minor > 0, SaveCard: r.SaveCard,
		Success: r.back(), Cancel: webOnly(r.CancelURL), Payment: r.paidAs(), Disputable: r.Status == paid && r.Minor > 0,
	}
	v.Badge = string(r.Status)
	switch {
	case r.Minor > 0:
		v.Amount = money.Display(r.Minor, r.Currency)
	case r.Status == open:
		v.Title = "Save a card"
	case r.Status == paid:
		v.Badge, v.Lead = "saved", "The card is saved."
	}
	if r.Quantity > 1 {
		v.What += " × " + strconv.FormatInt(r.Quantity, 10)
	}
	if r.Status == open && !r.Page { // nothing to fill in
		v.State, v.Badge, v.Title, v.Lead = declined, "off session", "Not paid yet", "The card that is kept is charged without a page."
	}
	if p := r.last(); p != nil && p.Decline != nil && r.Status == open {
		v.Alert = p.Decline.Text
	}
	if c := named(r.Asked); c != nil {
		v.Asked = c.label()
	}
	for i := range r.Refunds {
		f := &r.Refunds[i]
		v.Refunds = append(v.Refunds, refundView{f.ID, money.Display(f.Minor, r.Currency), f.Status})
	}
	if r.Dispute != nil {
		v.Disputed = r.Dispute.Status
	}
	return v
}

// choose lists the test cards, and puts one into the field: the one that was asked for, else the first.
func (v *view) choose(number string) {
	chosen := numbered(number)
	if chosen == nil {
		chosen = &cards[0]
	}
	v.Number = chosen.spaced()
	for i := range cards {
		c := &cards[i]
		if c.number != "" {
			v.Cards = append(v.Cards, cardView{c.number, c.spaced(), c.meaning, c == chosen})
		}
	}
}

// who is a customer for people: whatever is known of them.
func who(customer, name, email string) []string {
	var lines []string
	for _, line := range []string{name, email} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return []string{customer}
	}
	return lines
}

// webOnly is an address that a link may lead to; empty where it is none of the web.
func webOnly(address string) string {
	if origin(address) == "" {
		return ""
	}
	return address
}

// private sets the headers of every page: nobody else may show, keep or change it, and nothing is loaded.
// Forms may lead to target, an origin, as well, since browsers check where a form's answer sends them.
func private(h http.Header, target string) {
	form := "'self'"
	if target != "" {
		form += " " + target
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; form-action "+form+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // the address is a secret; none at all would hide where forms come from
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
}

// write answers with a page.
func write(w http.ResponseWriter, code int, name string, v view, target string) {
	v.Style = template.CSS(styleCSS) // ours: it is embedded
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, v); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	private(w.Header(), target)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes()) // who does not wait for it cannot be told
}

func notFound(w http.ResponseWriter) {
	write(w, http.StatusNotFound, "message", view{Title: "Not found", Lead: "There is no such page, or its time is over."}, "")
}

func denied(w http.ResponseWriter) {
	write(w, http.StatusForbidden, "message", view{Title: "Not accepted", Lead: "This form was not sent from its page. Load the page again, and send it from there. Nothing was paid."}, "")
}

// broken answers that something is not there, or does not work.
func broken(w http.ResponseWriter, err error) {
	if fault.CodeOf(err) == fault.CodeOrderNotFound {
		notFound(w)
		return
	}
	write(w, http.StatusServiceUnavailable, "message", view{Title: "Try again", Lead: "The sandbox did not answer. Load the page again to see how the payment stands: nothing is paid twice."}, "")
}

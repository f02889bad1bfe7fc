package mail

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// page is what templates see: the letter's fields, in texts that are safe on one line. Those that
// are for programs in the letter are for people here.
type page struct {
	Letter
	Greeting                    string // "Hello Ann," or "Hello,"
	Subject                     string // empty within the subject itself
	Credits, Balance, Threshold string // with commas between the thousands
	When                        string // "2 January 2026 at 15:04 UTC"
}

// button is what the template of that name shows.
type button struct{ Label, Link string }

// Button is the argument of the template "button".
func (p page) Button(label string) button { return button{label, p.Link} }

// newPage prepares a letter that has been checked.
func newPage(l Letter) page {
	for _, text := range []*string{&l.Name, &l.App, &l.Credit, &l.Plan, &l.Amount, &l.Card, &l.Invoice, &l.Reason} {
		*text = clean(*text)
	}
	lines := make([]Line, len(l.Lines))
	for i, line := range l.Lines {
		lines[i] = Line{clean(line.Text), clean(line.Quantity), clean(line.Amount)}
	}
	l.Lines = lines
	return page{
		Letter: l, Greeting: greeting(l.Name), When: moment(l.When, l.Zone),
		Credits: number(l.Credits), Balance: number(l.Balance), Threshold: number(l.Threshold),
	}
}

func number(d money.Decimal) string { return clean(money.Group(d)) }

// moment is an instant as people write it, where they are; empty for none.
func moment(at clock.Instant, zone string) string {
	if at.IsZero() {
		return ""
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC // never: the letter has been checked
	}
	return at.Time().In(loc).Format("2 January 2006 at 15:04 MST")
}

// advertises is a name that mail clients would turn into a link.
var advertises = regexp.MustCompile(`[/:@<>]|\.\pL{2}`)

// greeting addresses a person. Whoever opens an account chooses its name and address, so that a name
// which is an advertisement would be sent to strangers in the operator's name.
func greeting(name string) string {
	if name == "" || advertises.MatchString(name) {
		return "Hello,"
	}
	return "Hello " + name + ","
}

// clean makes a text one line of a letter or a header: of valid UTF-8, without control characters,
// without those that reverse what is read, with single spaces, and of at most MaxFact characters.
func clean(s string) string { return cut(oneLine(s), MaxFact) }

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens a text to a number of characters, the last of which then says so.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

package letters

import (
	"context"
	_ "embed" // outbox.html
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

//go:embed outbox.html
var outboxHTML string

var outboxTemplate = template.Must(template.New("outbox").Parse(outboxHTML))

// outboxPage is what the template shows: text, which it escapes, and queries of our own. Letters are shown
// in frames that can do nothing.
type outboxPage struct {
	Mode      string
	Sends     bool // a mail server is set
	KeptHours int
	Filters   []outboxFilter
	Letters   []outboxLetter
	None      string
	Older     template.URL // the query of the next page; empty: there is none
}

type outboxFilter struct {
	Name  string
	Query template.URL
	On    bool
}

type outboxLetter struct {
	Subject, To, Status, Word, When, Stamp, Why string
	HTML, Text                                  string
	Open                                        bool
}

// filters are the pages that there are, and what each says where it is empty.
var filters = []struct{ status, name, none string }{
	{"", "All", "Nobody has been written to yet."},
	{string(store.DeliveryPending), "Waiting", "No letter waits."},
	{string(store.DeliveryDelivered), "Sent", "No letter has been sent."},
	{string(store.DeliveryFailed), "Given up", "No letter was given up."},
	{string(store.DeliverySkipped), "Not sent", "No letter was left unsent."},
}

// OutboxPage is the letters that ListMails reads, for people.
func (s *Session) OutboxPage(ctx context.Context, q v1.MailQuery) (v1.HTML, error) {
	found, err := s.ListMails(ctx, q)
	if err != nil {
		return "", err
	}
	page := outboxPage{Mode: string(s.caller.Mode), Sends: s.core.Sender != nil, KeptHours: int(Stale / time.Hour)}
	for _, f := range filters {
		query := url.Values{}
		if f.status != "" {
			query.Set("status", f.status)
		}
		if q.Limit != 0 {
			query.Set("limit", strconv.Itoa(q.Limit))
		}
		on := f.status == q.Status
		page.Filters = append(page.Filters, outboxFilter{f.name, template.URL(query.Encode()), on})
		if !on {
			continue
		}
		page.None = f.none
		if found.NextCursor != "" || q.Cursor != "" {
			page.None = "There is no letter on this page." // of some events none is made
		}
		if found.NextCursor != "" {
			query.Set("cursor", found.NextCursor)
			page.Older = template.URL(query.Encode())
		}
	}
	for i := range found.Data {
		if m := &found.Data[i]; m.Subject != "" {
			page.Letters = append(page.Letters, s.core.shown(m))
		}
	}
	if len(page.Letters) > 0 {
		page.Letters[0].Open = true
	}
	var out strings.Builder
	if err := outboxTemplate.Execute(&out, page); err != nil {
		return "", fault.New("letters.OutboxPage", fault.CodeInternalError, "the outbox cannot be shown").Because(err)
	}
	return v1.HTML(out.String()), nil
}

func (c *Core) shown(m *v1.Mail) outboxLetter {
	at := m.CreatedAt
	if !m.SentAt.IsZero() {
		at = m.SentAt
	}
	l := outboxLetter{
		Subject: m.Subject, To: m.To, Status: m.Status, Word: c.word(m), When: moment(at), Stamp: at.String(), Why: m.Error,
		HTML: m.HTML, Text: m.Text,
	}
	if m.To == "" {
		l.To = m.CustomerID + " (no address is known)"
	}
	return l
}

// word is what became of a letter.
func (c *Core) word(m *v1.Mail) string {
	switch store.DeliveryStatus(m.Status) {
	case store.DeliveryDelivered:
		return "Sent"
	case store.DeliveryFailed:
		return "Given up"
	case store.DeliverySkipped:
		return "Not sent"
	}
	if c.Sender != nil && m.Error != "" {
		return "Tried again later"
	}
	return "Waiting"
}

func moment(at clock.Instant) string { return at.Time().Format("2 January 2006, 15:04 UTC") }

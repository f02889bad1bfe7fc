package letters

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Session does what one caller asks about letters.
type Session struct {
	core   *Core
	caller v1.Caller
}

// As returns the session of a caller.
func (c *Core) As(caller v1.Caller) *Session { return &Session{core: c, caller: caller} }

// ListMails reads the letters to the customers of the caller's app and mode, newest first.
func (s *Session) ListMails(ctx context.Context, q v1.MailQuery) (v1.Page[v1.Mail], error) {
	none := v1.Page[v1.Mail]{Data: []v1.Mail{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return none, err
	}
	query := store.DeliveryQuery{
		Endpoint: catalog.MailReceiver, App: s.caller.App, Mode: s.caller.Mode, Status: store.DeliveryStatus(q.Status), Limit: limit + 1,
	}
	switch query.Status {
	case "", store.DeliveryPending, store.DeliveryDelivered, store.DeliveryFailed, store.DeliverySkipped:
	default:
		return none, fault.New("letters.ListMails", fault.CodeInvalidRequest, "status must be pending, delivered, failed or skipped").In("status")
	}
	if q.Cursor != "" {
		at, err := caller.Position("mal", q.Cursor)
		if err != nil {
			return none, err
		}
		query.Before = &store.DeliveryPlace{At: at.At, Wallet: at.Wallet, N: at.N}
	}
	found, err := s.core.Store.ListDeliveries(ctx, query)
	if err != nil {
		return none, err
	}
	var failed error
	page := caller.Page(found, limit, func(d *store.Delivery) (v1.Mail, string) {
		m, err := s.core.read(ctx, d)
		if failed == nil {
			failed = err
		}
		return m, caller.Cursor("mal", d.CreatedAt, d.Wallet, d.N)
	})
	return page, failed
}

// read writes the letter of a delivery as it is, or would be, sent.
func (c *Core) read(ctx context.Context, d *store.Delivery) (v1.Mail, error) {
	out := v1.Mail{
		ID: id.Object(id.PrefixDelivery, d.Wallet, d.N), Kind: string(d.Type), Status: string(d.Status), CreatedAt: d.CreatedAt,
	}
	if d.Status == store.DeliveryDelivered {
		out.SentAt = d.FinishedAt
	}
	e, err := c.Notify.EventOf(ctx, d.Wallet, d.N)
	if err != nil {
		return out, err
	}
	out.CustomerID = e.Key.Customer
	if d.Tries > 0 && d.Status != store.DeliveryDelivered {
		if out.Error, err = c.failure(ctx, d); err != nil {
			return out, err
		}
	}
	offer := *c
	offer.Offer = c.silent // reading opens no page
	l, err := offer.letter(ctx, e)
	if err != nil || l == nil {
		return out, err
	}
	out.Kind, out.To = string(l.Kind), l.To
	if l.To == "" {
		l.To = "nobody@example.com" // who has no address can still be written to, for whoever reads the outbox
	}
	r, err := c.Templates.Render(*l)
	if err != nil {
		return out, err
	}
	out.Subject, out.Text, out.HTML = r.Subject, r.Text, r.HTML
	return out, nil
}

// failure is why a letter could not be sent when that was tried last.
func (c *Core) failure(ctx context.Context, d *store.Delivery) (string, error) {
	l, err := c.Store.FindDelivery(ctx, d.Wallet, d.N)
	if err != nil || l == nil || len(l.Log) == 0 {
		return "", err
	}
	return l.Log[len(l.Log)-1].Error, nil
}

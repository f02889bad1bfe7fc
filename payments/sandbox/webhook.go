package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// The headers of the Standard Webhooks specification, by which the sandbox signs.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	scheme          = "v1,"
)

// envelope is the body of a webhook.
type envelope struct {
	ID      string        `json:"id"`
	Type    string        `json:"type"` // as "order.paid"
	Created clock.Instant `json:"created"`
	App     string        `json:"app"`
	Order   string        `json:"order"`
	News    message       `json:"news"`
}

// signature is what proves a body, whose id and time it is bound to.
func (k *keys) signature(name, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, k.Sign)
	mac.Write([]byte(name + "." + timestamp + "."))
	mac.Write(body)
	return scheme + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// send delivers one event of an order, signed anew each time: receivers refuse old signatures.
func (p *Provider) send(ctx context.Context, r *record, e *event) error {
	const op = "sandbox.send"
	k, err := p.needKeys(ctx, op, r.Key.App, r.Key.Mode)
	if err != nil {
		return err
	}
	body, err := json.Marshal(envelope{
		ID: e.ID, Type: "order." + string(e.News.Kind), Created: e.At, App: r.Key.App, Order: r.Order, News: e.News,
	})
	if err != nil {
		return unreachable(op, err)
	}
	timestamp := strconv.FormatInt(p.Clock.Now().Time().Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(headerID, e.ID)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, k.signature(e.ID, timestamp, body))
	return p.Deliver(ctx, r.Key.Mode, h, body)
}

// deliver delivers what an order has to tell, in order, up to the first that is not taken. Two who do so at
// the same time deliver twice, which receivers are used to.
func (p *Provider) deliver(ctx context.Context, session string) error {
	const op = "sandbox.deliver"
	// What was paid is told, even if the customer does not wait for the answer.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), deliverTime)
	defer stop()
	blank := store.ProviderObject{ID: session, Kind: orderKind}
	r, err := p.change(ctx, op, blank, func(*record) error { return nil })
	if err != nil {
		return err
	}
	var done []string
	var failure error
	for i := range r.Events {
		e := &r.Events[i]
		if p.Clock.Now().Sub(e.At) <= giveUp {
			if failure = p.send(ctx, r, e); failure != nil {
				break
			}
		}
		done = append(done, e.ID)
	}
	if len(done) == 0 {
		return failure
	}
	_, err = p.change(ctx, op, blank, func(r *record) error {
		r.Events = slices.DeleteFunc(r.Events, func(e event) bool { return slices.Contains(done, e.ID) })
		return nil
	})
	if failure != nil {
		return failure
	}
	return err
}

// Redeliver delivers what was not taken when it happened: it is to be called now and then. It tries all
// that there is, and returns the first error.
func (p *Provider) Redeliver(ctx context.Context) error {
	late, err := p.Objects.ProviderObjects(ctx, store.ProviderQuery{Kind: orderKind, Ref: undelivered, Limit: maxAtOnce})
	if err != nil {
		return unreachable("sandbox.Redeliver", err)
	}
	for i := range late {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e := p.deliver(ctx, late[i].ID); e != nil && err == nil {
			err = e
		}
	}
	return err
}

// Read verifies a webhook and says what it tells. The error's code is invalid_signature where it was not
// signed here for this mode, or at another time.
func (p *Provider) Read(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) ([]provider.Event, error) {
	const op = "sandbox.Read"
	// Whose keys to check by is the only thing that is taken from a body that is not proven yet.
	var e envelope
	if len(body) > maxWebhook || json.Unmarshal(body, &e) != nil {
		return nil, unsigned(op)
	}
	k, err := p.keysOf(ctx, op, e.App, mode)
	if err != nil {
		return nil, err
	}
	if k == nil || !p.genuine(k, header, body) {
		return nil, unsigned(op)
	}
	return []provider.Event{{ID: e.ID, OrderID: e.Order, News: wallet.OrderNews(e.News)}}, nil
}

func unsigned(op string) error {
	return fault.New(op, fault.CodeInvalidSignature, "The webhook was not signed by the sandbox of this mode within the last %d minutes.", tolerance/time.Minute)
}

// genuine reports whether one of the signatures is ours and of now.
func (p *Provider) genuine(k *keys, header http.Header, body []byte) bool {
	timestamp := header.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || seconds <= 0 {
		return false
	}
	age := p.Clock.Now().Time().Unix() - seconds
	if most := int64(tolerance / time.Second); age > most || age < -most {
		return false
	}
	want := []byte(k.signature(header.Get(headerID), timestamp, body))
	for given := range strings.FieldsSeq(header.Get(headerSignature)) {
		if hmac.Equal([]byte(given), want) {
			return true
		}
	}
	return false
}

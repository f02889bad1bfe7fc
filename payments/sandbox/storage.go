package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// The kinds of objects.
const (
	keysKind     = "keys"
	orderKind    = "order"
	customerKind = "customer"
	portalKind   = "portal"
)

// undelivered is the reference of orders with news to deliver. Those without have none.
const undelivered = "undelivered"

// keys are the secrets of one app and mode.
type keys struct {
	Sign []byte `json:"sign"` // signs webhooks
	Name []byte `json:"name"` // makes ids and tokens that cannot be guessed, the same each time
}

// keyBytes is the length of a key.
const keyBytes = 32

func keysID(app string, mode catalog.Mode) string {
	sum := sha256.Sum256([]byte(string(mode) + " " + app))
	return "key_sbx_" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// derive makes an id or a token of what it is for. Only who knows the key can make the same.
func (k *keys) derive(use, what string) string {
	mac := hmac.New(sha256.New, k.Name)
	mac.Write([]byte(use + "." + what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// keysOf reads the keys of an app and mode, nil where there are none.
func (p *Provider) keysOf(ctx context.Context, op, app string, mode catalog.Mode) (*keys, error) {
	name := keysID(app, mode)
	if k, ok := p.known.Load(name); ok {
		return k.(*keys), nil
	}
	o, err := p.Objects.ProviderObject(ctx, name)
	if err != nil || o == nil {
		return nil, unreachable(op, err)
	}
	k := &keys{}
	if err := json.Unmarshal(o.Body, k); err != nil {
		return nil, unreachable(op, err)
	}
	p.known.Store(name, k)
	return k, nil
}

// needKeys reads the keys of an app and mode, and makes them on first use.
func (p *Provider) needKeys(ctx context.Context, op, app string, mode catalog.Mode) (*keys, error) {
	k, err := p.keysOf(ctx, op, app, mode)
	if err != nil || k != nil {
		return k, err
	}
	blank := store.ProviderObject{ID: keysID(app, mode), App: app, Mode: mode, Kind: keysKind, CreatedAt: p.Clock.Now()}
	err = p.swap(ctx, op, blank, func(o *store.ProviderObject) error {
		if o.Body != nil {
			return nil // another server was first
		}
		fresh := keys{Sign: make([]byte, keyBytes), Name: make([]byte, keyBytes)}
		_, _ = rand.Read(fresh.Sign) // it never fails: the runtime ends the process instead
		_, _ = rand.Read(fresh.Name)
		var err error
		o.Body, err = json.Marshal(fresh)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.keysOf(ctx, op, app, mode)
}

// orderObject is the object of an order before it is stored. Its id, which is that of the page, cannot be
// guessed, and is the same each time, so that an order has one page however often it is asked for.
func (p *Provider) orderObject(ctx context.Context, op string, key wallet.Key, order string) (store.ProviderObject, error) {
	k, err := p.needKeys(ctx, op, key.App, key.Mode)
	if err != nil {
		return store.ProviderObject{}, err
	}
	return store.ProviderObject{
		ID: "cs_sbx_" + k.derive("order", order), App: key.App, Mode: key.Mode, Kind: orderKind, CreatedAt: p.Clock.Now(),
	}, nil
}

// swap changes an object, or makes it: f gets it as it is stored, or blank, and is called again when
// another was faster. What f leaves as it was is not written.
func (p *Provider) swap(ctx context.Context, op string, blank store.ProviderObject, f func(*store.ProviderObject) error) error {
	for range maxTries {
		have, err := p.Objects.ProviderObject(ctx, blank.ID)
		if err != nil {
			return unreachable(op, err)
		}
		if have == nil {
			have = &blank
		}
		if have.Kind != blank.Kind {
			return fault.New(op, fault.CodeInvalidID, "This is the id of something else.")
		}
		o := *have
		if err := f(&o); err != nil {
			return unreachable(op, err)
		}
		if bytes.Equal(o.Body, have.Body) && o.Ref == have.Ref {
			return nil
		}
		err = p.Objects.PutProviderObject(ctx, o)
		if err == nil || !errors.Is(err, store.ErrRetry) {
			return unreachable(op, err)
		}
	}
	return unreachable(op, store.ErrRetry)
}

// change changes what is known of an order; f gets an empty record where nothing is.
func (p *Provider) change(ctx context.Context, op string, blank store.ProviderObject, f func(*record) error) (*record, error) {
	var r *record
	err := p.swap(ctx, op, blank, func(o *store.ProviderObject) error {
		r = &record{session: o.ID}
		if err := decode(o.Body, r); err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
		o.Ref = ""
		if len(r.Events) > 0 {
			o.Ref = undelivered
		}
		var err error
		o.Body, err = json.Marshal(r)
		return err
	})
	return r, err
}

// act changes what is known of an order that there is, and delivers the news. A page whose time is over
// is closed first.
func (p *Provider) act(ctx context.Context, op, session string, f func(*record) error) (*record, error) {
	r, err := p.change(ctx, op, store.ProviderObject{ID: session, Kind: orderKind}, func(r *record) error {
		if r.Order == "" {
			return unknownPage(op)
		}
		r.expire(p.Clock.Now())
		return f(r)
	})
	if fault.CodeOf(err) == fault.CodeInvalidID {
		return nil, unknownPage(op)
	}
	if err != nil {
		return nil, err
	}
	if len(r.Events) > 0 {
		// What fails to be delivered now is delivered by Redeliver: it does not fail the payment.
		_ = p.deliver(ctx, session)
	}
	return r, nil
}

// decode reads a body, of which there may be none yet.
func decode(body []byte, into any) error {
	if body == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// unreachable is an error of the store: as it is where it says what it means.
func unreachable(op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e != nil {
		return e
	}
	return fault.New(op, fault.CodePaymentProviderError, "The sandbox cannot read or write what it knows at the moment.").Because(err)
}

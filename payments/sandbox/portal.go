package sandbox

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// portal is a link to a customer's cards.
type portal struct {
	Key       wallet.Key    `json:"key"`
	Name      string        `json:"name,omitempty"`
	Email     string        `json:"email,omitempty"`
	ReturnURL string        `json:"return_url,omitempty"`
	ExpiresAt clock.Instant `json:"expires_at"`
}

// Portal makes a link to a page on which a customer sees their cards, removes them and adds others. It
// is good for an hour.
func (p *Provider) Portal(ctx context.Context, place provider.Place, returnURL string) (string, error) {
	const op = "sandbox.Portal"
	k, err := p.needKeys(ctx, op, place.Key.App, place.Key.Mode)
	if err != nil {
		return "", err
	}
	at := p.Clock.Now()
	body, err := json.Marshal(portal{Key: place.Key, Name: place.Name, Email: place.Email, ReturnURL: returnURL, ExpiresAt: at.Add(portalLife)})
	if err != nil {
		return "", unreachable(op, err)
	}
	name := "bps_sbx_" + k.derive("portal", id.New("bps"))
	err = p.Objects.PutProviderObject(ctx, store.ProviderObject{
		ID: name, App: place.Key.App, Mode: place.Key.Mode, Kind: portalKind, Ref: customerID(place.Key), Body: body, CreatedAt: at,
	})
	if err != nil {
		return "", unreachable(op, err)
	}
	return p.Base + "/pay/portal/" + name, nil
}

// portalOf reads what a link stands for. One that is too old is as unknown as any other.
func (p *Provider) portalOf(ctx context.Context, name string) (*portal, error) {
	o, err := p.Objects.ProviderObject(ctx, name)
	if err != nil {
		return nil, unreachable(opPage, err)
	}
	if o == nil || o.Kind != portalKind {
		return nil, unknownPage(opPage)
	}
	l := &portal{}
	if err := json.Unmarshal(o.Body, l); err != nil {
		return nil, unreachable(opPage, err)
	}
	if l.ExpiresAt <= p.Clock.Now() {
		return nil, unknownPage(opPage)
	}
	return l, nil
}

func (p *Provider) showPortal(w http.ResponseWriter, r *http.Request) {
	l, err := p.portalOf(r.Context(), r.PathValue("portal"))
	if err != nil {
		broken(w, err)
		return
	}
	p.portalPage(w, r, l, http.StatusOK, "")
}

// portalPage writes the page of a customer's cards.
func (p *Provider) portalPage(w http.ResponseWriter, r *http.Request, l *portal, code int, message string) {
	have, err := p.customer(r.Context(), opPage, l.Key)
	if err != nil {
		broken(w, err)
		return
	}
	token, err := p.token(r.Context(), l.Key, r.PathValue("portal"))
	if err != nil {
		broken(w, err)
		return
	}
	v := view{Token: token, Title: "Your cards", Customer: who(l.Key.Customer, l.Name, l.Email), Cancel: webOnly(l.ReturnURL), Alert: message}
	for _, k := range have.Cards {
		if c := named(k.Card); c != nil {
			v.Kept = append(v.Kept, keptView{Method: k.Method, Label: c.label(), Meaning: c.meaning})
		}
	}
	v.choose(r.URL.Query().Get("card"))
	write(w, code, "portal", v, "")
}

// postPortal removes a card, or adds one.
func (p *Provider) postPortal(w http.ResponseWriter, r *http.Request) {
	ctx, name := r.Context(), r.PathValue("portal")
	l, err := p.portalOf(ctx, name)
	if err != nil {
		broken(w, err)
		return
	}
	if !p.formOf(w, r, l.Key, name) {
		return
	}
	message := ""
	switch r.PostForm.Get("do") {
	case "remove":
		err = p.forget(ctx, opPage, l.Key, r.PostForm.Get("method"))
		if fault.CodeOf(err) == fault.CodeNotFound {
			err = nil // removed already
		}
	case "add":
		message, err = p.add(ctx, l.Key, numbered(r.PostForm.Get("number")))
	default:
		message = "The page has no such button."
	}
	switch {
	case err != nil:
		broken(w, err)
	case message != "":
		p.portalPage(w, r, l, http.StatusUnprocessableEntity, message)
	default:
		w.Header().Set("Location", name)
		private(w.Header(), "")
		w.WriteHeader(http.StatusSeeOther)
	}
}

// add keeps a card, or says why it cannot be kept.
func (p *Provider) add(ctx context.Context, key wallet.Key, c *card) (string, error) {
	if c == nil {
		return "That is not a test card. Choose one below: real cards do not work here.", nil
	}
	if c.page == declines {
		return c.decline.Text, nil
	}
	return "", p.keep(ctx, opPage, key, c)
}

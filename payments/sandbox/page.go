package sandbox

import (
	"context"
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// routes are the pages. Forms are taken only from the pages themselves: each carries a token of its page,
// and what a browser says comes from elsewhere is refused.
func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pay/{session}", p.showOrder)
	mux.HandleFunc("POST /pay/{session}", p.postOrder)
	mux.HandleFunc("GET /pay/portal/{portal}", p.showPortal)
	mux.HandleFunc("POST /pay/portal/{portal}", p.postPortal)
	mux.HandleFunc("/pay/", func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { denied(w) }))
	return guard.Handler(mux)
}

// ServeHTTP serves the pages, under /pay/.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p.pages.ServeHTTP(w, r)
}

const opPage = "sandbox.page"

// showOrder shows how an order stands, with what can be done about it.
func (p *Provider) showOrder(w http.ResponseWriter, r *http.Request) {
	order, err := p.act(r.Context(), opPage, r.PathValue("session"), func(*record) error { return nil })
	if err != nil {
		broken(w, err)
		return
	}
	p.show(w, r, order, http.StatusOK, "")
}

// show writes the page of an order, with a message about what was typed.
func (p *Provider) show(w http.ResponseWriter, r *http.Request, order *record, code int, message string) {
	token, err := p.token(r.Context(), order.Key, order.session)
	if err != nil {
		broken(w, err)
		return
	}
	v := order.view(token)
	v.choose(r.URL.Query().Get("card"))
	if message != "" {
		v.Alert = message
	}
	write(w, code, "order", v, origin(order.SuccessURL))
}

// token is what the forms of a page carry, so that nobody else can send them.
func (p *Provider) token(ctx context.Context, key wallet.Key, page string) (string, error) {
	k, err := p.needKeys(ctx, opPage, key.App, key.Mode)
	if err != nil {
		return "", err
	}
	return k.derive("form", page), nil
}

// formOf checks the form that was sent, and reports whether it may go on.
func (p *Provider) formOf(w http.ResponseWriter, r *http.Request, key wallet.Key, page string) bool {
	token, err := p.token(r.Context(), key, page)
	switch {
	case err != nil:
		broken(w, err)
	case r.ParseForm() != nil || !hmac.Equal([]byte(r.PostForm.Get("token")), []byte(token)):
		denied(w)
	default:
		return true
	}
	return false
}

// errNotATestCard is that a number was typed that no test card has.
var errNotATestCard = errors.New("not a test card")

// postOrder does what a button says, and sends the customer on.
func (p *Provider) postOrder(w http.ResponseWriter, r *http.Request) {
	session := r.PathValue("session")
	have, err := p.act(r.Context(), opPage, session, func(*record) error { return nil })
	if err != nil {
		broken(w, err)
		return
	}
	if !p.formOf(w, r, have.Key, session) {
		return
	}
	do := r.PostForm.Get("do")
	after, err := p.press(r, have, do)
	switch {
	case errors.Is(err, errNotATestCard):
		// What was typed is not shown again, nor kept: it could be a real card.
		p.show(w, r, have, http.StatusUnprocessableEntity, "That is not a test card. Choose one below: real cards do not work here.")
	case fault.CodeOf(err) == fault.CodeInvalidRequest || fault.CodeOf(err) == fault.CodeOrderNotPaid || fault.CodeOf(err) == fault.CodeNotFound:
		p.show(w, r, have, http.StatusConflict, fault.As(err).Message)
	case err != nil:
		broken(w, err)
	default:
		next(w, after, do)
	}
}

// next sends the customer to where they came from once they have paid, else back to the page.
func next(w http.ResponseWriter, r *record, do string) {
	target := r.session // relative to the page, which may be reached under any address
	if back := r.back(); back != "" && r.Status == paid && (do == doPay || do == doComplete) {
		target = back
	}
	w.Header().Set("Location", target)
	private(w.Header(), "")
	w.WriteHeader(http.StatusSeeOther)
}

// What the buttons of a page do.
const (
	doPay      = "pay"
	doDecline  = "decline"
	doAsk      = "authenticate"
	doLater    = "later"
	doComplete = "complete" // confirm to the bank
	doRefuse   = "refuse"   // and do not
	doArrive   = "arrive"   // the money has arrived
	doBounce   = "bounce"   // the bank does not send it
	doDispute  = "dispute"
	doWin      = "win"
	doLose     = "lose"
	doFail     = "fail_refund"
)

// press does what a button says.
func (p *Provider) press(r *http.Request, have *record, do string) (*record, error) {
	ctx, session := r.Context(), have.session
	at := p.Clock.Now()
	change := func(f func(*record) error) (*record, error) { return p.act(ctx, opPage, session, f) }
	switch do {
	case doPay, doDecline, doAsk, doLater:
		return p.tryCard(ctx, have, r.PostForm.Get("number"), do)
	case doComplete:
		return p.confirm(ctx, have)
	case doRefuse:
		return change(func(r *record) error { r.unconfirmed(at); return nil })
	case doArrive, doBounce:
		return change(func(r *record) error { r.settle(do == doArrive, at); return nil })
	case doDispute, doWin, doLose:
		to := map[string]wallet.DisputeStatus{doDispute: wallet.DisputeOpen, doWin: wallet.DisputeWon, doLose: wallet.DisputeLost}[do]
		return change(func(r *record) error { return r.contest(opPage, to, at) })
	case doFail:
		return change(func(f *record) error { return f.failRefund(opPage, r.PostForm.Get("refund"), at) })
	}
	return nil, fault.New(opPage, fault.CodeInvalidRequest, "The page has no such button.")
}

// tryCard pays with a card, or plays what the button says instead.
func (p *Provider) tryCard(ctx context.Context, have *record, number, do string) (*record, error) {
	c := numbered(number)
	if c == nil {
		return nil, errNotATestCard
	}
	does := c.page
	switch do {
	case doDecline:
		c, does = named("pm_card_chargeDeclined"), declines
	case doAsk:
		does = asks
	case doLater:
		c, does = named(bankAccount), waits
	}
	if have.Minor == 0 && does == waits {
		return nil, fault.New(opPage, fault.CodeInvalidRequest, "There is nothing to pay later.")
	}
	return p.pay(ctx, have, c, does)
}

// confirm pays with the card that the bank had asked about.
func (p *Provider) confirm(ctx context.Context, have *record) (*record, error) {
	c := named(have.Asked)
	if c == nil { // confirmed already, or not asked
		return have, nil
	}
	if err := p.keepFirst(ctx, have, c); err != nil {
		return nil, err
	}
	return p.act(ctx, opPage, have.session, func(r *record) error {
		if r.Status == confirming && r.Asked == c.name {
			r.pay(0, c, pays, p.Clock.Now())
		}
		return nil
	})
}

// pay pays on the page, once.
func (p *Provider) pay(ctx context.Context, have *record, c *card, does outcome) (*record, error) {
	if does == pays || does == waits {
		if err := p.keepFirst(ctx, have, c); err != nil {
			return nil, err
		}
	}
	return p.act(ctx, opPage, have.session, func(r *record) error {
		switch {
		case !r.waiting():
		case does == asks:
			r.ask(c)
		default:
			r.pay(0, c, does, p.Clock.Now())
		}
		return nil
	})
}

// keepFirst keeps the card of an order that wants that, before the payment tells of it: a card that is
// kept without a payment does no harm.
func (p *Provider) keepFirst(ctx context.Context, have *record, c *card) error {
	if !have.SaveCard || !have.waiting() {
		return nil
	}
	return p.keep(ctx, opPage, have.Key, c)
}

// unconfirmed takes that the customer did not confirm the payment to the bank.
func (r *record) unconfirmed(at clock.Instant) {
	c := named(r.Asked)
	if r.Status != confirming || c == nil {
		return
	}
	declined := *c
	declined.decline = absentDecline
	r.pay(0, &declined, declines, at)
}

// back is where the customer goes once they have paid; empty: nowhere.
func (r *record) back() string {
	if origin(r.SuccessURL) == "" {
		return ""
	}
	return strings.ReplaceAll(r.SuccessURL, "{CHECKOUT_SESSION_ID}", r.session)
}

// plainHost is a host that can be named in a header as it is.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

// origin is the scheme and host of an address of the web; empty where it is none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !plainHost.MatchString(u.Host) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

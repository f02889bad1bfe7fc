package stripefake

import (
	"html/template"
	"net/http"
	"strings"
)

// sessionMark is what Stripe replaces in success_url by the session's id.
const sessionMark = "{CHECKOUT_SESSION_ID}"

var payPage = template.Must(template.New("pay").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pay (fake)</title></head>
<body><h1>Checkout, without money</h1>
{{with .Error}}<p role="alert">{{.}}</p>{{end}}
{{range .Lines}}<p>{{.Quantity}} &times; {{.Description}}: {{.AmountTotal}} {{.Currency}}</p>{{end}}
{{with .Total}}<p>Total, in minor units: <strong>{{.}}</strong></p>{{end}}
<form method="post">
<p><label>Card <select name="card">{{range .Cards}}<option>{{.}}</option>{{end}}</select></label></p>
<p><button name="action" value="pay">Pay</button>
<button name="action" value="later">Pay by bank, takes days</button>
<button name="action" value="decline">Be declined</button>
<button name="action" value="cancel">Cancel</button></p>
</form></body></html>
`))

var portalPage = template.Must(template.New("portal").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Billing (fake)</title></head>
<body><h1>Billing portal, without anything in it</h1><p>{{with .}}<a href="{{.}}">Back</a>{{end}}</p></body></html>
`))

// pageView is what the pay page shows.
type pageView struct {
	Error string
	Lines []lineItem
	Total int64
	Cards []string
}

// pageCards are the cards that the pay page offers.
var pageCards = []string{
	DefaultCard, "pm_card_mastercard", "pm_card_authenticationRequired", "pm_card_chargeCustomerFail",
	"pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds",
}

// addPages adds the pages that stand in for Stripe's own.
func (f *Fake) addPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /pay/{id}", func(w http.ResponseWriter, r *http.Request) { f.showPay(w, r.PathValue("id"), "") })
	mux.HandleFunc("POST /pay/{id}", f.submitPay)
	mux.HandleFunc("GET /portal/{id}", f.showPortal)
}

// showPay shows an open session, with what went wrong before.
func (f *Fake) showPay(w http.ResponseWriter, id, problem string) {
	f.lock()
	s, err := f.openSession(id)
	view := pageView{Error: problem, Cards: pageCards}
	if err == nil {
		for _, line := range s.lines {
			view.Lines = append(view.Lines, *line)
		}
		if s.AmountTotal != nil {
			view.Total = *s.AmountTotal
		}
	}
	f.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if problem != "" {
		w.WriteHeader(http.StatusPaymentRequired)
	}
	_ = payPage.Execute(w, view) // a browser that has gone away is not our error
}

// submitPay does what a button of the page says, and sends the browser back to
// where the session came from.
func (f *Fake) submitPay(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	success, cancel, err := f.returnURLs(id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	switch r.PostFormValue("action") {
	case "pay":
		err = f.Pay(id, r.PostFormValue("card"))
	case "later":
		err = f.PayLate(id)
	case "decline":
		err = f.Pay(id, "pm_card_chargeDeclined")
	case "cancel":
		success = cancel
	default:
		http.Error(w, "unknown action", http.StatusBadRequest)
		return
	}
	if err != nil {
		f.showPay(w, id, err.Error())
		return
	}
	if success == "" {
		f.showPay(w, id, "There is nowhere to go back to.")
		return
	}
	http.Redirect(w, r, success, http.StatusSeeOther)
}

func (f *Fake) returnURLs(id string) (success, cancel string, err error) {
	f.lock()
	defer f.mu.Unlock()
	s, err := f.openSession(id)
	if err != nil {
		return "", "", err
	}
	return strings.ReplaceAll(string(s.SuccessURL), sessionMark, s.ID), string(s.CancelURL), nil
}

func (f *Fake) showPortal(w http.ResponseWriter, r *http.Request) {
	f.lock()
	p, err := find[*portal](f, "billing_portal.session", r.PathValue("id"), "")
	f.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = portalPage.Execute(w, string(p.ReturnURL))
}

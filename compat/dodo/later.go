package dodo

import (
	"net/http"

	"github.com/seed42445051/scrip/fault"
)

// payments are what a call that is not there yet waits for.
const payments = "it waits for payments"

// laterRoutes are calls whose services are not there yet. What changes something is refused, and
// says what it waits for; a list is empty, because there is nothing yet.
var laterRoutes = []route{
	later(http.MethodPost, "/checkouts", payments),
	later(http.MethodPost, "/checkouts/preview", payments),
	unknown("/checkouts/{id}"),
	later(http.MethodPost, "/subscriptions/{id}/charge", payments),
	later(http.MethodPost, "/subscriptions/{id}/update-payment-method", payments),
	later(http.MethodPost, "/payments", payments),
	none("/payments"),
	unknown("/payments/{id}"),
	unknown("/payments/{id}/line-items"),
	later(http.MethodPost, "/payments/{id}/retry", payments),
	unknown("/payments/{id}/retry"),
	later(http.MethodPost, "/refunds", payments),
	none("/refunds"),
	unknown("/refunds/{id}"),
	later(http.MethodGet, "/customers/{id}/payment-methods", payments),
	later(http.MethodDelete, "/customers/{id}/payment-methods/{method}", payments),
	later(http.MethodGet, "/customers/{id}/wallets", payments),
	later(http.MethodGet, "/customers/{id}/wallets/ledger-entries", payments),
	later(http.MethodPost, "/customers/{id}/wallets/ledger-entries", payments),
	later(http.MethodPost, "/customers/{id}/customer-portal/session", "it waits for the customer portal"),
}

// later is a call that is not there yet.
func later(method, path, why string) route {
	return route{method, path, http.StatusOK, func(*call) (any, error) {
		return nil, fault.New("dodo.later", fault.CodeNotImplemented, "Scrip does not have this call yet: %s", why)
	}}
}

// none is a list of what cannot exist yet.
func none(path string) route {
	return route{http.MethodGet, path, http.StatusOK, func(c *call) (any, error) {
		if _, err := c.window(); err != nil {
			return nil, err
		}
		return listed[struct{}](nil), nil
	}}
}

// unknown is one of what cannot exist yet.
func unknown(path string) route {
	return route{http.MethodGet, path, http.StatusOK, func(*call) (any, error) {
		return nil, notFound("nothing exists under this id")
	}}
}

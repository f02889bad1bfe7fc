package api

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments"
)

// WebhookPath is where payment providers tell what became of payments: one address for live mode, and
// one for all test modes.
const WebhookPath = "POST /webhooks/{provider}/{mode}"

// Webhooks takes the webhooks of payment providers. Whatever went wrong on our side is answered so that
// the provider tells it again; the answer says nothing that the sender need not know.
func Webhooks(p *payments.Core, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := takeWebhook(p, w, r)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		f := fault.As(err)
		log.Warn("a payment webhook was not taken", "provider", r.PathValue("provider"), "mode", r.PathValue("mode"), "code", f.Code, "cause", err)
		status := f.Kind().HTTPStatus()
		http.Error(w, string(f.Code)+": "+f.Message, status)
	})
}

func takeWebhook(p *payments.Core, w http.ResponseWriter, r *http.Request) error {
	const op = "api.Webhooks"
	mode := catalog.Mode(r.PathValue("mode"))
	if mode != catalog.Live && mode != catalog.Test {
		return fault.New(op, fault.CodeNotFound, "there is an address for live and one for test: /webhooks/PROVIDER/live and /webhooks/PROVIDER/test")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, payments.MaxWebhook))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return fault.New(op, fault.CodeRequestTooLarge, "a webhook has at most %d bytes", payments.MaxWebhook)
	}
	if err != nil {
		return fault.New(op, fault.CodeInvalidRequest, "the body did not arrive").Because(err)
	}
	return p.Webhook(r.Context(), r.PathValue("provider"), mode, r.Header, body)
}

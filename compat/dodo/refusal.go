package dodo

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/seed42445051/scrip/fault"
)

// refusal is a failure in the vendor's words: flat, with a code in capitals (dodo.md section 2).
type refusal struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is the message, for logs.
func (r *refusal) Error() string { return r.Message }

func invalidQuery(message string) error {
	return &refusal{http.StatusUnprocessableEntity, "INVALID_QUERY_PARAMS", message}
}

func invalidBody(message string) error {
	return &refusal{http.StatusUnprocessableEntity, "INVALID_REQUEST_BODY", message}
}

func invalidValue(message string) error {
	return &refusal{http.StatusUnprocessableEntity, "INVALID_REQUEST_PARAMETERS", message}
}

func notFound(message string) error {
	return &refusal{http.StatusNotFound, "NOT_FOUND", message}
}

// named is the error of a name that is taken, under the code of what bears it.
func named(err error, code string) error {
	if fault.CodeOf(err) != fault.CodeNameTaken {
		return err
	}
	return &refusal{http.StatusUnprocessableEntity, code, fault.As(err).Message}
}

// answer is a status and a code of the vendor's.
type answer struct {
	status int
	code   string
}

// byCode is what becomes of codes that the vendor tells apart.
var byCode = map[fault.Code]answer{
	fault.CodeInvalidJSON:         {http.StatusUnprocessableEntity, "INVALID_REQUEST_BODY"},
	fault.CodeMissingField:        {http.StatusUnprocessableEntity, "INVALID_REQUEST_BODY"},
	fault.CodeMetadataTooLarge:    {http.StatusUnprocessableEntity, "MAXIMUM_KEYS_REACHED"},
	fault.CodeInvalidAmount:       {http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS"},
	fault.CodeAmountTooPrecise:    {http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS"},
	fault.CodeAmountOutOfRange:    {http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS"},
	fault.CodeInsufficientCredits: {http.StatusBadRequest, "INSUFFICIENT_CREDIT_BALANCE"},
	fault.CodeOverageLimitReached: {http.StatusBadRequest, "OVERAGE_LIMIT_EXCEEDED"},
	fault.CodeNameTaken:           {http.StatusUnprocessableEntity, "CREDIT_ENTITLEMENT_NAME_ALREADY_EXISTS"},
	fault.CodeIdempotencyKeyReused: {
		http.StatusConflict, "IDEMPOTENCY_KEY_ALREADY_USED",
	},
	fault.CodeSubscriptionExists: {http.StatusConflict, "CUSTOMER_HAS_EXISTING_SUBSCRIPTION"},
	fault.CodeSubscriptionPaused: {http.StatusUnprocessableEntity, "SUBSCRIPTION_INACTIVE"},
	fault.CodeAlreadyCanceled:    {http.StatusUnprocessableEntity, "SUBSCRIPTION_INACTIVE"},
	fault.CodeAmountTooSmall:     {http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS"},
	fault.CodeOrderNotPaid:       {http.StatusUnprocessableEntity, "PAYMENT_NOT_SUCCEEDED"},
	fault.CodeRefundTooLarge:     {http.StatusUnprocessableEntity, "REFUND_AMOUNT_EXCEEDS_PAID_AMOUNT"},
	fault.CodeNoPaymentMethod:    {http.StatusUnprocessableEntity, "PAYMENT_METHOD_NOT_FOUND"},
	fault.CodePaymentsNotConfigured: {
		http.StatusUnprocessableEntity, "UNSUPPORTED_ACTION",
	},
}

// byKind is what becomes of all others.
var byKind = map[fault.Kind]answer{
	fault.Invalid:          {http.StatusUnprocessableEntity, "INVALID_REQUEST_PARAMETERS"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "UNAUTHORIZED"},
	fault.PaymentRequired:  {http.StatusBadRequest, "INSUFFICIENT_CREDIT_BALANCE"},
	fault.Forbidden:        {http.StatusForbidden, "FORBIDDEN"},
	fault.NotFound:         {http.StatusNotFound, "NOT_FOUND"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"},
	fault.Conflict:         {http.StatusConflict, "CONFLICT"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE"},
	fault.RateLimited:      {http.StatusTooManyRequests, "TOO_MANY_REQUESTS"},
	fault.Unimplemented:    {http.StatusNotImplemented, "NOT_IMPLEMENTED"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"},
}

// translate writes a failure in the vendor's words. What is our side's fault is not told.
func translate(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	e := fault.As(err)
	to, ok := byCode[e.Code]
	if !ok {
		to, ok = byKind[e.Kind()]
	}
	if !ok {
		return &refusal{http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "something went wrong on our side"}
	}
	if to.status == http.StatusServiceUnavailable {
		return &refusal{to.status, to.code, "the server cannot do this now: try again"}
	}
	return &refusal{to.status, to.code, e.Message}
}

// refuse answers with a failure.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	told := translate(err)
	h := w.Header()
	switch told.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusConflict, http.StatusTooManyRequests, http.StatusNotImplemented:
		// The SDKs repeat them, and would get the same answer (dodo.md section 1.1).
		h.Set("X-Should-Retry", "false")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if told.status >= http.StatusInternalServerError && told.status != http.StatusNotImplemented {
		level := slog.LevelError
		switch {
		case r.Context().Err() != nil: // the caller hung up
			level = slog.LevelDebug
		case told.status == http.StatusServiceUnavailable:
			level = slog.LevelWarn
		}
		s.log.LogAttrs(r.Context(), level, "request failed", slog.String("route", r.Pattern), slog.String("error", err.Error()))
	}
	write(w, told.status, told)
}

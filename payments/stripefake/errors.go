package stripefake

import (
	"errors"
	"fmt"
	"net/http"
)

// The types of Stripe's errors.
const (
	typeInvalid     = "invalid_request_error"
	typeCard        = "card_error"
	typeAPI         = "api_error"
	typeIdempotency = "idempotency_error"
)

// apiError is an answer that is not 200.
type apiError struct {
	status  int
	checked bool // refused by its parameters alone, so that nothing was executed
	body    errorBody
}

// errorBody is what Stripe's answers have under "error".
type errorBody struct {
	Type          string         `json:"type"`
	Code          string         `json:"code,omitempty"`
	DeclineCode   string         `json:"decline_code,omitempty"`
	Message       string         `json:"message"`
	Param         string         `json:"param,omitempty"`
	Charge        string         `json:"charge,omitempty"`
	PaymentIntent *paymentIntent `json:"payment_intent,omitempty"`
	PaymentMethod *paymentMethod `json:"payment_method,omitempty"`
	SetupIntent   *setupIntent   `json:"setup_intent,omitempty"`
}

// Error returns the message, with the code where there is one.
func (e *apiError) Error() string {
	if e.body.Code == "" {
		return "stripefake: " + e.body.Message
	}
	return "stripefake: " + e.body.Code + ": " + e.body.Message
}

// asAPIError makes an answer of any error.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return &apiError{status: http.StatusInternalServerError, body: errorBody{Type: typeAPI, Message: err.Error()}}
}

// invalid is an error of the parameters themselves, found before execution.
func invalid(code, param, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, checked: true,
		body: errorBody{Type: typeInvalid, Code: code, Param: param, Message: fmt.Sprintf(format, args...)},
	}
}

// refused is an error of what the parameters ask for, found in execution.
func refused(code, param, format string, args ...any) *apiError {
	e := invalid(code, param, format, args...)
	e.checked = false
	return e
}

func missingParam(name string) *apiError {
	return invalid("parameter_missing", name, "Missing required param: %s.", name)
}

// failure is an error with no parameter to blame.
func failure(status int, kind, code, message string) *apiError {
	return &apiError{status: status, body: errorBody{Type: kind, Code: code, Message: message}}
}

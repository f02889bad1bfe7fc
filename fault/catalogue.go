package fault

import (
	"slices"
	"strings"
)

// Entry is what the catalogue says about one code. The page of error codes in
// the docs is made from it.
type Entry struct {
	Code    Code
	Kind    Kind
	Title   string // a few words, the same for every occurrence of the code
	Meaning string // what has happened
	Remedy  string // what the caller can do about it
}

// Catalogue returns every code, sorted by code. The slice is the caller's own.
func Catalogue() []Entry {
	all := slices.Clone(catalogue)
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

// byCode finds an entry by its code.
var byCode = func() map[Code]Entry {
	m := make(map[Code]Entry, len(catalogue))
	for _, e := range catalogue {
		m[e.Code] = e
	}
	return m
}()

//go:generate go test -run TestConstantsAreCurrent -update .

// catalogue is the one table of codes. To add a code, add its line here and run
// go generate ./fault, which writes its constant into codes.go.
var catalogue = []Entry{
	// The request as a whole.
	{"invalid_request", Invalid, "Invalid request", "The request is wrong in a way that no more specific code describes.", "Read the message and the field it names, and correct the request."},
	{"invalid_json", Invalid, "Invalid JSON", "The body is not one well-formed JSON value, or a field has the wrong JSON type.", "Send a single JSON object whose fields have the documented types."},
	{"unknown_field", Invalid, "Unknown field", "The body has a field that this call does not know; a misspelt field is refused rather than ignored.", "Remove the field or correct its name."},
	{"missing_field", Invalid, "Missing field", "A required field is absent or empty.", "Send the field that is named."},
	{"conflicting_fields", Invalid, "Conflicting fields", "Fields were sent together of which only one may be used.", "Keep one of the fields that the message names."},
	{"request_too_large", TooLarge, "Request too large", "The body, or the list in it, is larger than this call accepts.", "Split the request into smaller ones."},
	{"method_not_allowed", MethodNotAllowed, "Method not allowed", "The path exists, but not with this HTTP method.", "Use one of the methods in the Allow header."},
	{"unsupported_media_type", UnsupportedMediaType, "Unsupported media type", "The body has a content type that this call does not read.", "Send the body as application/json."},

	// Single values.
	{"invalid_amount", Invalid, "Invalid amount", "The amount is not a decimal number, or has a sign that is not allowed here.", "Send a decimal such as \"12.50\", without spaces or separators."},
	{"amount_too_precise", Invalid, "Amount too precise", "The amount has more decimals than the credit's precision allows; amounts are never rounded silently.", "Round the amount to the allowed number of decimals before sending it."},
	{"amount_out_of_range", Invalid, "Amount out of range", "The amount, or the balance that would follow from it, is too large to be kept exactly.", "Use a smaller amount, or a credit with a lower precision."},
	{"invalid_quantity", Invalid, "Invalid quantity", "The quantity is not a number greater than zero.", "Send a quantity greater than zero."},
	{"invalid_time", Invalid, "Invalid time", "The time is not in RFC 3339 form, or is not allowed at this place.", "Send a time such as \"2026-01-31T09:30:00Z\" that fits the other times of the request."},
	{"invalid_id", Invalid, "Invalid id", "The id does not have the form of ids of this kind.", "Pass the id exactly as an earlier answer gave it."},
	{"invalid_customer_id", Invalid, "Invalid customer id", "The customer id is empty, longer than 256 characters, or has characters that are not allowed.", "Use an id of 1 to 256 printable characters."},
	{"invalid_metadata", Invalid, "Invalid metadata", "The metadata is not a flat object of names and simple values.", "Send an object whose values are strings, numbers or booleans."},
	{"metadata_too_large", Invalid, "Metadata too large", "The metadata has too many names, or a name or value is too long.", "Keep identifiers in the metadata and the data itself elsewhere."},
	{"invalid_scope", Invalid, "Invalid scope", "A scope rule has a malformed event pattern or condition.", "Use event names with * as a wildcard, and equality conditions on metadata."},
	{"invalid_draw_order", Invalid, "Invalid draw order", "The draw order names an unknown or a repeated key.", "Use a preset, or a list of distinct keys from the documentation."},
	{"invalid_priority", Invalid, "Invalid priority", "The priority is not a whole number from 0 to 100.", "Send a priority from 0 to 100; lower is drawn first."},
	{"invalid_cursor", Invalid, "Invalid cursor", "The cursor was not issued by this list, or was issued under other filters.", "Start again without a cursor, and pass on next_cursor unchanged."},
	{"invalid_limit", Invalid, "Invalid limit", "The page size is not a whole number within the allowed range.", "Send a limit within the range that the message names."},
	{"invalid_config", Invalid, "Invalid configuration", "A setting of the server or a definition in the catalog file is wrong.", "Correct the setting that the message names."},

	// Who is asking.
	{"invalid_key", Unauthenticated, "Invalid API key", "The request has no API key, or one that is unknown or revoked.", "Send a current key as Authorization: Bearer sk_..."},
	{"requires_secret_key", Forbidden, "Secret key required", "A publishable key was used for a call that only a secret key may make.", "Make this call from your backend with a secret key."},
	{"requires_test_key", Forbidden, "Test key required", "A key of live was used for a call that is about the clock of a test mode; live has none.", "Make this call with a secret key of mode test, or of a sandbox."},
	{"customer_token_required", Forbidden, "Customer token required", "A publishable key came without a customer token, or with one that is wrong or has expired.", "Have your backend mint a token with POST /v1/customer-tokens and send it as Scrip-Customer-Token."},
	{"wrong_customer", Forbidden, "Wrong customer", "The customer token was issued for another customer.", "Ask your backend for a token of the customer in question."},

	// What is not there.
	{"not_found", NotFound, "Not found", "Nothing exists at this path, or under this id in this app and mode.", "Check the path, the id, and whether the key is of the same app and mode."},
	{"customer_not_found", NotFound, "Customer not found", "No customer with this id is known in this app and mode.", "Check the id; a customer exists from the first grant or use on."},
	{"credit_not_found", NotFound, "Credit not found", "No credit with this id exists in this app.", "Check the id against the list of credits."},
	{"grant_not_found", NotFound, "Grant not found", "No grant with this id exists in this app and mode.", "Check the id against the customer's grants."},
	{"pack_not_found", NotFound, "Pack not found", "No pack with this id exists in this app.", "Check the id against the list of packs."},
	{"plan_not_found", NotFound, "Plan not found", "No plan with this id exists in this app.", "Check the id against the list of plans."},
	{"product_not_found", NotFound, "Product not found", "No product with this id exists in this app.", "Check the id against the list of products."},
	{"code_not_found", NotFound, "Code not found", "No code with this text or id exists in this app, or it was archived.", "Check the text for typing errors; upper and lower case are the same."},
	{"reservation_not_found", NotFound, "Reservation not found", "No reservation with this id exists in this app and mode.", "Pass the reservation_id that reserve returned."},
	{"entry_not_found", NotFound, "Entry not found", "No ledger entry with this id exists in this app and mode.", "Check the id against the customer's ledger."},
	{"meter_not_found", NotFound, "Meter not found", "No meter with this id exists in this app.", "Check the id against the list of meters."},
	{"event_not_found", NotFound, "Event not found", "The customer has no usage event with this id.", "Check the event's id and the customer's."},
	{"webhook_endpoint_not_found", NotFound, "Webhook endpoint not found", "No webhook endpoint with this id exists in this app and mode.", "Check the id against the list of webhook endpoints."},
	{"webhook_delivery_not_found", NotFound, "Webhook delivery not found", "No webhook delivery with this id exists in this app and mode.", "Check the id against the endpoint's list of deliveries."},
	{"key_not_found", NotFound, "Key not found", "No API key with this id exists in this app and mode.", "Check the id against the list of keys."},

	// What the rules refuse.
	{"insufficient_credits", PaymentRequired, "Insufficient credits", "The customer has fewer usable credits than the charge needs; nothing was taken.", "Offer a purchase, charge less, or allow a partial charge or overage."},
	{"overage_limit_reached", PaymentRequired, "Overage limit reached", "The charge would take the overage beyond the credit's limit; nothing was taken.", "Add credits, raise the limit, or wait for the next cycle."},
	{"reservation_expired", Invalid, "Reservation expired", "The reservation ran out before it was committed; its credits are back in their grants.", "Reserve again, with a longer ttl_seconds or with extend during long work."},
	{"reservation_not_pending", Invalid, "Reservation not pending", "The reservation has been committed or released already; nothing was changed.", "Commit or release a reservation once; use idempotency keys for retries."},
	{"reservation_too_small", Invalid, "Reservation too small", "The commit asks for more than was held, and does not allow more.", "Commit at most the amount held, or allow the excess explicitly."},
	{"entry_not_reversible", Invalid, "Entry not reversible", "Entries of this type cannot be reversed.", "Reverse the entry that took the credits, or make a manual adjustment."},
	{"duplicate_event", Invalid, "Duplicate event", "Two events of the call have the same id; nothing was stored.", "Give each event an id of its own, and send it once in a call."},
	{"event_exists", Conflict, "Event exists", "The customer has another usage event with this id.", "Give the correction an id that was not used before."},
	{"event_voided", Conflict, "Event voided", "The usage event was voided before, so that it cannot be corrected.", "Report the usage as a new event."},
	{"event_not_voidable", Invalid, "Event not voidable", "The usage event was charged when it was tracked, not by a meter.", "Reverse the ledger entry that charged it."},
	{"already_reversed", Conflict, "Already reversed", "The entry has been reversed in full already.", "Nothing is left to do; the ledger shows the reversal."},
	{"code_not_yet_valid", Conflict, "Code not yet valid", "The code cannot be redeemed yet; valid_from says from when on.", "Redeem it from that instant on."},
	{"code_expired", Conflict, "Code expired", "The code can be redeemed no longer; valid_until says until when it could be.", "Use another code."},
	{"code_used_up", Conflict, "Code used up", "The code has been redeemed as often as it may be; nothing was granted.", "Use another code, or raise max_uses."},
	{"code_already_redeemed", Conflict, "Code already redeemed", "The customer has redeemed the code as often as one customer may; grants lists what it gave them.", "Nothing is left to do: the customer has the credits."},
	{"too_many_grants", Conflict, "Too many grants", "The wallet holds as many live grants as are allowed.", "Let grants be used up or expire, or combine small grants into larger ones."},
	{"too_many_holds", Conflict, "Too many holds", "The wallet has as many pending reservations as are allowed.", "Commit or release reservations as soon as the work is done."},
	{"too_many_webhook_endpoints", Conflict, "Too many webhook endpoints", "The app has as many webhook endpoints as are allowed.", "Archive one that is not needed any more."},
	{"too_many_scopes", Conflict, "Too many scopes", "The wallet's grants use more different scopes than are allowed.", "Reuse scopes among grants."},

	// What is at odds with what is stored.
	{"idempotency_key_reused", Conflict, "Idempotency key reused", "The idempotency key was used before with a different request.", "Use a new key for a new request, and the same key only to retry the same request."},
	{"idempotency_key_invalid", Invalid, "Idempotency key invalid", "The idempotency key is empty, too long, or has characters that are not allowed.", "Use 1 to 255 printable ASCII characters, such as a UUID."},
	{"name_taken", Conflict, "Name taken", "Another object of the same kind in this app has this name.", "Choose another name, or change the existing object."},
	{"subscription_exists", Conflict, "Subscription exists", "The customer has a subscription that runs already; there is one at a time.", "Change its plan, or end it first."},
	{"subscription_paused", Conflict, "Subscription paused", "The subscription is paused, so it cannot change within its cycle.", "Resume it first, or change it at the end of the cycle."},
	{"order_not_found", NotFound, "Order not found", "There is no such order in this app and mode.", "Pass the id as the checkout gave it, with a key of the same mode."},
	{"order_closed", Conflict, "Order closed", "The order is paid, failed, expired or canceled already, or its payment is under way.", "Read the order, and place another where that is wanted."},
	{"order_not_paid", Conflict, "Order not paid", "Nothing was paid for the order that could be paid back.", "Refund orders whose status is paid."},
	{"refund_too_large", Invalid, "Refund too large", "More was to be paid back than is left of what was paid.", "Ask for at most what the refund preview says."},
	{"amount_too_small", Invalid, "Amount too small", "The payment provider charges no amount as small as this; it was not asked.", "Buy more, or raise the price above the provider's minimum."},
	{"no_payment_method", Conflict, "No payment method", "The customer has no saved card that can be charged without them.", "Let them save one on a checkout page first."},
	{"payments_not_configured", Unimplemented, "Payments not configured", "No payment provider is set up for this mode, so nothing can be sold in it.", "Set the provider's keys as the message says, and start again."},
	{"payment_declined", PaymentRequired, "Payment declined", "The card was declined; nothing was granted.", "Ask the customer for another card, on a checkout page."},
	{"payment_provider_error", Unavailable, "Payment provider error", "The payment provider did not answer as it should; what becomes of the payment is found out by itself.", "Try again in a moment: the same request is not charged twice."},
	{"invalid_signature", Invalid, "Invalid signature", "The webhook is not signed with the secret that is set for this mode, or too long ago.", "Check the signing secret of the endpoint, and the clocks."},
	{"sales_off", Forbidden, "Sales off", "The credit is not sold: its sales are switched off.", "Switch the credit's sales on, or grant credits instead."},
	{"invoice_closed", Conflict, "Invoice closed", "The invoice is paid or void already.", "Nothing is left to do."},
	{"subscription_not_found", NotFound, "Subscription not found", "The customer has no such subscription in this app and mode.", "Use the id that an earlier answer gave."},
	{"invoice_not_found", NotFound, "Invoice not found", "No invoice with this id exists in this app and mode.", "Use the id that an earlier answer gave."},
	{"already_canceled", Conflict, "Already canceled", "The object has been canceled already.", "Nothing is left to do."},
	{"credit_archived", Conflict, "Credit archived", "The credit is archived: what was granted can be used, but nothing new can be granted.", "Grant another credit. Archiving cannot be undone, but the name is free: a new credit can have it."},

	// Limits per time.
	{"limit_reached", RateLimited, "Limit reached", "The customer has used up the plan's quota for the period.", "Wait for the period to end, or move the customer to a larger plan."},
	{"workspace_limit_reached", RateLimited, "Workspace limit reached", "The app has used up its allowance of operations in test modes for this month; live is not affected.", "Wait for the month that resets_at names, or have the operator raise the allowance."},

	// The server.
	{"overloaded", Unavailable, "Overloaded", "The server has more work queued than it can do in time, and did not begin this request.", "Retry after the time in the Retry-After header, with the same idempotency key."},
	{"store_unavailable", Unavailable, "Store unavailable", "The database cannot be reached or did not answer in time; whether the request took effect is not certain.", "Retry with the same idempotency key; the request takes effect once."},
	{"shutting_down", Unavailable, "Shutting down", "The server is about to stop and did not begin this request.", "Retry with the same idempotency key; another server will answer."},
	{"mail_unavailable", Unavailable, "Mail server unavailable", "The mail server could not be reached, did not offer what is needed to send safely, broke off, or put the letter off.", "Try again later under the same key: a letter that had arrived after all is recognised by its Message-ID."},
	{"mail_refused", Invalid, "Mail refused", "The address is not one that mail can be sent to, or the mail server refused the letter for good.", "Correct the address, or what the mail server objects to; sending the same again does not help."},
	{"mail_login_refused", Invalid, "Mail login refused", "The mail server did not accept the user name and password that it was given.", "Correct the mail server's URL in the settings of this server."},
	{"newer_schema", Unavailable, "Newer schema", "The database was migrated by a newer version of Scrip than this one.", "Run the newer version; this one refuses to write."},
	{"not_implemented", Unimplemented, "Not implemented", "The call is known, but this server does not offer it.", "Read the documentation for what is offered instead."},
	{"invariant_violated", Internal, "Invariant violated", "A law of the ledger would have been broken; the change was refused and nothing was written.", "Report it to the operator, who should run scrip verify."},
	{"internal_error", Internal, "Internal error", "Something went wrong on the server that is not the caller's doing.", "Retry with the same idempotency key; if it persists, report the time of the request to the operator."},
}

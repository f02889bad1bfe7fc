// Code generated from catalogue.go by go generate; DO NOT EDIT.

package fault

// The codes of the catalogue, with their HTTP status.
const (
	// CodeAlreadyCanceled (409): The object has been canceled already.
	CodeAlreadyCanceled Code = "already_canceled"
	// CodeAlreadyReversed (409): The entry has been reversed in full already.
	CodeAlreadyReversed Code = "already_reversed"
	// CodeAmountOutOfRange (400): The amount, or the balance that would follow from it, is too large to be kept exactly.
	CodeAmountOutOfRange Code = "amount_out_of_range"
	// CodeAmountTooPrecise (400): The amount has more decimals than the credit's precision allows; amounts are never rounded silently.
	CodeAmountTooPrecise Code = "amount_too_precise"
	// CodeAmountTooSmall (400): The payment provider charges no amount as small as this; it was not asked.
	CodeAmountTooSmall Code = "amount_too_small"
	// CodeCodeAlreadyRedeemed (409): The customer has redeemed the code as often as one customer may; grants lists what it gave them.
	CodeCodeAlreadyRedeemed Code = "code_already_redeemed"
	// CodeCodeExpired (409): The code can be redeemed no longer; valid_until says until when it could be.
	CodeCodeExpired Code = "code_expired"
	// CodeCodeNotFound (404): No code with this text or id exists in this app, or it was archived.
	CodeCodeNotFound Code = "code_not_found"
	// CodeCodeNotYetValid (409): The code cannot be redeemed yet; valid_from says from when on.
	CodeCodeNotYetValid Code = "code_not_yet_valid"
	// CodeCodeUsedUp (409): The code has been redeemed as often as it may be; nothing was granted.
	CodeCodeUsedUp Code = "code_used_up"
	// CodeConflictingFields (400): Fields were sent together of which only one may be used.
	CodeConflictingFields Code = "conflicting_fields"
	// CodeCreditArchived (409): The credit is archived: what was granted can be used, but nothing new can be granted.
	CodeCreditArchived Code = "credit_archived"
	// CodeCreditNotFound (404): No credit with this id exists in this app.
	CodeCreditNotFound Code = "credit_not_found"
	// CodeCustomerNotFound (404): No customer with this id is known in this app and mode.
	CodeCustomerNotFound Code = "customer_not_found"
	// CodeCustomerTokenRequired (403): A publishable key came without a customer token, or with one that is wrong or has expired.
	CodeCustomerTokenRequired Code = "customer_token_required"
	// CodeDuplicateEvent (400): Two events of the call have the same id; nothing was stored.
	CodeDuplicateEvent Code = "duplicate_event"
	// CodeEntryNotFound (404): No ledger entry with this id exists in this app and mode.
	CodeEntryNotFound Code = "entry_not_found"
	// CodeEntryNotReversible (400): Entries of this type cannot be reversed.
	CodeEntryNotReversible Code = "entry_not_reversible"
	// CodeEventExists (409): The customer has another usage event with this id.
	CodeEventExists Code = "event_exists"
	// CodeEventNotFound (404): The customer has no usage event with this id.
	CodeEventNotFound Code = "event_not_found"
	// CodeEventNotVoidable (400): The usage event was charged when it was tracked, not by a meter.
	CodeEventNotVoidable Code = "event_not_voidable"
	// CodeEventVoided (409): The usage event was voided before, so that it cannot be corrected.
	CodeEventVoided Code = "event_voided"
	// CodeGrantNotFound (404): No grant with this id exists in this app and mode.
	CodeGrantNotFound Code = "grant_not_found"
	// CodeIdempotencyKeyInvalid (400): The idempotency key is empty, too long, or has characters that are not allowed.
	CodeIdempotencyKeyInvalid Code = "idempotency_key_invalid"
	// CodeIdempotencyKeyReused (409): The idempotency key was used before with a different request.
	CodeIdempotencyKeyReused Code = "idempotency_key_reused"
	// CodeInsufficientCredits (402): The customer has fewer usable credits than the charge needs; nothing was taken.
	CodeInsufficientCredits Code = "insufficient_credits"
	// CodeInternalError (500): Something went wrong on the server that is not the caller's doing.
	CodeInternalError Code = "internal_error"
	// CodeInvalidAmount (400): The amount is not a decimal number, or has a sign that is not allowed here.
	CodeInvalidAmount Code = "invalid_amount"
	// CodeInvalidConfig (400): A setting of the server or a definition in the catalog file is wrong.
	CodeInvalidConfig Code = "invalid_config"
	// CodeInvalidCursor (400): The cursor was not issued by this list, or was issued under other filters.
	CodeInvalidCursor Code = "invalid_cursor"
	// CodeInvalidCustomerID (400): The customer id is empty, longer than 256 characters, or has characters that are not allowed.
	CodeInvalidCustomerID Code = "invalid_customer_id"
	// CodeInvalidDrawOrder (400): The draw order names an unknown or a repeated key.
	CodeInvalidDrawOrder Code = "invalid_draw_order"
	// CodeInvalidID (400): The id does not have the form of ids of this kind.
	CodeInvalidID Code = "invalid_id"
	// CodeInvalidJSON (400): The body is not one well-formed JSON value, or a field has the wrong JSON type.
	CodeInvalidJSON Code = "invalid_json"
	// CodeInvalidKey (401): The request has no API key, or one that is unknown or revoked.
	CodeInvalidKey Code = "invalid_key"
	// CodeInvalidLimit (400): The page size is not a whole number within the allowed range.
	CodeInvalidLimit Code = "invalid_limit"
	// CodeInvalidMetadata (400): The metadata is not a flat object of names and simple values.
	CodeInvalidMetadata Code = "invalid_metadata"
	// CodeInvalidPriority (400): The priority is not a whole number from 0 to 100.
	CodeInvalidPriority Code = "invalid_priority"
	// CodeInvalidQuantity (400): The quantity is not a number greater than zero.
	CodeInvalidQuantity Code = "invalid_quantity"
	// CodeInvalidRequest (400): The request is wrong in a way that no more specific code describes.
	CodeInvalidRequest Code = "invalid_request"
	// CodeInvalidScope (400): A scope rule has a malformed event pattern or condition.
	CodeInvalidScope Code = "invalid_scope"
	// CodeInvalidSignature (400): The webhook is not signed with the secret that is set for this mode, or too long ago.
	CodeInvalidSignature Code = "invalid_signature"
	// CodeInvalidTime (400): The time is not in RFC 3339 form, or is not allowed at this place.
	CodeInvalidTime Code = "invalid_time"
	// CodeInvariantViolated (500): A law of the ledger would have been broken; the change was refused and nothing was written.
	CodeInvariantViolated Code = "invariant_violated"
	// CodeInvoiceClosed (409): The invoice is paid or void already.
	CodeInvoiceClosed Code = "invoice_closed"
	// CodeInvoiceNotFound (404): No invoice with this id exists in this app and mode.
	CodeInvoiceNotFound Code = "invoice_not_found"
	// CodeKeyNotFound (404): No API key with this id exists in this app and mode.
	CodeKeyNotFound Code = "key_not_found"
	// CodeLimitReached (429): The customer has used up the plan's quota for the period.
	CodeLimitReached Code = "limit_reached"
	// CodeMailLoginRefused (400): The mail server did not accept the user name and password that it was given.
	CodeMailLoginRefused Code = "mail_login_refused"
	// CodeMailRefused (400): The address is not one that mail can be sent to, or the mail server refused the letter for good.
	CodeMailRefused Code = "mail_refused"
	// CodeMailUnavailable (503): The mail server could not be reached, did not offer what is needed to send safely, broke off, or put the letter off.
	CodeMailUnavailable Code = "mail_unavailable"
	// CodeMetadataTooLarge (400): The metadata has too many names, or a name or value is too long.
	CodeMetadataTooLarge Code = "metadata_too_large"
	// CodeMeterNotFound (404): No meter with this id exists in this app.
	CodeMeterNotFound Code = "meter_not_found"
	// CodeMethodNotAllowed (405): The path exists, but not with this HTTP method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodeMissingField (400): A required field is absent or empty.
	CodeMissingField Code = "missing_field"
	// CodeNameTaken (409): Another object of the same kind in this app has this name.
	CodeNameTaken Code = "name_taken"
	// CodeNewerSchema (503): The database was migrated by a newer version of Scrip than this one.
	CodeNewerSchema Code = "newer_schema"
	// CodeNoPaymentMethod (409): The customer has no saved card that can be charged without them.
	CodeNoPaymentMethod Code = "no_payment_method"
	// CodeNotFound (404): Nothing exists at this path, or under this id in this app and mode.
	CodeNotFound Code = "not_found"
	// CodeNotImplemented (501): The call is known, but this server does not offer it.
	CodeNotImplemented Code = "not_implemented"
	// CodeOrderClosed (409): The order is paid, failed, expired or canceled already, or its payment is under way.
	CodeOrderClosed Code = "order_closed"
	// CodeOrderNotFound (404): There is no such order in this app and mode.
	CodeOrderNotFound Code = "order_not_found"
	// CodeOrderNotPaid (409): Nothing was paid for the order that could be paid back.
	CodeOrderNotPaid Code = "order_not_paid"
	// CodeOverageLimitReached (402): The charge would take the overage beyond the credit's limit; nothing was taken.
	CodeOverageLimitReached Code = "overage_limit_reached"
	// CodeOverloaded (503): The server has more work queued than it can do in time, and did not begin this request.
	CodeOverloaded Code = "overloaded"
	// CodePackNotFound (404): No pack with this id exists in this app.
	CodePackNotFound Code = "pack_not_found"
	// CodePaymentDeclined (402): The card was declined; nothing was granted.
	CodePaymentDeclined Code = "payment_declined"
	// CodePaymentProviderError (503): The payment provider did not answer as it should; what becomes of the payment is found out by itself.
	CodePaymentProviderError Code = "payment_provider_error"
	// CodePaymentsNotConfigured (501): No payment provider is set up for this mode, so nothing can be sold in it.
	CodePaymentsNotConfigured Code = "payments_not_configured"
	// CodePlanNotFound (404): No plan with this id exists in this app.
	CodePlanNotFound Code = "plan_not_found"
	// CodeProductNotFound (404): No product with this id exists in this app.
	CodeProductNotFound Code = "product_not_found"
	// CodeRefundTooLarge (400): More was to be paid back than is left of what was paid.
	CodeRefundTooLarge Code = "refund_too_large"
	// CodeRequestTooLarge (413): The body, or the list in it, is larger than this call accepts.
	CodeRequestTooLarge Code = "request_too_large"
	// CodeRequiresSecretKey (403): A publishable key was used for a call that only a secret key may make.
	CodeRequiresSecretKey Code = "requires_secret_key"
	// CodeRequiresTestKey (403): A key of live was used for a call that is about the clock of a test mode; live has none.
	CodeRequiresTestKey Code = "requires_test_key"
	// CodeReservationExpired (400): The reservation ran out before it was committed; its credits are back in their grants.
	CodeReservationExpired Code = "reservation_expired"
	// CodeReservationNotFound (404): No reservation with this id exists in this app and mode.
	CodeReservationNotFound Code = "reservation_not_found"
	// CodeReservationNotPending (400): The reservation has been committed or released already; nothing was changed.
	CodeReservationNotPending Code = "reservation_not_pending"
	// CodeReservationTooSmall (400): The commit asks for more than was held, and does not allow more.
	CodeReservationTooSmall Code = "reservation_too_small"
	// CodeSalesOff (403): The credit is not sold: its sales are switched off.
	CodeSalesOff Code = "sales_off"
	// CodeShuttingDown (503): The server is about to stop and did not begin this request.
	CodeShuttingDown Code = "shutting_down"
	// CodeStoreUnavailable (503): The database cannot be reached or did not answer in time; whether the request took effect is not certain.
	CodeStoreUnavailable Code = "store_unavailable"
	// CodeSubscriptionExists (409): The customer has a subscription that runs already; there is one at a time.
	CodeSubscriptionExists Code = "subscription_exists"
	// CodeSubscriptionNotFound (404): The customer has no such subscription in this app and mode.
	CodeSubscriptionNotFound Code = "subscription_not_found"
	// CodeSubscriptionPaused (409): The subscription is paused, so it cannot change within its cycle.
	CodeSubscriptionPaused Code = "subscription_paused"
	// CodeTooManyGrants (409): The wallet holds as many live grants as are allowed.
	CodeTooManyGrants Code = "too_many_grants"
	// CodeTooManyHolds (409): The wallet has as many pending reservations as are allowed.
	CodeTooManyHolds Code = "too_many_holds"
	// CodeTooManyScopes (409): The wallet's grants use more different scopes than are allowed.
	CodeTooManyScopes Code = "too_many_scopes"
	// CodeTooManyWebhookEndpoints (409): The app has as many webhook endpoints as are allowed.
	CodeTooManyWebhookEndpoints Code = "too_many_webhook_endpoints"
	// CodeUnknownField (400): The body has a field that this call does not know; a misspelt field is refused rather than ignored.
	CodeUnknownField Code = "unknown_field"
	// CodeUnsupportedMediaType (415): The body has a content type that this call does not read.
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	// CodeWebhookDeliveryNotFound (404): No webhook delivery with this id exists in this app and mode.
	CodeWebhookDeliveryNotFound Code = "webhook_delivery_not_found"
	// CodeWebhookEndpointNotFound (404): No webhook endpoint with this id exists in this app and mode.
	CodeWebhookEndpointNotFound Code = "webhook_endpoint_not_found"
	// CodeWorkspaceLimitReached (429): The app has used up its allowance of operations in test modes for this month; live is not affected.
	CodeWorkspaceLimitReached Code = "workspace_limit_reached"
	// CodeWrongCustomer (403): The customer token was issued for another customer.
	CodeWrongCustomer Code = "wrong_customer"
)

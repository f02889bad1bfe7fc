package stripefake

// routes is the whole API.
var routes = []route{
	{"POST /v1/customers", parseSpec("email name description phone metadata[*] expand[*]"), createCustomer},
	{"POST /v1/customers/{id}", parseSpec("email name description phone metadata[*] invoice_settings[default_payment_method] expand[*]"), updateCustomer},
	read[*customer]("/v1/customers/{id}", "customer"),
	list("/v1/customers", "customer", "email"),

	{"POST /v1/payment_methods/{id}/attach", parseSpec("customer! expand[*]"), attachMethod},
	{"POST /v1/payment_methods/{id}/detach", parseSpec("expand[*]"), detachMethod},
	read[*paymentMethod]("/v1/payment_methods/{id}", "PaymentMethod"),
	list("/v1/payment_methods", "payment_method", "customer", "type"),

	{"POST /v1/products", parseSpec("name! description metadata[*] expand[*]"), createProduct},
	read[*product]("/v1/products/{id}", "product"),
	list("/v1/products", "product"),
	{"POST /v1/prices", parseSpec(`currency! unit_amount:int! product product_data[name] product_data[metadata][*]
		recurring[interval]:day|week|month|year recurring[interval_count]:int metadata[*] expand[*]`), createPrice},
	read[*price]("/v1/prices/{id}", "price"),
	list("/v1/prices", "price", "product", "type"),

	{"POST /v1/checkout/sessions", parseSpec(sessionParams), createSession},
	{"POST /v1/checkout/sessions/{id}/expire", parseSpec("expand[*]"), expireSession},
	read[*session]("/v1/checkout/sessions/{id}", "checkout.session"),
	{"GET /v1/checkout/sessions/{id}/line_items", parseSpec("limit:int expand[*]"), sessionLines},
	list("/v1/checkout/sessions", "checkout.session", "customer", "payment_intent", "status", "subscription"),

	{"POST /v1/payment_intents", parseSpec(`amount:int! currency! customer payment_method payment_method_types[*]:card|us_bank_account
		off_session:bool confirm:bool error_on_requires_action:bool setup_future_usage:off_session|on_session
		description metadata[*] expand[*]`), createPayment},
	{"POST /v1/payment_intents/{id}/confirm", parseSpec("payment_method off_session:bool error_on_requires_action:bool expand[*]"), confirmPayment},
	{"POST /v1/payment_intents/{id}/cancel", parseSpec("cancellation_reason:abandoned|duplicate|fraudulent|requested_by_customer expand[*]"), cancelPayment},
	read[*paymentIntent]("/v1/payment_intents/{id}", "payment_intent"),
	list("/v1/payment_intents", "payment_intent", "customer"),

	{"POST /v1/setup_intents", parseSpec(`customer payment_method payment_method_types[*]:card confirm:bool
		usage:off_session description metadata[*] expand[*]`), createSetup},
	read[*setupIntent]("/v1/setup_intents/{id}", "setupintent"),

	read[*charge]("/v1/charges/{id}", "charge"),
	list("/v1/charges", "charge", "customer", "payment_intent"),
	{"POST /v1/refunds", parseSpec("payment_intent charge amount:int reason:duplicate|fraudulent|requested_by_customer metadata[*] expand[*]"), createRefund},
	read[*refund]("/v1/refunds/{id}", "refund"),
	list("/v1/refunds", "refund", "charge", "payment_intent"),
	read[*dispute]("/v1/disputes/{id}", "dispute"),
	list("/v1/disputes", "dispute", "charge", "payment_intent"),

	{"POST /v1/subscriptions/{id}", parseSpec(`cancel_at_period_end:bool items[*][id] items[*][price] proration_behavior:none
		metadata[*] expand[*]`), updateSubscription},
	{"DELETE /v1/subscriptions/{id}", parseSpec("expand[*]"), deleteSubscription},
	read[*subscription]("/v1/subscriptions/{id}", "subscription"),
	{"GET /v1/subscriptions", parseSpec(paging + "customer status:all|active|trialing|past_due|canceled"), listSubscriptions},
	read[*invoice]("/v1/invoices/{id}", "invoice"),
	list("/v1/invoices", "invoice", "customer", "status", "subscription=parent.subscription_details.subscription"),
	list("/v1/invoice_payments", "invoice_payment", "invoice", "status", "payment[type]=payment.type", "payment[payment_intent]=payment.payment_intent"),
	{"POST /v1/billing_portal/sessions", parseSpec("customer! return_url expand[*]"), createPortal},

	read[*event]("/v1/events/{id}", "event"),
	list("/v1/events", "event", "type", "types[*]=type"),
}

// read returns a route that reads one object.
func read[T entity](pattern, noun string) route {
	return route{"GET " + pattern, parseSpec("expand[*]"), func(f *Fake, c *call) (any, error) {
		return find[T](f, noun, c.id, "")
	}}
}

func createProduct(f *Fake, c *call) (any, error) {
	p := &product{Name: c.text("name"), Description: ref(c.text("description")), Active: true}
	p.Metadata = c.pairs("metadata")
	f.add(p, "product", "prod")
	return p, nil
}

func createPrice(f *Fake, c *call) (any, error) { return f.newPrice(c.form) }

// sessionLines returns what a session sells, on one page: it is at most that long.
func sessionLines(f *Fake, c *call) (any, error) {
	s, err := find[*session](f, "checkout.session", c.id, "")
	if err != nil {
		return nil, err
	}
	return newList(c.path, s.lines...), nil
}

func createPortal(f *Fake, c *call) (any, error) {
	who, err := find[*customer](f, "customer", c.text("customer"), "customer")
	if err != nil {
		return nil, err
	}
	p := &portal{Customer: who.ID, ReturnURL: ref(c.text("return_url"))}
	f.add(p, "billing_portal.session", "bps")
	p.URL = c.base + "/portal/" + p.ID
	return p, nil
}

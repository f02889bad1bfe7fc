package stripefake

import (
	"slices"
	"strings"
	"time"
)

// The limits of a checkout session.
const (
	mostLines       = 100
	mostReference   = 200 // characters of client_reference_id
	leastSessionAge = 30 * time.Minute
	mostSessionAge  = 24 * time.Hour
)

// The states of a checkout session, and of its payment.
const (
	isOpen     = "open"
	isComplete = "complete"
	isExpired  = "expired"
	isPaid     = "paid"
	isUnpaid   = "unpaid"
	isFree     = "no_payment_required"
)

const sessionParams = `mode:payment|setup|subscription! ui_mode:hosted_page|embedded_page|elements
	success_url cancel_url return_url client_reference_id customer customer_email
	customer_creation:always|if_required expires_at:int currency locale metadata[*] expand[*]
	payment_method_types[*]:card|us_bank_account
	line_items[*][price] line_items[*][quantity]:int line_items[*][price_data][currency]
	line_items[*][price_data][unit_amount]:int line_items[*][price_data][product]
	line_items[*][price_data][product_data][name] line_items[*][price_data][product_data][description]
	line_items[*][price_data][product_data][metadata][*]
	line_items[*][price_data][recurring][interval]:day|week|month|year
	line_items[*][price_data][recurring][interval_count]:int
	payment_intent_data[metadata][*] payment_intent_data[description]
	payment_intent_data[setup_future_usage]:off_session|on_session
	setup_intent_data[metadata][*] setup_intent_data[description]
	subscription_data[metadata][*] subscription_data[trial_period_days]:int`

func createSession(f *Fake, c *call) (any, error) {
	s, err := f.newSession(c)
	if err != nil {
		return nil, err
	}
	if s.Mode == "setup" {
		si := &setupIntent{Customer: s.Customer, Description: ref(c.text("setup_intent_data", "description"))}
		si.Metadata = c.pairs("setup_intent_data", "metadata")
		f.addSetup(si)
		s.SetupIntent = ref(si.ID)
	}
	prefix := "cs_test"
	if f.live {
		prefix = "cs_live"
	}
	f.add(s, "checkout.session", prefix)
	if s.UIMode == "hosted_page" {
		s.URL = ref(c.base + "/pay/" + s.ID)
	}
	f.open = append(f.open, s)
	return s, nil
}

// newSession makes a session of a request, without storing it.
func (f *Fake) newSession(c *call) (*session, error) {
	s := &session{
		Mode: c.text("mode"), Status: isOpen, PaymentStatus: isUnpaid, UIMode: "hosted_page",
		Customer: ref(c.text("customer")), CustomerEmail: ref(c.text("customer_email")),
		CustomerCreation: ref(c.text("customer_creation")), ClientReferenceID: ref(c.text("client_reference_id")),
		SuccessURL: ref(c.text("success_url")), CancelURL: ref(c.text("cancel_url")), ReturnURL: ref(c.text("return_url")),
		Locale: ref(c.text("locale")), Currency: ref(c.text("currency")), PaymentMethodTypes: c.texts("payment_method_types"),
		intent: c.at("payment_intent_data"), terms: c.at("subscription_data"), trialDays: c.num("subscription_data", "trial_period_days"),
	}
	s.Metadata = c.pairs("metadata")
	if c.has("ui_mode") {
		s.UIMode = c.text("ui_mode")
	}
	if len(s.PaymentMethodTypes) == 0 {
		s.PaymentMethodTypes = []string{"card"}
	}
	if err := f.checkSession(s, c); err != nil {
		return nil, err
	}
	if s.Mode == "setup" {
		s.PaymentStatus = isFree
		return s, nil
	}
	return s, f.addLines(s, c)
}

func (f *Fake) checkSession(s *session, c *call) error {
	s.ExpiresAt = f.now().Add(mostSessionAge).Time().Unix()
	if c.has("expires_at") {
		s.ExpiresAt = c.num("expires_at")
	}
	least, most := f.now().Add(leastSessionAge).Time().Unix(), f.now().Add(mostSessionAge).Time().Unix()
	switch {
	case s.ExpiresAt < least || s.ExpiresAt > most:
		return invalid("parameter_invalid", "expires_at", "The expires_at timestamp must be from 30 minutes to 24 hours after creation.")
	case s.UIMode == "hosted_page" && s.SuccessURL == "":
		return missingParam("success_url")
	case len(s.ClientReferenceID) > mostReference:
		return invalid("parameter_invalid", "client_reference_id", "client_reference_id can have up to %d characters.", mostReference)
	case s.Customer != "" && (s.CustomerEmail != "" || s.CustomerCreation != ""):
		return invalid("parameter_invalid", "customer", "Only one of customer, and customer_email or customer_creation, can be given.")
	case s.Mode != "payment" && (s.intent != nil || s.CustomerCreation != ""):
		return invalid("parameter_invalid", "payment_intent_data", "payment_intent_data and customer_creation can only be used in payment mode.")
	case s.Mode != "subscription" && s.terms != nil:
		return invalid("parameter_invalid", "subscription_data", "subscription_data can only be used in subscription mode.")
	case s.Mode != "setup" && c.has("setup_intent_data"):
		return invalid("parameter_invalid", "setup_intent_data", "setup_intent_data can only be used in setup mode.")
	case s.Mode == "setup" && c.has("line_items"):
		return invalid("parameter_invalid", "line_items", "line_items cannot be used in setup mode.")
	case s.Mode != "setup" && !c.has("line_items"):
		return missingParam("line_items")
	}
	if s.Customer == "" {
		return nil
	}
	_, err := find[*customer](f, "customer", string(s.Customer), "customer")
	return err
}

// addLines reckons what a session costs.
func (f *Fake) addLines(s *session, c *call) error {
	items := c.list("line_items")
	if len(items) > mostLines {
		return invalid("parameter_invalid", "line_items", "A session can have up to %d line items.", mostLines)
	}
	total, renews := int64(0), false
	for _, item := range items {
		line, err := f.newLine(item)
		if err != nil {
			return err
		}
		if s.Currency != "" && string(s.Currency) != line.Currency {
			return invalid("parameter_invalid", "line_items", "All line items must have the same currency.")
		}
		s.Currency = ref(line.Currency)
		renews = renews || line.Price.Recurring != nil
		total += line.AmountTotal
		s.lines = append(s.lines, line)
	}
	if renews != (s.Mode == "subscription") {
		return invalid("parameter_invalid", "line_items", "Recurring prices are for subscription mode, which needs one.")
	}
	if s.Mode == "payment" && total != 0 {
		if err := checkAmount(total, "line_items"); err != nil {
			return err
		}
	}
	if s.trialDays > 0 {
		total = 0 // is due today
	}
	s.AmountSubtotal, s.AmountTotal = &total, &total
	if total == 0 {
		s.PaymentStatus = isFree
	}
	return nil
}

func (f *Fake) newLine(item *form) (*lineItem, error) {
	p, err := f.linePrice(item)
	if err != nil {
		return nil, err
	}
	n := item.num("quantity")
	if n < 1 {
		return nil, missingParam("line_items[][quantity]")
	}
	if p.UnitAmount > mostAmount || n > mostAmount {
		return nil, invalid("amount_too_large", "line_items", "Amount must be no more than %d.", mostAmount)
	}
	name := ""
	if of, ok := f.byID[p.Product].(*product); ok {
		name = of.Name
	}
	return &lineItem{
		ID: f.newID("li"), Object: "item", AmountSubtotal: p.UnitAmount * n, AmountTotal: p.UnitAmount * n,
		Currency: p.Currency, Description: name, Price: p, Quantity: n,
	}, nil
}

func (f *Fake) linePrice(item *form) (*price, error) {
	data := item.at("price_data")
	if id := item.text("price"); id != "" && data == nil {
		return find[*price](f, "price", id, "line_items[][price]")
	}
	if data == nil || item.has("price") {
		return nil, invalid("parameter_missing", "line_items", "A line item has either a price or price_data.")
	}
	return f.newPrice(data, "line_items", "", "price_data")
}

// newPrice makes a price of what a request says at a path, with its product
// where that is made along with it.
func (f *Fake) newPrice(data *form, at ...string) (*price, error) {
	param := func(names ...string) string { return key(append(slices.Clone(at), names...)) }
	p := &price{Active: true, Type: "one_time", Currency: strings.ToLower(data.text("currency")), UnitAmount: data.num("unit_amount"), Product: data.text("product")}
	if err := checkCurrency(p.Currency, param("currency")); err != nil {
		return nil, err
	}
	if !data.has("unit_amount") || p.UnitAmount < 0 {
		return nil, missingParam(param("unit_amount"))
	}
	made := data.at("product_data")
	if (p.Product == "") == (made.text("name") == "") {
		return nil, missingParam(param("product_data", "name"))
	}
	if p.Product != "" {
		if _, err := find[*product](f, "product", p.Product, param("product")); err != nil {
			return nil, err
		}
	} else {
		of := &product{Name: made.text("name"), Description: ref(made.text("description")), Active: true}
		of.Metadata = made.pairs("metadata")
		f.add(of, "product", "prod")
		p.Product = of.ID
	}
	if interval := data.text("recurring", "interval"); interval != "" {
		p.Type, p.Recurring = "recurring", &recurring{interval, max(1, data.num("recurring", "interval_count")), "licensed"}
	}
	p.Metadata = data.pairs("metadata")
	f.add(p, "price", "price")
	return p, nil
}

// openSession finds a session that has not ended.
func (f *Fake) openSession(id string) (*session, error) {
	s, err := find[*session](f, "checkout.session", id, "session")
	if err == nil && s.Status != isOpen {
		err = refused("", "session", "The Checkout Session is %s; only an open one can do this.", s.Status)
	}
	return s, err
}

func expireSession(f *Fake, c *call) (any, error) {
	if _, err := find[*session](f, "checkout.session", c.id, ""); err != nil {
		return nil, err
	}
	s, err := f.openSession(c.id)
	if err != nil {
		return nil, err
	}
	f.expire(s)
	return s, nil
}

func (f *Fake) expire(s *session) {
	s.Status, s.URL = isExpired, ""
	f.happened("checkout.session.expired", s)
}

// expireSessions expires the open sessions whose time is over.
func (f *Fake) expireSessions() {
	now := f.unix()
	kept := f.open[:0]
	for _, s := range f.open {
		if s.Status == isOpen && now >= s.ExpiresAt {
			f.expire(s)
		}
		if s.Status == isOpen {
			kept = append(kept, s)
		}
	}
	clear(f.open[len(kept):])
	f.open = kept
}

// complete carries out what a customer does who fills the page in and confirms.
// A declined card leaves the session open.
func (f *Fake) complete(s *session, method string) error {
	pm, err := f.method(method, "card")
	if err != nil {
		return err
	}
	f.identify(s)
	switch s.Mode {
	case "setup":
		err = f.completeSetup(s, pm)
	case "subscription":
		err = f.completeSubscription(s, pm)
	default:
		err = f.completePayment(s, pm)
	}
	if err != nil {
		return err
	}
	s.Status, s.URL = isComplete, ""
	f.happened("checkout.session.completed", s)
	return nil
}

// identify makes a customer of whoever fills a session in, where the session
// wants one.
func (f *Fake) identify(s *session) {
	email, name := s.CustomerEmail, ref("")
	if who, ok := f.byID[string(s.Customer)].(*customer); ok {
		email, name = who.Email, who.Name
	}
	if email == "" {
		email = "customer@example.com"
	}
	s.CustomerDetails = &customerDetails{email, name}
	wanted := s.Mode == "subscription" || s.CustomerCreation == "always" || s.intent.has("setup_future_usage")
	if s.Customer != "" || !wanted {
		return
	}
	who := &customer{Email: email}
	f.add(who, "customer", "cus")
	f.happened("customer.created", who)
	s.Customer = ref(who.ID)
}

func (f *Fake) completeSetup(s *session, pm *paymentMethod) error {
	si, err := find[*setupIntent](f, "setup_intent", string(s.SetupIntent), "")
	if err != nil {
		return err
	}
	si.Customer = s.Customer
	return f.save(si, pm.ID)
}

func (f *Fake) completePayment(s *session, pm *paymentMethod) error {
	if s.PaymentStatus == isFree {
		return nil
	}
	pi, ok := f.byID[string(s.PaymentIntent)].(*paymentIntent)
	if !ok { // the first try
		pi = &paymentIntent{
			Amount: *s.AmountTotal, Currency: string(s.Currency), Customer: s.Customer,
			Description: ref(s.intent.text("description")), SetupFutureUsage: ref(s.intent.text("setup_future_usage")),
			PaymentMethodTypes: s.PaymentMethodTypes,
		}
		pi.Metadata = s.intent.pairs("metadata")
		f.addPayment(pi)
		s.PaymentIntent = ref(pi.ID)
		f.happened("payment_intent.created", pi)
	}
	if err := f.collectInPerson(pi, pm); err != nil {
		return err
	}
	if pi.Status == hasSucceeded {
		s.PaymentStatus = isPaid
	}
	return nil
}

// collectInPerson charges a customer who sits before the page, and so confirms
// what has to be confirmed.
func (f *Fake) collectInPerson(pi *paymentIntent, pm *paymentMethod) error {
	if failed := f.collect(pi, pm, false); failed != nil {
		return failed
	}
	if pi.Status == needsAction {
		f.succeed(pi, pm)
	}
	return nil
}

// decide ends the wait of a session whose payment takes days.
func (f *Fake) decide(id, reason string) error {
	s, err := find[*session](f, "checkout.session", id, "session")
	if err != nil {
		return err
	}
	if s.Status != isComplete || s.PaymentStatus != isUnpaid {
		return refused("", "session", "The Checkout Session does not wait for a payment.")
	}
	if err := f.decidePayment(string(s.PaymentIntent), reason); err != nil {
		return err
	}
	if reason != "" {
		f.happened("checkout.session.async_payment_failed", s)
		return nil
	}
	s.PaymentStatus = isPaid
	f.happened("checkout.session.async_payment_succeeded", s)
	return nil
}

// decidePayment ends the wait of a payment: it succeeds, or fails for a reason.
func (f *Fake) decidePayment(id, reason string) error {
	pi, err := find[*paymentIntent](f, "payment_intent", id, "payment")
	if err != nil {
		return err
	}
	if pi.Status != isProcessing && pi.Status != needsAction {
		return unexpectedState(pi)
	}
	pm, err := find[*paymentMethod](f, "PaymentMethod", string(pi.PaymentMethod), "payment")
	if err != nil {
		return err
	}
	if reason != "" {
		_ = f.decline(pi, pm, declined(reason)) // that it fails is what was asked for
		return nil
	}
	f.succeed(pi, pm)
	return nil
}

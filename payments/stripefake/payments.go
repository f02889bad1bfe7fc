package stripefake

import "slices"

// The amounts that a payment may have, in minor units. Stripe's minimum is 0.50
// US dollars or about as much; 50 of any minor unit stands for it.
const (
	leastAmount = 50
	mostAmount  = 99_999_999
)

// The states of a payment intent.
const (
	needsMethod       = "requires_payment_method"
	needsConfirmation = "requires_confirmation"
	needsAction       = "requires_action"
	isProcessing      = "processing"
	hasSucceeded      = "succeeded"
	isCanceled        = "canceled"
)

func checkAmount(amount int64, param string) error {
	if amount < leastAmount {
		return invalid("amount_too_small", param, "Amount must be at least %d.", leastAmount)
	}
	if amount > mostAmount {
		return invalid("amount_too_large", param, "Amount must be no more than %d.", mostAmount)
	}
	return nil
}

func checkCurrency(currency, param string) error {
	if len(currency) != 3 || slices.ContainsFunc([]byte(currency), func(b byte) bool { return b < 'a' || b > 'z' }) {
		return invalid("parameter_invalid", param, "Invalid currency: %s.", currency)
	}
	return nil
}

func createPayment(f *Fake, c *call) (any, error) {
	pi := &paymentIntent{
		Amount: c.num("amount"), Currency: c.text("currency"), Customer: ref(c.text("customer")),
		Description: ref(c.text("description")), SetupFutureUsage: ref(c.text("setup_future_usage")),
		PaymentMethodTypes: c.texts("payment_method_types"),
	}
	pi.Metadata = c.pairs("metadata")
	if c.is("off_session") && !c.is("confirm") {
		return nil, invalid("", "off_session", "off_session can only be used with confirm=true.")
	}
	if err := checkAmount(pi.Amount, "amount"); err != nil {
		return nil, err
	}
	if err := checkCurrency(pi.Currency, "currency"); err != nil {
		return nil, err
	}
	if pi.Customer != "" {
		if _, err := find[*customer](f, "customer", string(pi.Customer), "customer"); err != nil {
			return nil, err
		}
	}
	pm, err := f.methodFor(pi, c)
	if err != nil {
		return nil, err
	}
	if c.is("confirm") && pm == nil {
		return nil, refused("parameter_missing", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	f.addPayment(pi)
	if pm != nil {
		pi.PaymentMethod, pi.Status = ref(pm.ID), needsConfirmation
	}
	f.happened("payment_intent.created", pi)
	if c.is("confirm") {
		return f.confirm(pi, pm, c)
	}
	return pi, nil
}

func confirmPayment(f *Fake, c *call) (any, error) {
	pi, err := find[*paymentIntent](f, "payment_intent", c.id, "")
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{needsMethod, needsConfirmation, needsAction}, pi.Status) {
		return nil, unexpectedState(pi)
	}
	pm, err := f.methodFor(pi, c)
	if err != nil {
		return nil, err
	}
	if pm == nil {
		return nil, refused("parameter_missing", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	return f.confirm(pi, pm, c)
}

func unexpectedState(pi *paymentIntent) *apiError {
	e := refused("payment_intent_unexpected_state", "", "This PaymentIntent has a status of %s, in which this cannot be done.", pi.Status)
	e.body.PaymentIntent = pi
	return e
}

// methodFor returns the payment method that a request names, else the intent's,
// else nil. One that is saved can pay for its own customer alone.
func (f *Fake) methodFor(pi *paymentIntent, c *call) (*paymentMethod, error) {
	id := c.text("payment_method")
	if id == "" {
		id = string(pi.PaymentMethod)
	}
	if id == "" {
		return nil, nil
	}
	pm, err := f.method(id, "payment_method")
	if err != nil {
		return nil, err
	}
	if pm.Customer != "" && pm.Customer != pi.Customer {
		return nil, refused("resource_missing", "payment_method",
			"The customer does not have a payment method with the ID %s. The payment method must be attached to the customer.", pm.ID)
	}
	return pm, nil
}

// confirm is collect with the answer that a request gets.
func (f *Fake) confirm(pi *paymentIntent, pm *paymentMethod, c *call) (any, error) {
	if failed := f.collect(pi, pm, c.is("off_session") || c.is("error_on_requires_action")); failed != nil {
		return nil, failed
	}
	return pi, nil
}

// addPayment stores a new payment intent.
func (f *Fake) addPayment(pi *paymentIntent) {
	pi.Status, pi.CaptureMethod = needsMethod, "automatic"
	if len(pi.PaymentMethodTypes) == 0 {
		pi.PaymentMethodTypes = []string{"card"}
	}
	f.add(pi, "payment_intent", "pi")
	pi.ClientSecret = f.newID(pi.ID + "_secret")
}

// collect charges a payment method. A charge that waits, for days or for the
// customer, is no failure.
func (f *Fake) collect(pi *paymentIntent, pm *paymentMethod, offSession bool) *apiError {
	pi.PaymentMethod, pi.LastPaymentError, pi.NextAction = ref(pm.ID), nil, nil
	o := f.outcomeOf(pm)
	switch {
	case o.late:
		pi.Status = isProcessing
		f.happened("payment_intent.processing", pi)
	case o.code == AuthenticationRequired && !offSession:
		pi.Status, pi.NextAction = needsAction, &action{Type: "use_stripe_sdk"}
		f.happened("payment_intent.requires_action", pi)
	case o.code != "":
		return f.decline(pi, pm, o)
	default:
		f.succeed(pi, pm)
	}
	return nil
}

// succeed takes the money of an intent.
func (f *Fake) succeed(pi *paymentIntent, pm *paymentMethod) {
	ch := f.newCharge(pi, pm)
	ch.Status, ch.Paid, ch.Captured, ch.AmountCaptured = hasSucceeded, true, true, ch.Amount
	pi.Status, pi.AmountReceived, pi.NextAction, pi.LastPaymentError = hasSucceeded, pi.Amount, nil, nil
	if pi.SetupFutureUsage != "" {
		f.attach(pm, pi.Customer)
	}
	f.happened("charge.succeeded", ch)
	f.happened("payment_intent.succeeded", pi)
}

// decline notes that an intent could not be paid, and returns why.
func (f *Fake) decline(pi *paymentIntent, pm *paymentMethod, o outcome) *apiError {
	ch := f.newCharge(pi, pm)
	e := cardError(o, pm)
	ch.Status, ch.FailureCode, ch.FailureMessage = "failed", ref(o.code), ref(e.body.Message)
	e.body.Charge = ch.ID
	last := e.body
	pi.Status, pi.PaymentMethod, pi.NextAction, pi.LastPaymentError = needsMethod, "", nil, &last
	f.happened("charge.failed", ch)
	f.happened("payment_intent.payment_failed", pi)
	e.body.PaymentIntent = pi
	return e
}

// newCharge stores a try at an intent. It has the intent's metadata as it is now.
func (f *Fake) newCharge(pi *paymentIntent, pm *paymentMethod) *charge {
	ch := &charge{
		Amount: pi.Amount, Currency: pi.Currency, Customer: pi.Customer, Description: pi.Description,
		PaymentIntent: ref(pi.ID), PaymentMethod: ref(pm.ID), PaymentMethodDetails: methodDetails{pm.Type, pm.Card},
	}
	ch.merge(pi.Metadata)
	f.add(ch, "charge", "ch")
	pi.LatestCharge = ref(ch.ID)
	return ch
}

func cancelPayment(f *Fake, c *call) (any, error) {
	pi, err := find[*paymentIntent](f, "payment_intent", c.id, "")
	if err != nil {
		return nil, err
	}
	if pi.Status == hasSucceeded || pi.Status == isCanceled {
		return nil, unexpectedState(pi)
	}
	pi.Status, pi.CanceledAt, pi.CancellationReason = isCanceled, stamp(f.unix()), ref(c.text("cancellation_reason"))
	f.happened("payment_intent.canceled", pi)
	return pi, nil
}

func createSetup(f *Fake, c *call) (any, error) {
	si := &setupIntent{Description: ref(c.text("description")), Customer: ref(c.text("customer"))}
	si.Metadata = c.pairs("metadata")
	if si.Customer != "" {
		if _, err := find[*customer](f, "customer", string(si.Customer), "customer"); err != nil {
			return nil, err
		}
	}
	if c.is("confirm") && !c.has("payment_method") {
		return nil, missingParam("payment_method")
	}
	f.addSetup(si)
	if !c.is("confirm") {
		return si, nil
	}
	if failed := f.save(si, c.text("payment_method")); failed != nil {
		return nil, failed
	}
	return si, nil
}

func (f *Fake) addSetup(si *setupIntent) {
	si.Status, si.Usage, si.PaymentMethodTypes = needsMethod, "off_session", []string{"card"}
	f.add(si, "setup_intent", "seti")
	si.ClientSecret = f.newID(si.ID + "_secret")
}

// save carries a setup intent out: the payment method is the customer's from then on.
func (f *Fake) save(si *setupIntent, method string) error {
	pm, err := f.method(method, "payment_method")
	if err != nil {
		return err
	}
	if !pm.attaches {
		e := cardError(pm.outcome, pm)
		last := e.body
		si.LastSetupError = &last
		f.happened("setup_intent.setup_failed", si)
		e.body.SetupIntent = si
		return e
	}
	si.Status, si.PaymentMethod, si.LastSetupError = hasSucceeded, ref(pm.ID), nil
	f.attach(pm, si.Customer)
	f.happened("setup_intent.succeeded", si)
	return nil
}

func createRefund(f *Fake, c *call) (any, error) {
	id, param := c.text("charge"), "charge"
	if intent := c.text("payment_intent"); intent != "" {
		pi, err := find[*paymentIntent](f, "payment_intent", intent, "payment_intent")
		if err != nil {
			return nil, err
		}
		id, param = string(pi.LatestCharge), "payment_intent"
	}
	if id == "" {
		return nil, missingParam(param)
	}
	ch, err := find[*charge](f, "charge", id, param)
	if err != nil {
		return nil, err
	}
	amount := ch.Amount - ch.AmountRefunded
	if c.has("amount") {
		amount = c.num("amount")
	}
	r := &refund{Amount: amount, Reason: ref(c.text("reason"))}
	r.Metadata = c.pairs("metadata")
	if err := f.giveBack(ch, r); err != nil {
		return nil, err
	}
	return r, nil
}

// giveBack carries a refund out.
func (f *Fake) giveBack(ch *charge, r *refund) error {
	left := ch.Amount - ch.AmountRefunded
	switch {
	case !ch.Paid:
		return refused("", "charge", "The charge %s has not been paid.", ch.ID)
	case ch.lost:
		return refused("charge_disputed", "charge", "The charge %s has been charged back.", ch.ID)
	case left == 0:
		return refused("charge_already_refunded", "", "Charge %s has already been refunded.", ch.ID)
	case r.Amount < 1:
		return refused("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case r.Amount > left:
		return refused("", "amount", "Refund amount (%d) is greater than unrefunded amount on charge (%d).", r.Amount, left)
	}
	r.Charge, r.Currency, r.PaymentIntent, r.Status = ch.ID, ch.Currency, ch.PaymentIntent, hasSucceeded
	f.add(r, "refund", "re")
	before := snapshot(ch)
	ch.AmountRefunded += r.Amount
	ch.Refunded = ch.AmountRefunded == ch.Amount
	f.happened("refund.created", r)
	f.changed("charge.refunded", ch, before)
	return nil
}

// refundsOf returns the refunds of a charge, newest first.
func (f *Fake) refundsOf(chargeID string) []*refund {
	var all []*refund
	for _, e := range slices.Backward(f.kinds["refund"]) {
		if r, ok := e.(*refund); ok && r.Charge == chargeID {
			all = append(all, r)
		}
	}
	return all
}

// How customers pay: the card that a subscription's checkout keeps, and what is charged to it.
import { DodoPayments, assert, client, has, holds, monthly, oneTime, pay, refused } from './dodo/lib.mjs';

const { NotFoundError, UnprocessableEntityError, BadRequestError, ConflictError, InternalServerError } = DodoPayments;
const tokens = await client.creditEntitlements.create({ name: 'Tokens', unit: 'token', precision: 0, rollover_enabled: false, overage_enabled: false });
const attach = (credits_amount) => [{ credit_entitlement_id: tokens.id, credits_amount }];
const plan = await client.products.create({ name: 'Plan', tax_category: 'saas', price: monthly(2000), credit_entitlements: attach('300') });
const pack = await client.products.create({ name: 'Pack', tax_category: 'saas', price: oneTime(900), credit_entitlements: attach('50') });
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const cart = (product) => [{ product_id: product.product_id, quantity: 1 }];
assert.deepEqual(await client.customers.retrievePaymentMethods(ada), { items: [] });

// A subscription is ordered, and begins when it is paid.
const session = await client.checkoutSessions.create({
  product_cart: [{ ...cart(plan)[0], credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '320' }] }], customer: { customer_id: ada },
  return_url: 'https://app.example.test/', metadata: { seat: 'a' },
});
const [pending] = (await client.subscriptions.list({ status: 'pending', customer_id: ada, page_number: 0 })).items;
has(pending, { product_id: plan.product_id, status: 'pending', has_payment_method: false, metadata: { seat: 'a' } });
has(await client.subscriptions.retrieve(pending.subscription_id), { status: 'pending', subscription_id: pending.subscription_id });
assert.deepEqual((await client.subscriptions.list({ customer_id: ada, page_number: 0 })).items, []);
const back = await pay(session.checkout_url);
assert.deepEqual(['status', 'subscription_id'].map((p) => back.searchParams.get(p)), ['active', pending.subscription_id]);
const active = await client.subscriptions.retrieve(pending.subscription_id);
const { items: [card] } = await client.customers.retrievePaymentMethods(ada);
has(card, { payment_method: 'card', recurring_enabled: true });
has(card.card, { card_network: 'visa', last4_digits: '4242' });
has(active, { status: 'active', has_payment_method: true, payment_method_id: card.payment_method_id, on_demand: false, metadata: { seat: 'a' } });
assert.deepEqual(await holds(ada, tokens.id), ['320', '0']);
assert.equal(active.credit_entitlement_cart[0].credits_amount, '320');
const first = await client.payments.retrieve(back.searchParams.get('payment_id'));
has(first, { status: 'succeeded', total_amount: 2000, subscription_id: active.subscription_id, subscription_ids: [active.subscription_id], product_cart: cart(plan) });
assert.match(first.invoice_id, /^inv_/);
assert.deepEqual((await client.payments.list({ subscription_id: active.subscription_id, page_number: 0 })).items.map((p) => p.payment_id), [first.payment_id]);
await refused(() => client.checkoutSessions.create({ product_cart: cart(plan), customer: { customer_id: ada } }), 409, ConflictError, 'CUSTOMER_HAS_EXISTING_SUBSCRIPTION');

// The card that is kept pays without a page.
const quiet = await client.checkoutSessions.create({
  product_cart: cart(pack), customer: { customer_id: ada }, confirm: true, payment_method_id: card.payment_method_id,
});
has(quiet, { checkout_url: null });
has(await client.payments.retrieve(quiet.payment_id), { status: 'succeeded', total_amount: 900, checkout_session_id: null });
assert.deepEqual(await holds(ada, tokens.id), ['370', '0']);
await client.payments.create({ product_cart: cart(pack), customer: { customer_id: ada }, billing: { country: 'CH' }, payment_method_id: card.payment_method_id });
assert.deepEqual(await holds(ada, tokens.id), ['420', '0']);
has(await client.payments.retrieveRetryState(quiet.payment_id), { can_retry: false, reason: 'PAYMENT_NOT_RETRIABLE', sends_used: 0 });
await refused(() => client.payments.retry(quiet.payment_id), 422, UnprocessableEntityError, 'PAYMENT_NOT_RETRIABLE');

// The provider has a page for it.
const portal = await client.customers.customerPortal.create(ada, { return_url: 'https://app.example.test/' });
assert.match(await (await fetch(portal.link)).text(), /4242/);

// A change of plan is charged to it.
const more = await client.products.create({ name: 'More', tax_category: 'saas', price: monthly(5000), credit_entitlements: attach('1000') });
const changed = await client.subscriptions.changePlan(active.subscription_id, { product_id: more.product_id, quantity: 1, proration_billing_mode: 'full_immediately' });
assert.match(changed.payment_id, /^pay_/);
for (let tries = 0; (await client.payments.retrieve(changed.payment_id)).status !== 'succeeded'; tries++) {
  assert.ok(tries < 100, 'the outbox charges it');
  await new Promise((waited) => setTimeout(waited, 100));
}
has(await client.payments.retrieve(changed.payment_id), { total_amount: 5000, subscription_id: active.subscription_id });
assert.deepEqual(await holds(ada, tokens.id), ['1420', '0']);

// Another card.
const other = await client.subscriptions.updatePaymentMethod(active.subscription_id, { payment_method: { type: 'new', return_url: 'https://app.example.test/card' } });
const home = await pay(other.payment_link, '5555555555554444');
assert.deepEqual([home.pathname, home.searchParams.get('subscription_id')], ['/card', active.subscription_id]);
has(await client.payments.retrieve(other.payment_id), { status: 'succeeded', total_amount: 0, is_update_payment_method: true });
const { items: [master] } = await client.customers.retrievePaymentMethods(ada);
has(master.card, { card_network: 'mastercard', last4_digits: '4444' });
assert.deepEqual(
  await client.subscriptions.updatePaymentMethod(active.subscription_id, { payment_method: { type: 'existing', payment_method_id: master.payment_method_id } }),
  { payment_id: null, payment_link: null, client_secret: null, expires_on: null },
);
await refused(() => client.subscriptions.updatePaymentMethod(active.subscription_id, { payment_method: { type: 'existing', payment_method_id: card.payment_method_id } }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.customers.deletePaymentMethod(card.payment_method_id, { customer_id: ada }), 404, NotFoundError, 'NOT_FOUND');
await client.customers.deletePaymentMethod(master.payment_method_id, { customer_id: ada });
assert.deepEqual(await client.customers.retrievePaymentMethods(ada), { items: [] });
has(await client.subscriptions.retrieve(active.subscription_id), { has_payment_method: false, payment_method_id: null });
await refused(() => client.subscriptions.charge(active.subscription_id, { product_price: 100 }), 422, UnprocessableEntityError, 'SUBSCRIPTION_NOT_ON_DEMAND');

// On demand: a page for the card, and then what is asked for. Credits come with each charge.
const demand = await client.products.create({ name: 'Metered by hand', tax_category: 'saas', price: monthly(1500), credit_entitlements: attach('10') });
const { customer_id: bob } = await client.customers.create({ email: 'bob@example.test', name: 'Bob' });
const mandate = await client.subscriptions.create({
  product_id: demand.product_id, quantity: 1, customer: { customer_id: bob }, billing: { country: 'CH' }, payment_link: true, on_demand: { mandate_only: true },
});
has(mandate, { payment_method_required: true });
assert.match(mandate.payment_id, /^pay_/);
has(await client.subscriptions.retrieve(mandate.subscription_id), { status: 'pending', on_demand: true });
await pay(mandate.payment_link);
has(await client.subscriptions.retrieve(mandate.subscription_id), { status: 'active', on_demand: true, has_payment_method: true });
await refused(() => client.creditEntitlements.balances.retrieve(bob, { credit_entitlement_id: tokens.id }), 404, NotFoundError, 'NOT_FOUND');
const charge = await client.subscriptions.charge(mandate.subscription_id, { product_price: 777, product_description: 'Overtime', metadata: { hours: 3 } });
has(await client.payments.retrieve(charge.payment_id), {
  status: 'succeeded', total_amount: 777, subscription_id: mandate.subscription_id, product_cart: cart(demand), metadata: { hours: '3' },
});
assert.equal((await client.payments.retrieveLineItems(charge.payment_id)).items[0].name, 'Overtime');
assert.deepEqual(await holds(bob, tokens.id), ['10', '0']);
for (const [body, type, status, code] of [
  [{ product_price: 0, product_currency: 'EUR' }, UnprocessableEntityError, 422, 'UNSUPPORTED_CURRENCY'],
  [{ product_price: -1 }, BadRequestError, 400, 'INVALID_REQUEST_PARAMETERS'],
  [{}, UnprocessableEntityError, 422, 'INVALID_REQUEST_BODY'],
]) await refused(() => client.subscriptions.charge(mandate.subscription_id, body), status, type, code);
await client.subscriptions.update(mandate.subscription_id, { status: 'cancelled' });
await refused(() => client.subscriptions.charge(mandate.subscription_id, { product_price: 100 }), 422, UnprocessableEntityError, 'SUBSCRIPTION_INACTIVE');

// On demand with a first charge, through a checkout; and with the card that is kept.
const started = await client.checkoutSessions.create({
  product_cart: cart(demand), customer: { customer_id: bob }, subscription_data: { on_demand: { mandate_only: false, product_price: 300 } },
});
const begun = await pay(started.checkout_url);
assert.equal(begun.pathname.startsWith('/pay/'), true, 'there is nowhere else to go');
const paid = await client.checkoutSessions.retrieve(started.session_id);
has(await client.payments.retrieve(paid.payment_id), { status: 'succeeded', total_amount: 300 });
assert.deepEqual(await holds(bob, tokens.id), ['20', '0']);
const { items: [again] } = await client.subscriptions.list({ customer_id: bob, status: 'active', page_number: 0 });
await client.subscriptions.update(again.subscription_id, { status: 'cancelled' });
const { items: [kept] } = await client.customers.retrievePaymentMethods(bob);
const straight = await client.subscriptions.create({
  product_id: plan.product_id, quantity: 2, customer: { customer_id: bob }, billing: { country: 'CH' }, payment_method_id: kept.payment_method_id,
});
has(await client.subscriptions.retrieve(straight.subscription_id), { status: 'active', quantity: 2 });
has(await client.payments.retrieve(straight.payment_id), { status: 'succeeded', total_amount: 4000 });
assert.deepEqual(await holds(bob, tokens.id), ['620', '0']);

// There is no money of customers here.
has(await client.customers.wallets.list(ada), { total_balance_usd: 0 });
assert.deepEqual((await client.customers.wallets.list(ada)).items.map((w) => [w.currency, w.balance]), [['USD', 0]]);
assert.deepEqual((await client.customers.wallets.ledgerEntries.list(ada)).items, []);
await refused(() => client.customers.wallets.ledgerEntries.create(ada, { amount: 1, currency: 'USD', entry_type: 'debit' }), 400, BadRequestError, 'INSUFFICIENT_WALLET_FUNDS');
await refused(() => client.customers.wallets.ledgerEntries.create(ada, { amount: 1, currency: 'USD', entry_type: 'credit' }), 501, InternalServerError, 'NOT_IMPLEMENTED');

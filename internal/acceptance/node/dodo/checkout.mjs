// A checkout from the page to the credits, and back: what the SDK is told, what arrives, and what is
// granted and taken.
import { DodoPayments, all, assert, client, debit, has, holds, ledger, oneTime, pay, press, receiver, refused } from './dodo/lib.mjs';

const { NotFoundError, UnprocessableEntityError } = DodoPayments;
const { next, close } = await receiver();
const tokens = await client.creditEntitlements.create({
  name: 'Tokens', unit: 'token', precision: 0, rollover_enabled: false, overage_enabled: false, expires_after_days: 30,
});
const pack = await client.products.create({
  name: '500 tokens', tax_category: 'saas', price: oneTime(1000),
  credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '500', expires_after_days: 365 }],
});
const of = { credit_entitlement_id: tokens.id };
const grantsOf = async (customer) => (await client.creditEntitlements.balances.listGrants(customer, of)).items;

// The page.
const session = await client.checkoutSessions.create({
  product_cart: [{ product_id: pack.product_id, quantity: 1 }],
  customer: { email: 'ada@example.test', name: 'Ada' },
  billing_address: { country: 'CH', city: 'Bern' },
  return_url: 'https://app.example.test/done?tab=credits#top',
  metadata: { campaign: 'spring' },
});
assert.match(session.session_id, /^cks_/);
has(session, { payment_id: null, client_secret: null });
const before = await client.checkoutSessions.retrieve(session.session_id);
has(before, { id: session.session_id, customer_email: 'ada@example.test', customer_name: 'Ada', payment_id: null, payment_status: null });
const { items: [{ customer_id: ada }] } = await client.customers.list({ email: 'ada@example.test' });
await refused(() => client.creditEntitlements.balances.retrieve(ada, of), 404, NotFoundError, 'NOT_FOUND');

// Paid, and there at once.
const back = await pay(session.checkout_url);
assert.deepEqual([back.origin, back.hash, back.searchParams.get('tab'), back.searchParams.get('status')], ['https://app.example.test', '#top', 'credits', 'succeeded']);
assert.deepEqual(await holds(ada, tokens.id), ['500', '0']);
const after = await client.checkoutSessions.retrieve(session.session_id);
has(after, { payment_id: back.searchParams.get('payment_id'), payment_status: 'succeeded' });
const id = after.payment_id;
const payment = await client.payments.retrieve(id);
has(payment, {
  payment_id: id, status: 'succeeded', total_amount: 1000, currency: 'USD', settlement_amount: 1000, checkout_session_id: session.session_id,
  product_cart: [{ product_id: pack.product_id, quantity: 1 }], metadata: { campaign: 'spring' }, refunds: [], disputes: [], refund_status: null,
  billing: { country: 'CH', city: 'Bern', state: null, street: null, zipcode: null }, payment_provider: 'dodo', subscription_id: null, payment_link: null,
});
has(payment.customer, { customer_id: ada, email: 'ada@example.test', name: 'Ada' });
const [grant] = await grantsOf(ada);
has(grant, { source_type: 'one_time', source_id: id, initial_amount: '500', metadata: { campaign: 'spring' } });
assert.equal(Math.round((Date.parse(grant.expires_at) - Date.parse(grant.created_at)) / 864e5), 365, 'as the attachment says');
const { items: [line] } = await client.creditEntitlements.balances.listLedger(ada, of);
has(line, { transaction_type: 'credit_added', reference_type: 'payment', reference_id: id, metadata: { campaign: 'spring' } });
const told = await next('payment.succeeded');
assert.deepEqual({ ...told.data, updated_at: 0 }, { ...payment, payload_type: 'Payment', updated_at: 0 });
assert.deepEqual((await next('credit.added')).data, { ...line, payload_type: 'CreditLedgerEntry' });
const page = await (await client.invoices.payments.retrieve(id)).text();
assert.match(page, /500 tokens/);
assert.match(page, /10\.00 USD/);

// A quarter goes back, and takes a quarter of what was granted; what is spent is spent.
await debit(ada, tokens.id, '200');
const quarter = await client.refunds.create({ payment_id: id, items: [{ item_id: pack.product_id, amount: 250 }], reason: 'too many', metadata: { ticket: '7' } });
assert.match(quarter.refund_id, /^ref_/);
has(quarter, { payment_id: id, amount: 250, currency: 'USD', is_partial: true, status: 'succeeded', reason: 'too many', metadata: { ticket: '7' } });
assert.equal(quarter.customer.customer_id, ada);
assert.deepEqual(await holds(ada, tokens.id), ['175', '0']);
assert.deepEqual((await ledger(ada, tokens.id)).at(-1), 'refund 125');
has((await next('refund.succeeded')).data, { ...quarter, payload_type: 'Refund' });
assert.deepEqual(await client.refunds.retrieve(quarter.refund_id), quarter);
has(await client.payments.retrieve(id), { refund_status: 'partial' });
has((await client.payments.retrieve(id)).refunds[0], { refund_id: quarter.refund_id, amount: 250 });
has((await client.payments.retrieveLineItems(id)).items[0], { items_id: pack.product_id, amount: 1000, refundable_amount: 750, name: '500 tokens', tax: 0 });

// The rest: 375 more are due, and 175 are there.
const rest = await client.refunds.create({ payment_id: id });
has(rest, { amount: 750, is_partial: true });
assert.deepEqual(await holds(ada, tokens.id), ['0', '0']);
has(await client.payments.retrieve(id), { refund_status: 'full' });
await refused(() => client.refunds.create({ payment_id: id }), 422, UnprocessableEntityError, 'PAYMENT_ALREADY_REFUNDED');
assert.deepEqual((await all(client.refunds.list())).map((r) => r.amount), [750, 250]);
assert.deepEqual((await all(client.refunds.list({ customer_id: ada, status: 'succeeded' }))).length, 2);
for (const none of [{ customer_id: 'none' }, { status: 'review' }, { status: 'failed' }, { created_at_lte: '2020-01-01T00:00:00Z' }, { subscription_id: 'sub_none' }]) {
  assert.deepEqual(await all(client.refunds.list(none)), [], JSON.stringify(none));
}

// On a page the customer tries again; what is declined grants nothing.
const bob = await client.customers.create({ email: 'bob@example.test', name: 'Bob' });
const buy = async (change) => client.checkoutSessions.create({
  product_cart: [{ product_id: pack.product_id, quantity: 2 }], customer: { customer_id: bob.customer_id }, cancel_url: 'https://app.example.test/back', ...change,
});
const second = await buy();
await pay(second.checkout_url, '4000000000009995');
const declined = await client.checkoutSessions.retrieve(second.session_id);
assert.equal(declined.payment_status, 'requires_payment_method');
has(await client.payments.retrieve(declined.payment_id), { error_code: 'insufficient_funds', payment_link: second.checkout_url });
await refused(() => client.refunds.create({ payment_id: declined.payment_id }), 422, UnprocessableEntityError, 'PAYMENT_NOT_SUCCEEDED');
await refused(() => client.invoices.payments.retrieve(declined.payment_id), 404, NotFoundError, 'NOT_FOUND');
await pay(second.checkout_url);
assert.deepEqual(await holds(bob.customer_id, tokens.id), ['1000', '0'], 'twice the product, twice the credits');
has(await client.payments.retrieve(declined.payment_id), { status: 'succeeded', total_amount: 2000, error_code: null });
await next('payment.succeeded', (p) => p.payment_id === declined.payment_id);

// The bank calls the money back: frozen while it decides, gone when it is lost.
await press(second.checkout_url, 'dispute');
const disputed = await next('dispute.opened');
has(disputed.data, { payload_type: 'Dispute', payment_id: declined.payment_id, amount: '2000', currency: 'USD', dispute_status: 'dispute_opened', dispute_stage: 'dispute' });
assert.match(disputed.data.dispute_id, /^dp_/);
has((await client.payments.retrieve(declined.payment_id)).disputes[0], { dispute_id: disputed.data.dispute_id, dispute_status: 'dispute_opened' });
await press(second.checkout_url, 'lose');
assert.equal((await next('dispute.lost')).data.dispute_id, disputed.data.dispute_id);
assert.deepEqual(await holds(bob.customer_id, tokens.id), ['0', '0']);
await refused(() => client.refunds.create({ payment_id: declined.payment_id }), 422, UnprocessableEntityError, 'PAYMENT_ALREADY_REFUNDED');

// Money that takes its time, and a bank that refuses in the end.
const slow = await buy();
await press(slow.checkout_url, 'later', { number: '4242424242424242' });
const waits = await client.checkoutSessions.retrieve(slow.session_id);
assert.equal(waits.payment_status, 'processing');
assert.equal((await next('payment.processing')).data.payment_id, waits.payment_id);
await press(slow.checkout_url, 'bounce');
has((await next('payment.failed')).data, { payment_id: waits.payment_id, status: 'failed', error_code: 'bank_refused' });
assert.deepEqual(await holds(bob.customer_id, tokens.id), ['0', '0']);

// Lists.
const payments = async (query) => (await all(client.payments.list(query))).map((p) => p.payment_id);
assert.deepEqual(await payments(), [waits.payment_id, declined.payment_id, id]);
assert.deepEqual(await payments({ customer_id: ada }), [id]);
assert.deepEqual(await payments({ status: 'failed' }), [waits.payment_id]);
assert.deepEqual(await payments({ status: 'succeeded', product_id: pack.product_id, currency: 'USD' }), [declined.payment_id, id]);
assert.deepEqual(await payments({ page_size: 1 }), [waits.payment_id, declined.payment_id, id]);
for (const none of [{ status: 'requires_capture' }, { currency: 'EUR' }, { product_id: 'pdt_none' }, { customer_id: 'none' }, { brand_id: 'none' }]) {
  assert.deepEqual(await payments(none), [], JSON.stringify(none));
}
await refused(() => client.payments.list({ status: 'paid' }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');
for (const call of [
  () => client.payments.retrieve('pay_1'),
  () => client.payments.retrieve(id.replace('pay_', 'ord_')),
  () => client.checkoutSessions.retrieve(id),
  () => client.refunds.retrieve('ref_1'),
  () => client.refunds.retrieve(`${id.replace('pay_', 'ref_')}_9`),
  () => client.refunds.create({ payment_id: 'pay_1' }),
]) await refused(call, 404, NotFoundError, 'NOT_FOUND');
close();

// What recurs is paid for by the card that is kept: renewals, the end of a trial, a card that is declined,
// and what becomes of those who do not pay. Cycles end on 28 February and 31 March at noon.
import { assert, client, debit, has, holds, monthly, pay, receiver, until } from './dodo/lib.mjs';

const { next, known, close } = await receiver(undefined, 'moved');
const tokens = await client.creditEntitlements.create({ name: 'Tokens', unit: 'token', precision: 0, rollover_enabled: false, overage_enabled: false });
const plan = await client.products.create({
  name: 'Plan', tax_category: 'saas', price: monthly(2000), credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '100' }],
});
const order = async (name, change) => {
  const { customer_id } = await client.customers.create({ email: `${name}@example.test`, name });
  const session = await client.checkoutSessions.create({ product_cart: [{ product_id: plan.product_id, quantity: 1 }], customer: { customer_id }, ...change });
  return { customer_id, session };
};
const bought = async (name, card, change) => {
  const { customer_id, session } = await order(name, change);
  await pay(session.checkout_url, card);
  const { items: [{ subscription_id }] } = await client.subscriptions.list({ customer_id, status: 'active', page_number: 0 });
  return { customer_id, subscription_id };
};
const statusOf = async ({ subscription_id }) => (await client.subscriptions.retrieve(subscription_id)).status;
const eventually = async (is, what) => {
  for (let tries = 0; !(await is()); tries++) {
    assert.ok(tries < 200, what);
    await new Promise((waited) => setTimeout(waited, 50));
  }
};
const has100 = (n) => async (customer) => (await holds(customer, tokens.id))[0] === String(n);

const failing = '4000000000000341'; // pays on a page, and is declined without one
const ada = await bought('ada', failing);
const eve = await bought('eve', failing);
const bob = await bought('bob', '4242424242424242', { subscription_data: { trial_period_days: 14 } });
const dave = await order('dave');
const [{ subscription_id: never }] = (await client.subscriptions.list({ customer_id: dave.customer_id, status: 'pending', page_number: 0 })).items;
await next('subscription.active', (s) => s.subscription_id === ada.subscription_id);
has((await next('payment.succeeded', (p) => p.subscription_id === bob.subscription_id)).data, { total_amount: 0 });

// A page that nobody pays on closes after a day.
await until('2026-02-01T12:30:00Z');
const closed = await next('payment.cancelled');
has(closed.data, { status: 'cancelled', checkout_session_id: dave.session.session_id });
has((await next('subscription.failed')).data, { subscription_id: never, status: 'failed' });
has((await client.subscriptions.list({ customer_id: dave.customer_id, status: 'failed', page_number: 0 })).items[0], { subscription_id: never });
has(await client.checkoutSessions.retrieve(dave.session.session_id), { payment_status: 'cancelled' });

// The trial ends, and is paid for.
await until('2026-02-14T12:00:00Z');
// (What was on its way when the clock was moved may come twice.)
has((await next('payment.succeeded', (p) => p.subscription_id === bob.subscription_id && p.total_amount > 0)).data, { total_amount: 2000, retry_attempt: 0, checkout_session_id: null });
await eventually(() => has100(200)(bob.customer_id), 'the first paid cycle');
await next('subscription.renewed', (s) => s.subscription_id === bob.subscription_id);

// A card that is declined: nothing is granted, and the subscription waits.
await until('2026-02-28T12:00:00Z');
const held = (await next('subscription.on_hold', (s) => s.subscription_id === ada.subscription_id)).data;
has(held, { status: 'on_hold', payload_type: 'Subscription' });
const failed = (await next('payment.failed', (p) => p.subscription_id === ada.subscription_id)).data;
has(failed, { status: 'failed', error_code: 'card_declined', total_amount: 2000 });
await next('subscription.on_hold', (s) => s.subscription_id === eve.subscription_id);
assert.equal(await statusOf(ada), 'on_hold');
assert.deepEqual(await holds(ada.customer_id, tokens.id), ['100', '0']);
const listed = async (status) => (await client.subscriptions.list({ status, page_number: 0 })).items.map((s) => s.subscription_id);
assert.deepEqual((await listed('on_hold')).sort(), [ada.subscription_id, eve.subscription_id].sort());
assert.deepEqual(await listed('active'), [bob.subscription_id]);

// Another attempt with the same card, and then another card, with which what is due is paid.
has(await client.payments.retrieveRetryState(failed.payment_id), { can_retry: true, sends_used: 0, sends_allowed: 1, reason: null });
has(await client.payments.retry(failed.payment_id), { payment_id: failed.payment_id, is_manual_retry: true, retry_attempt: 1, status: 'failed', invoice_id: failed.invoice_id });
const due = await client.subscriptions.updatePaymentMethod(ada.subscription_id, { payment_method: { type: 'new', return_url: 'https://app.example.test/' } });
has(await client.payments.retrieve(due.payment_id), { total_amount: 2000, subscription_id: ada.subscription_id, invoice_id: failed.invoice_id });
await pay(due.payment_link);
await next('subscription.active', (s) => s.subscription_id === ada.subscription_id);
assert.equal(await statusOf(ada), 'active');
assert.deepEqual(await holds(ada.customer_id, tokens.id), ['200', '0']);
has(await client.payments.retrieve(failed.payment_id), { status: 'cancelled' });

// With the card that was kept before, once it works: the attempt that waits is made at once.
const { items: [kept] } = await client.customers.retrievePaymentMethods(eve.customer_id);
const again = await client.subscriptions.updatePaymentMethod(eve.subscription_id, { payment_method: { type: 'existing', payment_method_id: kept.payment_method_id } });
has(await client.payments.retrieve(again.payment_id), { status: 'failed', retry_attempt: 1 });

// Who does not pay is tried again, and ends.
for (const [day, attempt] of [['2026-03-02T12:00:01Z', 2], ['2026-03-06T12:01:00Z', 3]]) {
  await until(day);
  await next('payment.failed', (p) => p.payment_id === again.payment_id && p.retry_attempt === attempt);
}
await next('subscription.cancelled', (s) => s.subscription_id === eve.subscription_id);
assert.equal(await statusOf(eve), 'cancelled');
assert.deepEqual(await holds(eve.customer_id, tokens.id), ['100', '0']);
assert.equal((await client.payments.retrieveRetryState(again.payment_id)).can_retry, false);

// The next cycle is paid by itself.
await until('2026-03-31T12:00:00Z');
await next('payment.succeeded', (p) => p.subscription_id === ada.subscription_id && p.created_at.startsWith('2026-03-31'));
await eventually(() => has100(300)(ada.customer_id), 'the second paid cycle');
const three = (await client.payments.list({ subscription_id: ada.subscription_id, page_number: 0 })).items;
assert.deepEqual(three.map((p) => [p.status, p.total_amount]), [['succeeded', 2000], ['succeeded', 2000], ['cancelled', 2000], ['succeeded', 2000]]);
assert.equal(known.some((e) => e.type === 'subscription.on_hold' && e.data.subscription_id === bob.subscription_id), false);
await debit(ada.customer_id, tokens.id, '300');
close();

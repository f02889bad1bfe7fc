// What was sent of the events that lifecycle.mjs made: valid under the vendor's strict schemas.
import { WebhookPayloadSchema } from '@dodopayments/core/schemas';
import { assert, client, has, same, when } from './dodo/lib.mjs';

const events = JSON.parse(process.env.BODIES).map((body) => client.webhooks.unsafeUnwrap(body));
for (const event of events) {
  const parsed = WebhookPayloadSchema.safeParse(event);
  assert.ok(parsed.success, `${JSON.stringify(event)}: ${parsed.error}`);
  if (event.type === 'credit.balance_low') continue;
  assert.equal(event.data.payload_type, 'Subscription');
  // The schemas really are strict: without any one of these fields they refuse it.
  for (const field of ['payload_type', 'brand_id', 'billing', 'customer', 'credit_entitlement_cart', 'meters', 'status', 'next_billing_date']) {
    const { [field]: _, ...data } = event.data;
    assert.ok(!WebhookPayloadSchema.safeParse({ ...event, data }).success, `${event.type} without ${field}`);
  }
}
const of = (name) => events.filter((e) => e.data.customer?.email === `${name}@example.test`);
same(of('ada').map((e) => e.type), ['active', 'updated', 'paused', 'unpaused', 'plan_changed', 'renewed', 'cancelled'].map((e) => `subscription.${e}`));
// One endpoint was told of both ends of Bob's, and the other of the one that it asked for.
same(of('bob').map((e) => e.type), ['subscription.active', 'subscription.expired', 'subscription.expired']);
const ended = of('bob').find((e) => e.type === 'subscription.expired');
has(ended.data, { status: 'expired', cancelled_at: null });
assert.equal(when(ended.timestamp), '2026-02-28T12:00:00.000Z');

const [low] = events.filter((e) => e.type === 'credit.balance_low');
const last = of('ada').find((e) => e.type === 'subscription.cancelled');
has(low.data, {
  customer_id: last.data.customer.customer_id, subscription_id: last.data.subscription_id, credit_entitlement_name: 'Calls',
  available_balance: '9.5', subscription_credits_amount: '50', threshold_percent: 20, threshold_amount: '10',
});
// A body tells how the subscription is when it is sent; the last one cannot be overtaken.
has(last.data, { status: 'cancelled', metadata: { tier: 'pro' }, billing: { country: 'CH', city: null, state: null, street: null, zipcode: null } });
assert.equal(last.data.meters.length, 1);
assert.equal(last.data.meter_credit_entitlement_cart[0].meter_units_per_credit, '10');
// 9.5 were left, 100 came with Pro, 100 with its next cycle, and one was used.
assert.equal(last.data.credit_entitlement_cart[0].remaining_balance, '208.5');

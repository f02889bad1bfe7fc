// What the vendor lacks and its users miss most: asking before the work. An event that a product meters
// is reserved through Scrip's own interface, committed for what it came to, and shown by the SDK.
import { assert, client, has, holds, metered, subscribe } from './dodo/lib.mjs';

const tokens = await client.creditEntitlements.create({ name: 'Tokens', unit: 'credit', precision: 0, rollover_enabled: false, overage_enabled: false });
const meter = await client.meters.create({ name: 'Tokens', event_name: 'ai.tokens', measurement_unit: 'token', aggregation: { type: 'sum', key: 'tokens' } });
const { product_id } = await client.products.create({
  name: 'Plan', tax_category: 'saas', price: metered(1000, [{ meter_id: meter.id, credit_entitlement_id: tokens.id, meter_units_per_credit: '10', free_threshold: 100 }]),
  credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '50' }],
});
const { customer_id, subscription_id } = await subscribe(product_id, 'ada');
const { customer_id: stranger } = await client.customers.create({ email: 'bob@example.test', name: 'Bob' });

const base = process.env.DODO_PAYMENTS_BASE_URL.replace('/dodo', '/v1');
async function native(path, body) {
  const answer = await fetch(`${base}/${path}`, {
    method: 'POST', headers: { authorization: `Bearer ${process.env.DODO_PAYMENTS_API_KEY}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}
const charge = (quantity, who = customer_id) => ({ customer_id: who, event: 'ai.tokens', quantity });

// 100 are free, and 50 credits pay for 500 more. What does not begin another credit comes with them.
has(await native('can-use', charge(609)), { allowed: true });
has(await native('can-use', charge(610)), { allowed: false, reasons: ['credits_exhausted'] });
// The product's meters do not count for those who have not got it.
has(await native('can-use', charge(1, stranger)), { allowed: false });

const first = await native('reserve', charge(400)); // (400 - 100) / 10 = 30 are held
has(first, { allowed: true });
assert.deepEqual((await client.creditEntitlements.balances.retrieve(customer_id, { credit_entitlement_id: tokens.id })).available_balance, '20');
has(await native('reserve', charge(210)), { allowed: false, reasons: ['credits_exhausted'] });
const second = await native('reserve', charge(200)); // (600 - 100) / 10 = 50: the other 20
await native('release', { reservation_id: second.reservation_id });
await native('commit', { reservation_id: first.reservation_id, amount: '250' }); // (250 - 100) / 10 = 15
assert.deepEqual(await holds(customer_id, tokens.id), ['35', '0']);

// What was committed is usage like any other: reported events go on from there.
await client.usageEvents.ingest({ events: [{ event_id: 'e', customer_id, event_name: 'ai.tokens', metadata: { tokens: 57 } }] }); // 307 -> 20
assert.deepEqual(await holds(customer_id, tokens.id), ['30', '0']);
const { items: [cycle] } = await client.subscriptions.retrieveUsageHistory(subscription_id);
has(cycle.meters[0], { consumed_units: '307', chargeable_units: '207' });
assert.equal((await client.usageEvents.list({ meter_id: meter.id, page_number: 0 })).items.length, 2);

// What was reserved is committed as what it was, also when the plan has ended by then.
const third = await native('reserve', charge(30));
await client.subscriptions.update(subscription_id, { status: 'cancelled' });
await native('commit', { reservation_id: third.reservation_id });
const { items: [last] } = await client.usageEvents.list({ event_name: 'ai.tokens', page_number: 0 });
assert.deepEqual(last.metadata, { tokens: 30 });

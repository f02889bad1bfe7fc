// The three priced examples of the vendor's skill, as subscriptions. Cycles end on 28 February, 31 March
// and 30 April at noon. Prices of a credit are in cents: 0.003 dollars are 0.3.
import { DodoPayments, assert, client, debit, has, holds, invoices, ledger, metered, refused, subscribe, totals, until } from './dodo/lib.mjs';

let n = 0;
const use = (customer_id, event_name, metadata, times = 1) => client.usageEvents.ingest({
  events: Array.from({ length: times }, () => ({ event_id: `use ${n++}`, customer_id, event_name, metadata })),
});
const product = (name, price, meter, credit, credits_amount, terms) => client.products.create({
  name, tax_category: 'saas', price: metered(price, [{ meter_id: meter.id, credit_entitlement_id: credit.id, meter_units_per_credit: '1' }]),
  credit_entitlements: [{ credit_entitlement_id: credit.id, credits_amount, ...terms }],
});

// AI SaaS platform: 25 % roll over for a month, overage is billed.
const tokens = await client.creditEntitlements.create({
  name: 'AI Tokens', credit_type: 'custom_unit', unit_name: 'tokens', precision: 0, rollover_enabled: true, max_rollover_percentage: 25,
  rollover_timeframe: 'month', allow_overage: true, price_per_unit: 0.003, overage_behavior: 'bill_overage_at_billing',
});
const generation = await client.meters.create({
  name: 'ai.generation', event_name: 'ai.generation', measurement_unit: 'token', aggregation: { type: 'sum', key: 'tokens' },
});
const starter = await subscribe((await product('Starter', 2900, generation, tokens, '10000')).product_id, 'starter');
const pro = await subscribe((await product('Pro', 9900, generation, tokens, '100000', { price_per_unit: '0.2', currency: 'USD' })).product_id, 'pro');
const enterprise = await subscribe((await product('Enterprise', 49900, generation, tokens, '1000000', { price_per_unit: '0.1', currency: 'USD' })).product_id, 'enterprise');

// API gateway: nothing rolls over, overage is off or forgiven.
const calls = await client.creditEntitlements.create({
  name: 'API Calls', credit_type: 'custom_unit', unit_name: 'API Calls', precision: 0, expiry_duration: 30, rollover_enabled: false, allow_overage: false,
});
const request = await client.meters.create({ name: 'api.request', event_name: 'api.request', measurement_unit: 'call', aggregation: { type: 'count' } });
const forgiven = (price_per_unit) => ({ overage_enabled: true, overage_behavior: 'forgive_at_reset', currency: 'USD', price_per_unit });
const free = await subscribe((await product('Free', 0, request, calls, '1000')).product_id, 'free');
const developer = await subscribe((await product('Developer', 1900, request, calls, '50000', forgiven('0.1'))).product_id, 'developer');
const business = await subscribe((await product('Business', 9900, request, calls, '500000', forgiven('0.05'))).product_id, 'business');

// Cloud storage: 50 % roll over once, overage up to 200 % of the 100 and 1,000 GB-hours.
const hours = await client.creditEntitlements.create({
  name: 'GB-hours', credit_type: 'custom_unit', unit_name: 'GB-hours', precision: 2, rollover_enabled: true, max_rollover_percentage: 50,
  rollover_timeframe: 'month', max_rollover_count: 1, allow_overage: true, overage_limit: 200, price_per_unit: 0.05, overage_behavior: 'bill_overage_at_billing',
});
const storage = await client.meters.create({
  name: 'storage.usage', event_name: 'storage.usage', measurement_unit: 'GB-hour', aggregation: { type: 'sum', key: 'gb_hours' },
});
const personal = await subscribe((await product('Personal', 900, storage, hours, '100')).product_id, 'personal');
const team = await subscribe((await product('Team', 4900, storage, hours, '1000', { overage_limit: '2000', price_per_unit: '3', currency: 'USD' })).product_id, 'team');

// February.
await use(starter.customer_id, 'ai.generation', { model: 'gpt-4', tokens: '6000' }); // as text, as the example sends it
await use(pro.customer_id, 'ai.generation', { tokens: 100500 });
await use(enterprise.customer_id, 'ai.generation', { tokens: 1001234 });
await use(free.customer_id, 'api.request', {}, 1000);
await use(free.customer_id, 'api.request', {}, 5);
await debit(developer.customer_id, calls.id, '49990');
await use(developer.customer_id, 'api.request', {}, 15);
await debit(business.customer_id, calls.id, '400000');
await use(personal.customer_id, 'storage.usage', { gb_hours: 40.25 });
await use(team.customer_id, 'storage.usage', { gb_hours: 1500.5 });
assert.deepEqual(await holds(starter.customer_id, tokens.id), ['4000', '0']);
assert.deepEqual(await holds(pro.customer_id, tokens.id), ['0', '500']);
assert.deepEqual(await holds(free.customer_id, calls.id), ['0', '0'], 'blocked: the 5 calls beyond took place, and nobody owes for them');
await refused(() => debit(free.customer_id, calls.id, '1'), 400, DodoPayments.BadRequestError, 'INSUFFICIENT_CREDIT_BALANCE');
assert.deepEqual(await holds(developer.customer_id, calls.id), ['0', '5']);
assert.deepEqual(await holds(personal.customer_id, hours.id), ['59.75', '0']);
assert.deepEqual(await holds(team.customer_id, hours.id), ['0', '500.5']);

await until('2026-02-28T12:00:00Z');
// Starter: 4000 unused, of which 1000 roll over and 3000 expire; 10000 are new.
assert.deepEqual(await holds(starter.customer_id, tokens.id), ['11000', '0']);
assert.deepEqual(await totals(starter.customer_id), [2900, 2900]);
// Pro: 500 x 0.2 = 100 cents. Nothing was left to roll over.
assert.deepEqual(await holds(pro.customer_id, tokens.id), ['100000', '0']);
assert.deepEqual(await totals(pro.customer_id), [10000, 9900]);
// Enterprise: 1234 x 0.1 = 123.4 cents, rounded to 123.
assert.deepEqual(await totals(enterprise.customer_id), [50023, 49900]);
// Free: nothing is invoiced where the price is nothing. It can call again.
assert.deepEqual(await holds(free.customer_id, calls.id), ['1000', '0']);
assert.deepEqual(await totals(free.customer_id), []);
// Developer: 5 calls are forgiven.
assert.deepEqual(await holds(developer.customer_id, calls.id), ['50000', '0']);
assert.deepEqual(await totals(developer.customer_id), [1900, 1900]);
assert.deepEqual((await ledger(developer.customer_id, calls.id)).slice(-2), ['overage_reset 5', 'credit_added 50000']);
// Business: February has 28 days, and credits live for 30: until 2 March there are both.
assert.deepEqual(await holds(business.customer_id, calls.id), ['600000', '0']);
// Personal: of 59.75 unused floor(29.875) = 29.87 roll over, and 29.88 expire.
assert.deepEqual(await holds(personal.customer_id, hours.id), ['129.87', '0']);
assert.deepEqual((await ledger(personal.customer_id, hours.id)).slice(-3), ['credit_rolled_over 29.87', 'credit_expired 29.88', 'credit_added 100']);
// Team: 500.5 x 3 = 1501.5 cents, rounded to 1502.
assert.deepEqual(await totals(team.customer_id), [6402, 4900]);

// March.
await use(starter.customer_id, 'ai.generation', { tokens: 12500 });
await use(personal.customer_id, 'storage.usage', { gb_hours: 350 });
assert.deepEqual(await holds(starter.customer_id, tokens.id), ['0', '1500']);
// 350 - 129.87 = 220.13 are beyond the balance: 200 reach the limit, and 20.13 are not owed.
assert.deepEqual(await holds(personal.customer_id, hours.id), ['0', '200']);
has((await client.subscriptions.retrieveCreditUsage(personal.subscription_id)).items[0], { overage_limit: '200', remaining_headroom: '0', limit_reached: true });
await until('2026-03-02T12:00:00Z');
assert.deepEqual(await holds(business.customer_id, calls.id), ['500000', '0']);
await until('2026-03-31T12:00:00Z');
// 2900 + 1500 x 0.3 = 3350; 900 + 200 x 5 = 1900.
assert.deepEqual(await totals(starter.customer_id), [3350, 2900, 2900]);
assert.deepEqual(await totals(personal.customer_id), [1900, 900, 900]);
const [{ lines }] = await invoices(starter.customer_id);
assert.deepEqual(lines.map((l) => [l.kind, l.quantity, l.unit_price, l.amount]), [['plan', '1', '2900', 2900], ['overage', '1500', '0.3', 450]]);
assert.deepEqual(await holds(starter.customer_id, tokens.id), ['10000', '0']);

// April: Personal uses nothing. 50 roll over on 30 April, and are forfeited on 30 May, a second time not being allowed.
await until('2026-04-30T12:00:00Z');
assert.deepEqual(await holds(personal.customer_id, hours.id), ['150', '0']);
await until('2026-05-30T12:00:00Z');
assert.deepEqual(await holds(personal.customer_id, hours.id), ['100', '0']);
assert.equal((await ledger(personal.customer_id, hours.id)).at(-1), 'rollover_forfeited 50');
// What meters counted, cycle by cycle.
const { items: cycles } = await client.subscriptions.retrieveUsageHistory(personal.subscription_id, { page_number: 0 });
assert.deepEqual(cycles.map((c) => c.meters[0].consumed_units), ['0', '0', '350', '40.25']);

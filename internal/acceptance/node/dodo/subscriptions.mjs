// Subscriptions (dodo.md section 11): made, listed, read, changed, paused and ended. The clock of the
// server begins on 31 January 2026 at noon.
import { DodoPayments, all, assert, client, has, metered, monthly, refused, same, subscribe, until, when } from './dodo/lib.mjs';

const { APIError, ConflictError, InternalServerError, NotFoundError, UnprocessableEntityError } = DodoPayments;
const BEGIN = '2026-01-31T12:00:00.000Z';

const tokens = await client.creditEntitlements.create({
  name: 'Tokens', unit: 'token', precision: 1, expires_after_days: 90, rollover_enabled: false,
  overage_enabled: true, currency: 'USD', price_per_unit: '2', overage_limit: 50, overage_behavior: 'invoice_at_billing',
});
const meter = await client.meters.create({
  name: 'Tokens used', event_name: 'ai.tokens', measurement_unit: 'unit', aggregation: { type: 'sum', key: 'n' }, description: 'All models',
});
const calls = await client.meters.create({ name: 'Calls', event_name: 'api.call', measurement_unit: 'call', aggregation: { type: 'count' } });
const pro = await client.products.create({
  name: 'Pro', tax_category: 'saas', price: monthly(4900, { tax_inclusive: true }), description: 'For teams',
  credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '100.5', low_balance_threshold_percent: 20 }],
});
const usage = await client.products.create({
  name: 'Usage', tax_category: 'saas',
  price: metered(1000, [
    { meter_id: meter.id, credit_entitlement_id: tokens.id, meter_units_per_credit: '10', free_threshold: 100 },
    { meter_id: calls.id, price_per_unit: '2.5', free_threshold: 3 },
  ]),
  credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '10', expires_after_days: null }],
});
const pack = await client.products.create({ name: 'Pack', tax_category: 'saas', price: { type: 'one_time_price', currency: 'USD', price: 900 } });

// Made for a customer who is there, and for one who is not.
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada', phone_number: '+41000' });
const made = await client.subscriptions.create({
  product_id: pro.product_id, quantity: 2, customer: { customer_id: ada },
  billing: { country: 'CH', city: 'Bern', street: 'Gasse 1', zipcode: '3000' }, metadata: { tier: 'pro', seats: 2 }, tax_id: 'CHE-1',
});
has(made, {
  recurring_pre_tax_amount: 9800, addons: [], metadata: { tier: 'pro', seats: '2' }, payment_id: '', payment_method_required: false,
  payment_link: null, client_secret: null, trial_amount: null,
});
assert.match(made.subscription_id, /^sub_/);
assert.equal(made.customer.customer_id, ada);
const id = made.subscription_id;
let sub = await client.subscriptions.retrieve(id);
has(sub, {
  subscription_id: id, product_id: pro.product_id, status: 'active', quantity: 2, currency: 'USD', recurring_pre_tax_amount: 9800,
  tax_inclusive: true, payment_frequency_count: 1, payment_frequency_interval: 'Month', subscription_period_count: 10,
  subscription_period_interval: 'Year', trial_period_days: 0, cancel_at_next_billing_date: false, on_demand: false, has_payment_method: false,
  addons: [], meters: [], meter_credit_entitlement_cart: [], cancelled_at: null, paused_at: null, scheduled_change: null, trial_amount: null,
  metadata: { tier: 'pro', seats: '2' }, tax_id: 'CHE-1', cancellation_feedback: null, cancellation_comment: null,
  billing: { country: 'CH', city: 'Bern', state: null, street: 'Gasse 1', zipcode: '3000' },
});
has(sub.customer, { customer_id: ada, email: 'ada@example.test', name: 'Ada', phone_number: '+41000' });
assert.equal(when(sub.created_at), BEGIN);
assert.equal(when(sub.previous_billing_date), BEGIN);
assert.equal(when(sub.next_billing_date), '2026-02-28T12:00:00.000Z');
assert.equal(when(sub.expires_at), '2036-01-31T12:00:00.000Z');
assert.equal(sub.credit_entitlement_cart.length, 1);
has(sub.credit_entitlement_cart[0], {
  credit_entitlement_id: tokens.id, credit_entitlement_name: 'Tokens', unit: 'token', product_id: pro.product_id, credits_amount: '100.5',
  remaining_balance: '201', overage_balance: '0', overage_enabled: true, overage_behavior: 'invoice_at_billing', overage_limit: '50',
  rollover_enabled: false, rollover_percentage: null, rollover_timeframe_count: null, rollover_timeframe_interval: null,
  max_rollover_count: null, expires_after_days: 90, low_balance_threshold_percent: 20,
}, 'cart');

// The grant is the subscription's: 2 x 100.5, and as the entitlement says it expires after 90 days.
const { items: [grant] } = await client.creditEntitlements.balances.listGrants(ada, { credit_entitlement_id: tokens.id });
has(grant, { source_type: 'subscription', source_id: id, initial_amount: '201', metadata: { tier: 'pro', seats: '2' } });
assert.equal(when(grant.expires_at), '2026-05-01T12:00:00.000Z');

const { items: [added] } = await client.creditEntitlements.balances.listLedger(ada, { credit_entitlement_id: tokens.id });
has(added, { transaction_type: 'credit_added', amount: '201', grant_id: grant.id, reference_type: 'subscription', reference_id: id, metadata: { tier: 'pro', seats: '2' } });

const other = await client.subscriptions.create({
  product_id: usage.product_id, quantity: 1, customer: { email: 'bob@example.test', name: 'Bob' }, billing: { country: 'DE' },
});
const bob = other.customer.customer_id;
const metering = await client.subscriptions.retrieve(other.subscription_id);
assert.deepEqual(metering.meters, [
  { meter_id: meter.id, name: 'Tokens used', description: 'All models', measurement_unit: 'unit', currency: 'USD', free_threshold: 100, price_per_unit: null },
  { meter_id: calls.id, name: 'Calls', description: null, measurement_unit: 'call', currency: 'USD', free_threshold: 3, price_per_unit: '2.5' },
]);
assert.deepEqual(metering.meter_credit_entitlement_cart, [
  { credit_entitlement_id: tokens.id, meter_id: meter.id, meter_name: 'Tokens used', meter_units_per_credit: '10', product_id: usage.product_id },
]);
// With null the credit never expires, whatever the entitlement says.
has((await client.products.retrieve(usage.product_id)).credit_entitlements[0], { expires_after_days: null });
has(metering.credit_entitlement_cart[0], { expires_after_days: null });
assert.equal((await client.creditEntitlements.balances.listGrants(bob, { credit_entitlement_id: tokens.id })).items[0].expires_at, null);

// What cannot be had.
const create = (change) => client.subscriptions.create({ product_id: pro.product_id, quantity: 1, customer: { email: 'eve@example.test', name: 'Eve' }, billing: { country: 'CH' }, ...change });
await refused(() => create({ customer: { customer_id: ada } }), 409, ConflictError, 'CUSTOMER_HAS_EXISTING_SUBSCRIPTION');
await refused(() => create({ customer: { email: 'ADA@example.test', name: 'Ada' } }), 409, ConflictError, 'CUSTOMER_HAS_EXISTING_SUBSCRIPTION');
await refused(() => create({ product_id: 'pdt_none' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => create({ product_id: pack.product_id }), 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await refused(() => create({ quantity: 0 }), 422, UnprocessableEntityError, 'INVALID_QUANTITY');
await refused(() => create({ product_id: usage.product_id, quantity: 2 }), 422, UnprocessableEntityError, 'INVALID_QUANTITY');
await refused(() => create({ billing: undefined }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => create({ customer: {} }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => create({ customer: { customer_id: 'cus_none' } }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => create({ billing_currency: 'EUR' }), 422, UnprocessableEntityError, 'UNSUPPORTED_CURRENCY');
await refused(() => create({ trial_period_days: 10001 }), 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
for (const missing of [
  { addons: [{ addon_id: 'adn_1', quantity: 1 }] }, { discount_codes: ['SPRING'] }, { one_time_product_cart: [{ product_id: pack.product_id, quantity: 1 }] },
]) await refused(() => create(missing), 501, InternalServerError, 'NOT_IMPLEMENTED');
await refused(() => create({ payment_method_id: 'pm_1' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.subscriptions.charge(id, { product_price: 100 }), 422, UnprocessableEntityError, 'SUBSCRIPTION_NOT_ON_DEMAND');
for (const none of ['sub_none', id.slice(0, -1) + '9', grant.id]) {
  await refused(() => client.subscriptions.retrieve(none), 404, NotFoundError, 'NOT_FOUND');
  await refused(() => client.subscriptions.update(none, { metadata: {} }), 404, NotFoundError, 'NOT_FOUND');
  await refused(() => client.subscriptions.retrieveCreditUsage(none), 404, NotFoundError, 'NOT_FOUND');
}

// Trials: of the product, and another length asked for here. Trial credits stand in for the others.
const trying = await client.products.create({
  name: 'Trying', tax_category: 'saas', price: monthly(2000, { trial_period_days: 14, trial_amount: 100 }),
  credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '50', trial_credits: '5', trial_credits_expire_after_trial: true }],
});
const trial = await subscribe(trying.product_id, 'Tom', { trial_period_days: 3 });
sub = await client.subscriptions.retrieve(trial.subscription_id);
has(sub, { status: 'active', trial_period_days: 3, trial_amount: 100, recurring_pre_tax_amount: 2000 });
assert.equal(when(sub.next_billing_date), '2026-02-03T12:00:00.000Z');
assert.equal(sub.credit_entitlement_cart[0].remaining_balance, '5');

// Updates.
const update = (body) => client.subscriptions.update(id, body);
sub = await update({ metadata: { tier: 'max' }, customer_name: 'Ada L.', customer_business_name: 'Engines', billing: { country: 'GB' } });
has(sub, { metadata: { tier: 'max' }, customer_business_name: 'Engines', billing: { country: 'GB', city: null, state: null, street: null, zipcode: null } });
assert.equal(sub.customer.name, 'Ada L.');
sub = await update({ tax_id: null, customer_business_name: null });
has(sub, { tax_id: null, customer_business_name: null, metadata: { tier: 'max' } });
sub = await update({ cancel_at_next_billing_date: true, cancellation_feedback: 'too_expensive', cancellation_comment: 'Over budget', cancel_reason: 'cancelled_by_customer' });
has(sub, { status: 'active', cancel_at_next_billing_date: true, cancellation_feedback: 'too_expensive', cancellation_comment: 'Over budget', cancelled_at: null });
assert.equal(sub.metadata.cancel_reason, 'cancelled_by_customer');
const ids = async (query) => (await all(client.subscriptions.list(query))).map((s) => s.subscription_id);
assert.deepEqual(await ids({ cancel_at_next_billing_date: true }), [id]);
sub = await update({ cancel_at_next_billing_date: false });
has(sub, { cancel_at_next_billing_date: false, cancellation_comment: null });
assert.equal(when(sub.expires_at), '2036-01-31T12:00:00.000Z', 'the planned end is still there');
sub = await update({ credit_entitlement_cart: [{
  credit_entitlement_id: tokens.id, credits_amount: '7', overage_limit: '9.5', rollover_enabled: true, rollover_percentage: 30,
  rollover_timeframe_count: 2, rollover_timeframe_interval: 'Week', max_rollover_count: 4, expires_after_days: 10, low_balance_threshold_percent: 5,
}] });
has(sub.credit_entitlement_cart[0], {
  credits_amount: '7', overage_limit: '9.5', rollover_enabled: true, rollover_percentage: 30, rollover_timeframe_count: 2,
  rollover_timeframe_interval: 'Week', max_rollover_count: 4, expires_after_days: 10, low_balance_threshold_percent: 5, remaining_balance: '201',
  overage_behavior: 'invoice_at_billing',
}, 'override');
assert.equal((await client.products.retrieve(pro.product_id)).credit_entitlements[0].credits_amount, '100.5', 'the product stays as it is');
sub = await update({ subscription_period_count: 20 });
has(sub, { subscription_period_count: 20, subscription_period_interval: 'Year' });
assert.equal(when(sub.expires_at), '2046-01-31T12:00:00.000Z');
const wrong = (body, code = 'INVALID_REQUEST_PARAMETERS') => refused(() => update(body), 422, UnprocessableEntityError, code);
await wrong({ subscription_period_count: 1 });
await wrong({ subscription_period_interval: 'Day' });
await wrong({ next_billing_date: '2026-01-01T00:00:00Z' });
await wrong({ status: 'paused', metadata: {} });
await wrong({ status: 'active', cancel_at_next_billing_date: false });
await wrong({ status: 'on_hold' });
await wrong({ pause: true });
await wrong({ disable_on_demand: { next_billing_date: '2026-03-01T00:00:00Z' } }, 'SUBSCRIPTION_NOT_ON_DEMAND');
await wrong({ cancellation_feedback: 'rude' });
await wrong({ credit_entitlement_cart: [{ credit_entitlement_id: tokens.id, rollover_percentage: 101 }] });
await wrong({ credit_entitlement_cart: [{ credit_entitlement_id: tokens.id, rollover_timeframe_count: 1 }] });
await refused(() => update({ credit_entitlement_cart: [{ credit_entitlement_id: 'cde_none' }] }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => update({ credit_entitlement_cart: [{ credit_entitlement_id: tokens.id, credits_amount: '-1' }] }), 400, DodoPayments.BadRequestError, 'INVALID_REQUEST_PARAMETERS');

// A day in, a pause of ten days moves everything that was yet to come by as long.
await until('2026-02-01T12:00:00Z');
sub = await update({ status: 'paused' });
assert.equal(sub.status, 'paused');
assert.equal(when(sub.paused_at), '2026-02-01T12:00:00.000Z');
assert.deepEqual(await ids({ status: 'paused' }), [id]);
await until('2026-02-11T12:00:00Z');
sub = await update({ status: 'active' });
has(sub, { status: 'active', paused_at: null });
assert.equal(when(sub.next_billing_date), '2026-03-10T12:00:00.000Z');
assert.equal(when(sub.expires_at), '2046-02-10T12:00:00.000Z');
sub = await update({ next_billing_date: '2026-03-15T00:00:00Z' });
assert.equal(when(sub.next_billing_date), '2026-03-15T00:00:00.000Z');

// The trial is over since 3 February: 5 trial credits are gone, and 50 are there.
sub = await client.subscriptions.retrieve(trial.subscription_id);
assert.equal(when(sub.previous_billing_date), '2026-02-03T12:00:00.000Z');
assert.equal(when(sub.next_billing_date), '2026-03-03T12:00:00.000Z');
assert.equal(sub.credit_entitlement_cart[0].remaining_balance, '50');

// Credit usage: 10 tokens are there, and 50 more may be overage.
const standing = async () => (await client.subscriptions.retrieveCreditUsage(other.subscription_id)).items[0];
has(await standing(), {
  credit_entitlement_id: tokens.id, credit_entitlement_name: 'Tokens', unit: 'token', balance: '10', overage: '0', overage_enabled: true,
  overage_limit: '50', remaining_headroom: '50', limit_reached: false,
});
let n = 0;
const use = (event_name, metadata) => client.usageEvents.ingest({ events: [{ event_id: `e${n++}`, customer_id: bob, event_name, metadata }] });
// 205 units are 105 beyond the 100 that are free: 10.5 tokens, of which 0.5 is overage.
await use('ai.tokens', { n: 205 });
has(await standing(), { balance: '0', overage: '0.5', remaining_headroom: '49.5', limit_reached: false });
// 1000 more would be 100 tokens: 49.5 reach the limit, and the rest is not owed.
await use('ai.tokens', { n: 1000 });
has(await standing(), { balance: '0', overage: '50', remaining_headroom: '0', limit_reached: true });
for (let i = 0; i < 5; i++) await use('api.call', {});
const history = () => all(client.subscriptions.retrieveUsageHistory(other.subscription_id));
let cycles = await history();
assert.equal(cycles.length, 1);
assert.deepEqual([when(cycles[0].start_date), when(cycles[0].end_date)], [BEGIN, '2026-02-28T12:00:00.000Z']);
assert.deepEqual(cycles[0].meters, [
  { id: meter.id, name: 'Tokens used', consumed_units: '1205', chargeable_units: '1105', free_threshold: 100, price_per_unit: '0', currency: 'USD', total_price: 0 },
  // 2 calls beyond the 3 that are free, at 2.5 cents.
  { id: calls.id, name: 'Calls', consumed_units: '5', chargeable_units: '2', free_threshold: 3, price_per_unit: '2.5', currency: 'USD', total_price: 5 },
]);
await until('2026-02-28T12:00:00Z');
await use('api.call', {});
cycles = await history();
assert.deepEqual(cycles.map((c) => c.meters.map((m) => m.consumed_units)), [['0', '1'], ['1205', '5']], 'newest first; the free units are free each cycle');
const { items: named } = await client.subscriptions.retrieveUsageHistory(other.subscription_id, { meter_id: calls.id, end_date: '2026-02-20T00:00:00Z' });
assert.deepEqual(named.map((c) => c.meters.map((m) => m.id)), [[calls.id]]);
assert.deepEqual((await client.subscriptions.retrieveUsageHistory(id)).items, [], 'Pro counts no meters');
// Overage was invoiced and reset, and 10 tokens are new.
has(await standing(), { balance: '10', overage: '0', limit_reached: false });

// Cancelled at once; a customer may have another one then.
sub = await client.subscriptions.update(trial.subscription_id, { status: 'cancelled', cancellation_feedback: 'unused' });
has(sub, { status: 'cancelled', cancel_at_next_billing_date: false, cancellation_feedback: 'unused' });
assert.equal(when(sub.cancelled_at), '2026-02-28T12:00:00.000Z');
assert.equal(sub.credit_entitlement_cart[0].remaining_balance, '50', 'what was granted lives on');
await refused(() => client.subscriptions.update(trial.subscription_id, { status: 'cancelled' }), 422, UnprocessableEntityError, 'SUBSCRIPTION_INACTIVE');
const short = await client.products.create({ name: 'Month', tax_category: 'saas', price: monthly(100, { subscription_period_count: 1, subscription_period_interval: 'Month' }) });
const again = await client.subscriptions.create({ product_id: short.product_id, quantity: 1, customer: { customer_id: trial.customer_id }, billing: { country: 'CH' } });
assert.equal((await client.subscriptions.retrieve(trial.subscription_id)).status, 'cancelled', 'the earlier one is still there');

// Lists, newest first; pages as everywhere.
const [t1, t2, b1, a1] = [again.subscription_id, trial.subscription_id, other.subscription_id, id];
same(await ids({}), [t1, t2, b1, a1]);
assert.equal((await ids({}))[0], t1);
same(await ids({ page_size: 1 }), [t1, t2, b1, a1]);
same(await ids({ customer_id: trial.customer_id }), [t1, t2]);
same(await ids({ customer_id: 'cus_none' }), []);
same(await ids({ product_id: usage.product_id }), [b1]);
same(await ids({ product_id: 'pdt_none' }), []);
same(await ids({ status: 'active' }), [t1, b1, a1]);
same(await ids({ status: 'cancelled' }), [t2]);
for (const status of ['pending', 'on_hold', 'failed', 'past_due', 'paused', 'expired']) same(await ids({ status }), []);
same(await ids({ brand_id: sub.brand_id }), [t1, t2, b1, a1]);
same(await ids({ brand_id: 'brnd_other' }), []);
same(await ids({ created_at_gte: '2026-02-28T12:00:00Z' }), [t1]);
same(await ids({ created_at_lte: BEGIN }), [t2, b1, a1]);
same(await ids({ cancel_at_next_billing_date: false, page_size: 1 }), [t1, t2, b1, a1]);
const { items: [row] } = await client.subscriptions.list({ customer_id: ada });
has(row, { product_name: 'Pro', status: 'active', discounts: [], recurring_pre_tax_amount: 9800 });
for (const field of ['credit_entitlement_cart', 'meters', 'addons']) assert.equal(row[field], undefined, field);
await refused(() => client.subscriptions.list({ status: 'asleep' }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');
await refused(() => client.subscriptions.list({ page_size: 101 }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');

// One that runs for its whole period has expired, and was not cancelled.
await until('2026-03-28T12:00:00Z');
sub = await client.subscriptions.retrieve(t1);
has(sub, { status: 'expired', cancelled_at: null });
assert.equal(when(sub.expires_at), '2026-03-28T12:00:00.000Z');
same(await ids({ status: 'expired' }), [t1]);
same(await ids({ status: 'cancelled' }), [t2]);

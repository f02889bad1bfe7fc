// Products with their prices and credits (dodo.md section 9).
import { DodoPayments, all, assert, client, refused } from './dodo/lib.mjs';

const { APIError, BadRequestError, InternalServerError, NotFoundError, UnprocessableEntityError } = DodoPayments;

const credits = [];
for (let i = 0; i < 6; i++) {
  credits.push(await client.creditEntitlements.create({
    name: `Credit ${i}`, unit: 'token', precision: 1, expires_after_days: 30, rollover_enabled: true, rollover_percentage: 25,
    rollover_timeframe_count: 1, rollover_timeframe_interval: 'Month', overage_enabled: true, currency: 'USD', price_per_unit: '2', overage_limit: 10,
  }));
}
const once = { type: 'one_time_price', currency: 'USD', price: 900, discount: 0, purchasing_power_parity: false };
const monthly = {
  type: 'recurring_price', currency: 'EUR', price: 4900, discount: 0, purchasing_power_parity: false, trial_period_days: 14,
  payment_frequency_count: 1, payment_frequency_interval: 'Month', subscription_period_count: 10, subscription_period_interval: 'Year',
};
const usage = {
  type: 'usage_based_price', currency: 'USD', fixed_price: 100, discount: 0, purchasing_power_parity: false,
  payment_frequency_count: 1, payment_frequency_interval: 'Month', subscription_period_count: 1, subscription_period_interval: 'Year', meters: [],
};

const pack = await client.products.create({
  name: 'Pack', tax_category: 'saas', price: once, metadata: { tier: 1 }, description: '500 credits',
  credit_entitlements: [{ credit_entitlement_id: credits[0].id, credits_amount: '500' }],
});
assert.match(pack.product_id, /^pdt_/);
assert.equal(pack.is_recurring, false);
assert.deepEqual(pack.metadata, { tier: '1' });
for (const [field, value] of Object.entries(once)) assert.deepEqual(pack.price[field], value, field);
const [plain] = pack.credit_entitlements;
// What is not overridden is as the entitlement has it.
for (const [field, value] of Object.entries({
  credit_entitlement_id: credits[0].id, credit_entitlement_name: 'Credit 0', credit_entitlement_unit: 'token', credits_amount: '500',
  currency: 'USD', expires_after_days: 30, low_balance_threshold_percent: null, max_rollover_count: null, overage_behavior: 'forgive_at_reset',
  overage_enabled: true, overage_limit: '10', price_per_unit: '2', proration_behavior: 'no_prorate', rollover_enabled: true,
  rollover_percentage: 25, rollover_timeframe_count: 1, rollover_timeframe_interval: 'Month', trial_credits: null, trial_credits_expire_after_trial: false,
})) assert.deepEqual(plain[field], value, field);
assert.deepEqual(await client.products.retrieve(pack.product_id), pack);

const override = {
  credit_entitlement_id: credits[1].id, credits_amount: '1000.5', currency: 'EUR', expires_after_days: 7, low_balance_threshold_percent: 20,
  max_rollover_count: 2, overage_behavior: 'carry_deficit', overage_enabled: false, overage_limit: '2.5', price_per_unit: '0.75',
  proration_behavior: 'prorate', rollover_enabled: false, rollover_percentage: 50, rollover_timeframe_count: 3, rollover_timeframe_interval: 'Week',
  trial_credits: '100', trial_credits_expire_after_trial: true,
};
const plan = await client.products.create({ name: 'Plan', tax_category: 'saas', price: monthly, credit_entitlements: [override] });
assert.equal(plan.is_recurring, true);
for (const [field, value] of Object.entries(monthly)) assert.deepEqual(plan.price[field], value, field);
for (const [field, value] of Object.entries(override)) assert.deepEqual(plan.credit_entitlements[0][field], value, field);
const metered = await client.products.create({ name: 'Metered', tax_category: 'saas', price: usage });
for (const [field, value] of Object.entries(usage)) assert.deepEqual(metered.price[field], value, field);

// PATCH: absent leaves, [] removes all, an array replaces.
const id = plan.product_id;
await client.products.update(id, { name: 'Pro', description: null });
let now = await client.products.retrieve(id);
assert.equal(now.name, 'Pro');
assert.deepEqual(now.credit_entitlements, plan.credit_entitlements);
assert.deepEqual(now.price, plan.price);
await client.products.update(id, { credit_entitlements: [], price: { ...monthly, price: 5900 } });
now = await client.products.retrieve(id);
assert.deepEqual(now.credit_entitlements, []);
assert.equal(now.price.price, 5900);
await client.products.update(id, { credit_entitlements: credits.slice(0, 5).map((c) => ({ credit_entitlement_id: c.id, credits_amount: '1' })) });
assert.equal((await client.products.retrieve(id)).credit_entitlements.length, 5);

const names = async (query) => (await all(client.products.list(query))).map((p) => p.name);
assert.deepEqual(await names({}), ['Metered', 'Pro', 'Pack']);
assert.deepEqual(await names({ recurring: false }), ['Pack']);
assert.deepEqual(await names({ recurring: true }), ['Metered', 'Pro']);
assert.deepEqual(await names({ page_size: 1 }), ['Metered', 'Pro', 'Pack']);
assert.deepEqual(await names({ brand_id: pack.brand_id }), ['Metered', 'Pro', 'Pack']);
assert.deepEqual(await names({ brand_id: 'brnd_other' }), []);
const row = (await client.products.list({ recurring: false })).items[0];
assert.equal(row.price, 900);
assert.deepEqual(row.price_detail, pack.price);
assert.equal(row.credit_entitlements, undefined);

await client.products.archive(pack.product_id);
await refused(() => client.products.archive(pack.product_id), 410, APIError, 'PRODUCT_IS_DELETED');
assert.deepEqual(await names({}), ['Metered', 'Pro']);
assert.deepEqual(await names({ archived: true }), ['Pack']);
await client.products.unarchive(pack.product_id);
assert.deepEqual(await names({}), ['Metered', 'Pro', 'Pack']);

const bad = (change, status = 422, type = UnprocessableEntityError, code = 'INVALID_REQUEST_PARAMETERS') =>
  refused(() => client.products.create({ name: 'Bad', tax_category: 'saas', price: once, ...change }), status, type, code);
const with_ = (change) => ({ credit_entitlements: [{ credit_entitlement_id: credits[0].id, credits_amount: '1', ...change }] });
await bad({ name: undefined }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ tax_category: 'food' });
await bad({ price: { ...once, type: 'free' } }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ price: { ...once, price: '9' } }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ price: { ...once, price: -1 } });
await bad({ price: { ...once, currency: 'dollar' } });
await bad({ price: { ...monthly, payment_frequency_interval: 'Fortnight' } });
await bad({ price: { ...monthly, payment_frequency_count: 0 } });
await bad({ price: { ...monthly, trial_period_days: 0, trial_amount: 100 } });
await bad({ price: { ...usage, meters: [{ meter_id: 'mtr_none' }] } }, 422, UnprocessableEntityError, 'MISSING_METER_IDS');
const { id: counter } = await client.meters.create({ name: 'Counter', event_name: 'c', measurement_unit: 'c', aggregation: { type: 'count' } });
await bad({ price: { ...usage, meters: [{ meter_id: counter, price_per_unit: '1', free_threshold: 1e15 }] } });
await bad({ credit_entitlements: credits.map((c) => ({ credit_entitlement_id: c.id, credits_amount: '1' })) });
await bad({ credit_entitlements: [...with_({}).credit_entitlements, ...with_({}).credit_entitlements] });
await bad(with_({ credit_entitlement_id: 'cde_none' }), 404, NotFoundError, 'NOT_FOUND');
await bad(with_({ credits_amount: '0' }), 400, BadRequestError);
await bad(with_({ credits_amount: '1.05' }), 400, BadRequestError);
await bad(with_({ credits_amount: undefined }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad(with_({ low_balance_threshold_percent: 101 }));
await bad(with_({ rollover_percentage: 101 }));
await bad(with_({ rollover_timeframe_count: 1 }));
await bad(with_({ overage_behavior: 'none' }));
await bad(with_({ proration_behavior: 'perhaps' }));
await bad({ addons: ['adn_1'] }, 501, InternalServerError, 'NOT_IMPLEMENTED');
await bad({ price: { ...once, purchasing_power_parity: true } }, 501, InternalServerError, 'NOT_IMPLEMENTED');
await refused(() => client.products.retrieve('pdt_none'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.products.update('pdt_none', { name: 'x' }), 404, NotFoundError, 'NOT_FOUND');

// A credit that is deleted leaves the product as it is, and cannot be attached again.
await client.creditEntitlements.delete(credits[0].id);
await client.products.update(pack.product_id, { name: 'Old pack' });
assert.equal((await client.products.retrieve(pack.product_id)).credit_entitlements[0].credits_amount, '500');
await bad(with_({}), 404, NotFoundError, 'NOT_FOUND');

// Definitions of credits, from creation to deletion (dodo.md section 5).
import { DodoPayments, all, assert, client, refused, sent } from './dodo/lib.mjs';

const { NotFoundError, UnprocessableEntityError, ConflictError, APIError } = DodoPayments;

const made = await client.creditEntitlements.create({
  name: 'Tokens', unit: 'token', precision: 3, rollover_enabled: true, overage_enabled: true,
  currency: 'USD', price_per_unit: '0.25', overage_limit: 500, overage_behavior: 'carry_deficit',
  rollover_percentage: 75, rollover_timeframe_count: 2, rollover_timeframe_interval: 'Week', max_rollover_count: 3,
  expires_after_days: 30, description: 'For the model',
});
const told = await client.creditEntitlements.retrieve(made.id);
assert.deepEqual(told, made);
const want = {
  name: 'Tokens', unit: 'token', precision: 3, rollover_enabled: true, overage_enabled: true,
  currency: 'USD', price_per_unit: '0.25', overage_limit: 500, overage_behavior: 'carry_deficit',
  rollover_percentage: 75, rollover_timeframe_count: 2, rollover_timeframe_interval: 'Week', max_rollover_count: 3,
  expires_after_days: 30, description: 'For the model',
};
for (const [field, value] of Object.entries(want)) assert.deepEqual(made[field], value, field);
assert.ok(made.id && made.business_id && Date.parse(made.created_at) && made.updated_at === made.created_at);

// A PATCH leaves what is absent, clears what is null, sets the rest.
const id = made.id;
assert.ok(!(await client.creditEntitlements.update(id, { description: null, rollover_enabled: false, overage_limit: null })));
const after = await client.creditEntitlements.retrieve(id);
for (const [field, value] of Object.entries({
  ...want, description: null, rollover_enabled: false, overage_limit: null,
})) assert.deepEqual(after[field], value, field);
assert.ok(after.updated_at > made.updated_at);
await client.creditEntitlements.update(id, { rollover_enabled: true, overage_enabled: false, price_per_unit: null, currency: null });
const again = await client.creditEntitlements.retrieve(id);
assert.equal(again.rollover_percentage, 75);
assert.equal(again.price_per_unit, null);
assert.equal(again.overage_enabled, false);

// What the vendor refuses.
const least = { name: 'X', unit: 'x', precision: 0, rollover_enabled: false, overage_enabled: false };
const refusal = (change, code = 'INVALID_REQUEST_PARAMETERS') =>
  refused(() => client.creditEntitlements.create({ ...least, ...change }), 422, UnprocessableEntityError, code);
await refusal({ price_per_unit: '1' });
await refusal({ overage_enabled: true });
await refusal({ rollover_timeframe_count: 1 });
await refusal({ rollover_timeframe_interval: 'Month' });
await refusal({ rollover_enabled: true, rollover_timeframe_count: 1, rollover_timeframe_interval: 'Aeon' });
await refusal({ rollover_percentage: 101 });
await refusal({ expires_after_days: 0 });
await refusal({ precision: 11 });
await refusal({ currency: 'usd' });
await refusal({ overage_behavior: 'none' });
await refusal({ name: '' });
await refusal({ unit: 'u'.repeat(51) });
await refusal({ name: undefined }, 'INVALID_REQUEST_BODY');
await refusal({ precision: '2' }, 'INVALID_REQUEST_BODY');
await refusal({ name: 'tokens' }, 'CREDIT_ENTITLEMENT_NAME_ALREADY_EXISTS');
await refused(() => client.creditEntitlements.update(id, { precision: 1 }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => client.creditEntitlements.update(id, { price_per_unit: '1' }), 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await refused(() => client.creditEntitlements.retrieve('cde_none'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.creditEntitlements.retrieve('Tokens'), 404, NotFoundError, 'NOT_FOUND'); // a name is no id
await refused(() => client.creditEntitlements.list({ page_size: 101 }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');

// Deleted, listed as deleted, and brought back.
await refused(() => client.creditEntitlements.undelete(id), 409, ConflictError, 'CREDIT_ENTITLEMENT_IS_NOT_DELETED');
await client.creditEntitlements.delete(id);
await refused(() => client.creditEntitlements.retrieve(id), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.creditEntitlements.update(id, { unit: 'y' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.creditEntitlements.delete(id), 410, APIError, 'CREDIT_ENTITLEMENT_IS_DELETED');
await refused(() => client.creditEntitlements.undelete('cde_none'), 404, NotFoundError, 'NOT_FOUND');
const ids = async (query) => (await all(client.creditEntitlements.list(query))).map((c) => c.id);
assert.deepEqual(await ids({ deleted: true }), [id]);
assert.ok(!(await ids({})).includes(id));
const before = sent.count;
await client.creditEntitlements.undelete(id);
assert.equal(sent.count, before + 1);
assert.ok((await ids({})).includes(id));

// Meters, and the events that they count (dodo.md sections 7 and 8). The credit that a meter uses
// up is linked by the test, as an operator does.
import { DodoPayments, all, assert, client, holds, metered, refused, same, subscribe } from './dodo/lib.mjs';

const { APIError, BadRequestError, NotFoundError, UnprocessableEntityError } = DodoPayments;

const tokens = await client.meters.create({
  name: 'Tokens', event_name: 'ai.tokens', measurement_unit: 'token', aggregation: { type: 'sum', key: 'tokens' }, description: 'All models',
});
assert.deepEqual([tokens.name, tokens.event_name, tokens.measurement_unit, tokens.description], ['Tokens', 'ai.tokens', 'token', 'All models']);
assert.deepEqual(tokens.aggregation, { type: 'sum', key: 'tokens' });
assert.deepEqual(await client.meters.retrieve(tokens.id), tokens);
const filter = {
  conjunction: 'and',
  clauses: [
    { conjunction: 'or', clauses: [{ key: 'model', operator: 'equals', value: 'gpt-4' }, { key: 'model', operator: 'contains', value: 'claude' }] },
    { conjunction: 'and', clauses: [{ key: 'n', operator: 'greater_than', value: 1 }] },
  ],
};
const calls = await client.meters.create({ name: 'Calls', event_name: 'api.call', measurement_unit: 'call', aggregation: { type: 'count' }, filter });
assert.deepEqual(calls.filter, filter);

const names = async (query) => (await all(client.meters.list(query))).map((m) => m.name);
assert.deepEqual(await names({}), ['Calls', 'Tokens']);
assert.deepEqual(await names({ page_size: 1 }), ['Calls', 'Tokens']);
await client.meters.archive(calls.id);
assert.deepEqual(await names({}), ['Tokens']);
assert.deepEqual(await names({ archived: true }), ['Calls']);
await refused(() => client.meters.archive(calls.id), 410, APIError, 'METER_IS_DELETED');
await client.meters.unarchive(calls.id);
assert.deepEqual(await names({}), ['Calls', 'Tokens']);

const meter = (change) => client.meters.create({ name: 'Bad', event_name: 'e', measurement_unit: 'u', aggregation: { type: 'count' }, ...change });
const bad = (change, code = 'INVALID_REQUEST_PARAMETERS') => refused(() => meter(change), 422, UnprocessableEntityError, code);
await bad({ name: undefined }, 'INVALID_REQUEST_BODY');
await bad({ aggregation: undefined }, 'INVALID_REQUEST_BODY');
await bad({ aggregation: { type: 'median', key: 'k' } });
await bad({ aggregation: { type: 'sum' } }, 'INVALID_REQUEST_BODY');
await bad({ measurement_unit: '' });
await bad({ name: 'tokens' }, 'METER_NAME_ALREADY_EXISTS');
await bad({ filter: { conjunction: 'and', clauses: [{ key: 'k', operator: 'resembles', value: 1 }] } });
await refused(() => client.meters.retrieve('mtr_none'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.meters.archive('mtr_none'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.meters.unarchive('mtr_none'), 404, NotFoundError, 'NOT_FOUND');

// Events.
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const { customer_id: bob } = await client.customers.create({ email: 'bob@example.test', name: 'Bob' });
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const event = (id, change) => ({ event_id: id, customer_id: ada, event_name: 'ai.tokens', ...change });
const ingest = async (...events) => (await client.usageEvents.ingest({ events })).ingested_count;

assert.equal(await ingest(event('one', { metadata: { tokens: '1500', model: 'gpt-4', cached: false, note: null }, timestamp: ago(60) })), 1);
assert.equal(await ingest(event('one', { metadata: { tokens: '1' } }), event('two/2 ?#', { customer_id: bob, timestamp: ago(30) })), 1, 'an id counts once');
assert.equal(await ingest(event('utc', { event_name: 'api.call', timestamp: ago(10).replace('Z', ''), metadata: { model: 'gpt-4', n: 2 } })), 1, 'without a zone: UTC');
const one = await client.usageEvents.retrieve('one');
assert.equal(one.customer_id, ada);
assert.equal(one.event_name, 'ai.tokens');
assert.deepEqual(one.metadata, { tokens: '1500', model: 'gpt-4', cached: false, note: null });
assert.equal((await client.usageEvents.retrieve('two/2 ?#')).customer_id, bob);
const ids = async (query) => (await all(client.usageEvents.list(query))).map((e) => e.event_id);
assert.deepEqual(await ids({}), ['utc', 'two/2 ?#', 'one']);
assert.deepEqual(await ids({ page_size: 1 }), ['utc', 'two/2 ?#', 'one']);
assert.deepEqual(await ids({ customer_id: ada }), ['utc', 'one']);
assert.deepEqual(await ids({ event_name: 'ai.tokens' }), ['two/2 ?#', 'one']);
assert.deepEqual(await ids({ meter_id: calls.id }), ['utc']);
assert.deepEqual(await ids({ meter_id: calls.id, page_size: 1 }), ['utc']);
assert.deepEqual(await ids({ start: one.timestamp, end: one.timestamp }), ['one']);

const refusedEvent = (events, status = 400, type = BadRequestError, code = 'INVALID_REQUEST_PARAMETERS') =>
  refused(() => client.usageEvents.ingest({ events }), status, type, code);
await refusedEvent([]);
await refusedEvent(Array.from({ length: 1001 }, (_, i) => event(`many ${i}`)));
await refusedEvent([event('twice'), event('twice', { customer_id: bob })]);
await refusedEvent([event('fine'), event('old', { timestamp: ago(3601) })]);
await refusedEvent([event('early', { timestamp: ago(-400) })]);
await refusedEvent([event('nobody', { customer_id: 'cus_none' })]);
await refusedEvent([event('')]);
await refusedEvent([event('deep', { metadata: { a: { b: 1 } } })], 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refusedEvent([event('list', { metadata: { a: [1] } })], 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refusedEvent([event('keys', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 1])) })]);
await refusedEvent([event('when', { timestamp: 'noon' })], 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refusedEvent([{ customer_id: ada, event_name: 'e' }], 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => client.usageEvents.retrieve('fine'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.usageEvents.list({ meter_id: 'mtr_none' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.usageEvents.list({ meter_id: calls.id, event_name: 'other' }), 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await refused(() => client.usageEvents.list({ start: 'x' }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');
assert.equal(await ingest(...Array.from({ length: 1000 }, (_, i) => event(`bulk ${i}`, { timestamp: ago(3599) }))), 1000);
same(new Set(await ids({ page_size: 100 })).size.toString(), '1003');

// The vendor's texts have unique_count, and its interface has not; here it counts.
const seats = await client.meters.create({
  name: 'Seats', event_name: 'seat.used', measurement_unit: 'seat', aggregation: { type: 'unique_count', key: 'user' },
});
assert.deepEqual(seats.aggregation, { type: 'unique_count', key: 'user' });
const credit = await client.creditEntitlements.create({ name: 'Seats', unit: 'seat', precision: 0, rollover_enabled: false, overage_enabled: false });
const { product_id } = await client.products.create({
  name: 'Seats', tax_category: 'saas', price: metered(0, [{ meter_id: seats.id, credit_entitlement_id: credit.id, meter_units_per_credit: '1', free_threshold: 1 }]),
  credit_entitlements: [{ credit_entitlement_id: credit.id, credits_amount: '10' }],
});
const { customer_id: eve } = await subscribe(product_id, 'eve');
const used = (id, user) => ({ event_id: id, customer_id: eve, event_name: 'seat.used', metadata: { user } });
await ingest(used('s1', 'x'), used('s2', 'y'), used('s3', 'x'), used('s4', 'z'));
// Three are different, and one is free.
assert.deepEqual(await holds(eve, credit.id), ['8', '0']);
await ingest(used('s5', 'y'));
assert.deepEqual(await holds(eve, credit.id), ['8', '0']);
// Many at a time, of whom the server has not seen one.
await ingest(...Array.from({ length: 40 }, (_, i) => used(`many ${i}`, `user ${i % 4}`)));
assert.deepEqual(await holds(eve, credit.id), ['4', '0']);
const { customer_id: kim } = await subscribe(product_id, 'kim');
await ingest(...Array.from({ length: 900 }, (_, i) => ({ ...used(`kim ${i}`, `user ${i % 300}`), customer_id: kim })));
assert.deepEqual(await holds(kim, credit.id), ['0', '0']);

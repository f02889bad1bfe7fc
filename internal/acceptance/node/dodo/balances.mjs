// Balances, ledger and grants of a customer (dodo.md section 6).
import { DodoPayments, all, assert, client, refused, same, sent } from './dodo/lib.mjs';

const { BadRequestError, NotFoundError, ConflictError, UnprocessableEntityError } = DodoPayments;
const balances = client.creditEntitlements.balances;

const credit = await client.creditEntitlements.create({
  name: 'Calls', unit: 'call', precision: 2, rollover_enabled: false, overage_enabled: false, expires_after_days: 30,
});
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const at = { credit_entitlement_id: credit.id };
const entry = (body) => balances.createLedgerEntry(ada, { ...at, ...body });

// Who was never granted the credit has no balance, and not one of zero.
await refused(() => balances.retrieve(ada, at), 404, NotFoundError, 'NOT_FOUND');
assert.deepEqual((await balances.listLedger(ada, at)).items, []);
assert.deepEqual((await balances.listGrants(ada, at)).items, []);

const given = await entry({ entry_type: 'credit', amount: '500', reason: 'Welcome', idempotency_key: 'welcome', metadata: { campaign: 'spring' } });
for (const [field, value] of Object.entries({
  customer_id: ada, credit_entitlement_id: credit.id, entry_type: 'credit', is_credit: true, amount: '500', balance_before: '0',
  balance_after: '500', overage_before: '0', overage_after: '0', reason: 'Welcome', metadata: { campaign: 'spring' },
})) assert.deepEqual(given[field], value, field);
assert.ok(given.id && given.grant_id && Date.parse(given.created_at));

// The same again is the stored entry; something else under the key is a conflict, sent once.
assert.deepEqual(await entry({ entry_type: 'credit', amount: '500', reason: 'Welcome', idempotency_key: 'welcome', metadata: { campaign: 'spring' } }), given);
await refused(() => entry({ entry_type: 'credit', amount: '501', idempotency_key: 'welcome' }), 409, ConflictError, 'IDEMPOTENCY_KEY_ALREADY_USED');
await refused(() => entry({ entry_type: 'debit', amount: '500', idempotency_key: 'welcome' }), 409, ConflictError, 'IDEMPOTENCY_KEY_ALREADY_USED');

const later = new Date(Date.now() + 3600_000).toISOString();
const second = await entry({ entry_type: 'credit', amount: '10.5', expires_at: later });
const taken = await entry({ entry_type: 'debit', amount: '500.25', reason: 'Support' });
assert.equal(taken.is_credit, false);
assert.equal(taken.amount, '500.25');
assert.equal(taken.balance_before, '510.5');
assert.equal(taken.balance_after, '10.25');
assert.equal(taken.grant_id, given.grant_id, 'the oldest grant goes first, although the other expires sooner');

const balance = await balances.retrieve(ada, at);
assert.equal(balance.balance, '10.25');
assert.equal(balance.overage, '0');
assert.equal(balance.customer_id, ada);
assert.ok(balance.id && balance.created_at && balance.last_transaction_at >= balance.created_at);
assert.deepEqual((await balances.list(credit.id)).items, [balance]);
assert.deepEqual((await balances.list(credit.id, { customer_id: 'cus_none' })).items, []);
assert.deepEqual((await client.customers.listCreditEntitlements(ada)).items, [
  { credit_entitlement_id: credit.id, name: 'Calls', unit: 'call', description: null, balance: '10.25', overage: '0' },
]);

const ledger = await all(balances.listLedger(ada, at));
assert.deepEqual(ledger.map((e) => [e.transaction_type, e.amount, e.is_credit, e.balance_after]), [
  ['credit_deducted', '500.25', false, '10.25'], ['credit_added', '10.5', true, '510.5'], ['credit_added', '500', true, '500'],
]);
assert.equal(ledger[2].id, given.id);
assert.equal(ledger[2].description, 'Welcome');
const only = async (query) => (await all(balances.listLedger(ada, { ...at, ...query }))).map((e) => e.id);
assert.deepEqual(await only({ transaction_type: 'credit_deducted' }), [taken.id]);
assert.deepEqual(await only({ transaction_type: 'hold_placed' }), []);
same(await only({ start_date: second.created_at }), [second.id, taken.id]);
same(await only({ end_date: second.created_at }), [given.id, second.id]);
await refused(() => balances.listLedger(ada, { ...at, start_date: 'yesterday' }), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');

const grants = async (status) => (await balances.listGrants(ada, { ...at, status })).items;
const [active] = await grants('active');
assert.equal(active.id, second.grant_id);
assert.equal(active.source_type, 'api');
assert.equal(active.initial_amount, '10.5');
assert.equal(active.remaining_amount, '10.25');
assert.equal(Date.parse(active.expires_at), Date.parse(later));
assert.deepEqual([active.is_expired, active.is_rolled_over, active.rollover_count], [false, false, 0]);
assert.deepEqual((await grants('depleted')).map((g) => g.id), [given.grant_id]);
assert.deepEqual(await grants('expired'), []);
assert.equal((await grants()).length, 2);
await refused(() => grants('gone'), 422, UnprocessableEntityError, 'INVALID_QUERY_PARAMS');

// What cannot be booked.
const bad = (body, status, type, code) => refused(() => entry(body), status, type, code);
await bad({ entry_type: 'debit', amount: '10.26' }, 400, BadRequestError, 'INSUFFICIENT_CREDIT_BALANCE');
await bad({ entry_type: 'credit', amount: '1.005' }, 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'credit', amount: '10000000000' }, 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'credit', amount: '0' }, 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'credit', amount: '-1' }, 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'credit', amount: 'ten' }, 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'gift', amount: '1' }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ amount: '1' }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ entry_type: 'credit' }, 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await bad({ entry_type: 'credit', amount: '1', expires_at: '2001-01-01T00:00:00Z' }, 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'debit', amount: '1', expires_at: later }, 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await bad({ entry_type: 'credit', amount: '1', idempotency_key: '' }, 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v']));
await bad({ entry_type: 'credit', amount: '1', metadata: many }, 422, UnprocessableEntityError, 'MAXIMUM_KEYS_REACHED');
await refused(() => balances.createLedgerEntry('cus_none', { ...at, entry_type: 'credit', amount: '1' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => balances.createLedgerEntry(ada, { credit_entitlement_id: 'cde_none', entry_type: 'credit', amount: '1' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => balances.list('cde_none'), 404, NotFoundError, 'NOT_FOUND');
assert.equal((await balances.retrieve(ada, at)).balance, '10.25', 'what was refused changed nothing');

// With overage, a debit goes beyond zero up to the limit.
const loose = await client.creditEntitlements.create({
  name: 'Loose', unit: 'x', precision: 0, rollover_enabled: false, overage_enabled: true, overage_limit: 5, price_per_unit: '1', currency: 'EUR',
  overage_behavior: 'carry_deficit_auto_repay',
});
const on = { credit_entitlement_id: loose.id };
await balances.createLedgerEntry(ada, { ...on, entry_type: 'credit', amount: '3' });
const deep = await balances.createLedgerEntry(ada, { ...on, entry_type: 'debit', amount: '7' });
assert.deepEqual([deep.amount, deep.balance_before, deep.balance_after, deep.overage_before, deep.overage_after], ['7', '3', '0', '0', '4']);
await refused(() => balances.createLedgerEntry(ada, { ...on, entry_type: 'debit', amount: '2' }), 400, BadRequestError, 'OVERAGE_LIMIT_EXCEEDED');
const charged = await all(balances.listLedger(ada, { ...on, transaction_type: 'overage_charged' }));
assert.deepEqual(charged.map((e) => [e.amount, e.is_credit, e.overage_after]), [['4', false, '4']]);
const repaid = await balances.createLedgerEntry(ada, { ...on, entry_type: 'credit', amount: '10' });
assert.deepEqual([repaid.amount, repaid.balance_after, repaid.overage_after], ['10', '6', '0']);

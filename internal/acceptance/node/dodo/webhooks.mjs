// Webhooks from end to end (dodo.md section 13): endpoints made with the SDK, deliveries that really
// arrive here, verified by the SDK and by what the vendor's framework adapters use.
import { createServer } from 'node:http';
import { verifyWebhookPayload } from '@dodopayments/core/webhook';
import { DodoPayments, all, assert, client, refused, same } from './dodo/lib.mjs';
import { POST, calls } from './dodo/seed/handler.mjs';

const { NotFoundError, UnprocessableEntityError, ConflictError } = DodoPayments;
const { webhooks } = client;

// arrived hands on the requests in the order in which they come.
const waiting = [];
const requests = [];
const arrived = () => new Promise((got) => {
  waiting.push(got);
  hand();
});
const hand = () => {
  while (waiting.length && requests.length) waiting.shift()(requests.shift());
};
const receiver = createServer(async (req, res) => {
  let body = '';
  for await (const part of req.setEncoding('utf8')) body += part;
  requests.push({ body, headers: req.headers });
  res.end();
  hand();
});
await new Promise((listening) => receiver.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${receiver.address().port}/api/webhooks/dodo`;

// Making and changing an endpoint.
const made = await webhooks.create({
  url: 'https://example.test/hook', description: 'Mine', filter_types: ['credit.added', 'payment.succeeded'], headers: { 'X-Team': 'billing' },
  metadata: { team: 'billing' }, rate_limit: 50, disabled: true, idempotency_key: 'mine',
});
assert.deepEqual(made, {
  id: made.id, url: 'https://example.test/hook', description: 'Mine', filter_types: ['credit.added', 'payment.succeeded'],
  metadata: { team: 'billing' }, rate_limit: 50, disabled: true, created_at: made.created_at, updated_at: made.created_at,
});
assert.ok(made.id.startsWith('whk_') && Date.parse(made.created_at));
await refused(() => webhooks.create({ url, idempotency_key: 'mine' }), 409, ConflictError, 'IDEMPOTENCY_KEY_ALREADY_USED');
assert.deepEqual(await webhooks.retrieve(made.id), made);
const changed = await webhooks.update(made.id, { url, description: null, disabled: false, filter_types: null, rate_limit: null, metadata: {} });
assert.deepEqual(changed, { ...made, url, description: '', disabled: false, filter_types: null, rate_limit: null, metadata: {}, updated_at: changed.updated_at });
await webhooks.headers.update(made.id, { headers: { 'X-Env': 'test' } });
assert.deepEqual(await webhooks.headers.retrieve(made.id), { headers: { 'X-Team': 'billing', 'X-Env': 'test' }, sensitive: [] });

// The list, by its iterator and whole.
const others = [];
for (let i = 0; i < 4; i++) others.unshift((await webhooks.create({ url: 'https://example.test', filter_types: ['payout.failed'] })).id);
const ids = [...others, made.id];
for (const query of [{}, { limit: 1 }, { limit: 2 }, { limit: 5 }]) {
  same((await all(webhooks.list(query))).map((w) => w.id), ids, JSON.stringify(query));
}
assert.equal((await webhooks.list({ limit: 5 })).done, true);
assert.equal((await webhooks.list({ limit: 4 })).done, false);
for (const id of others) await webhooks.delete(id);
assert.deepEqual((await all(webhooks.list())).map((w) => w.id), [made.id]);
for (const call of ['retrieve', 'retrieveSecret', 'delete']) await refused(() => webhooks[call](others[0]), 404, NotFoundError, 'NOT_FOUND');
await refused(() => webhooks.update(others[0], {}), 404, NotFoundError, 'NOT_FOUND');
await refused(() => webhooks.headers.retrieve(others[0]), 404, NotFoundError, 'NOT_FOUND');
await refused(() => webhooks.create({ url: 'nowhere' }), 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await refused(() => webhooks.create({ url, filter_types: ['credit.add'] }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');

// Deliveries. The threshold is Scrip's own: it is not in the vendor's interface for a credit.
const { secret: key } = await webhooks.retrieveSecret(made.id);
const credit = await client.creditEntitlements.create({
  name: 'API Credits', unit: 'call', precision: 0, rollover_enabled: false, overage_enabled: true, overage_limit: 50, price_per_unit: '1', currency: 'USD',
});
const native = await fetch(new URL(`/v1/credits/${credit.id}`, client.baseURL), {
  method: 'PATCH', body: '{"low_balance_threshold":"20"}', headers: { Authorization: `Bearer ${client.bearerToken}`, 'Content-Type': 'application/json' },
});
assert.equal(native.status, 200, await native.text());
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const entry = (entry_type, amount) => client.creditEntitlements.balances.createLedgerEntry(ada, { credit_entitlement_id: credit.id, entry_type, amount });

// next is the next delivery, held to be what the vendor would have sent, and given to the
// example's handler.
async function next() {
  const { body, headers } = await arrived();
  assert.equal(headers['x-team'], 'billing');
  const event = webhooks.unwrap(body, { headers, key });
  const strict = await verifyWebhookPayload({ webhookKey: key, headers, body });
  assert.equal(strict.type, event.type);
  assert.throws(() => webhooks.unwrap(`${body} `, { headers, key }), /signature/i);
  assert.throws(() => webhooks.unwrap(body, { headers, key: 'whsec_' + Buffer.alloc(32).toString('base64') }), /signature/i);
  const answer = await POST(new Request(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }));
  assert.deepEqual(await answer.json(), { received: true });
  return event;
}

// told is what so many deliveries say, by type: their order is nobody's promise.
async function told(n) {
  const events = {};
  for (let i = 0; i < n; i++) {
    const event = await next();
    events[event.type] = event;
  }
  return events;
}

const given = await entry('credit', '100');
const { 'credit.added': added } = await told(1);
const [line] = (await client.creditEntitlements.balances.listLedger(ada, { credit_entitlement_id: credit.id })).items;
assert.deepEqual(added.data, { ...line, payload_type: 'CreditLedgerEntry' }, 'the line of the ledger');
assert.equal(added.data.id, given.id);
assert.equal(added.business_id, line.business_id);
assert.equal(Date.parse(added.timestamp), Date.parse(line.created_at));

await entry('debit', '85');
const { 'credit.deducted': deducted, 'credit.balance_low': low } = await told(2);
assert.equal(deducted.data.balance_after, '15');
assert.deepEqual(low.data, {
  payload_type: 'CreditBalanceLow', brand_id: line.brand_id, customer_id: ada, subscription_id: '', credit_entitlement_id: credit.id,
  credit_entitlement_name: 'API Credits', available_balance: '15', subscription_credits_amount: '100', threshold_percent: 20, threshold_amount: '20',
});

await entry('debit', '25');
const { 'credit.deducted': rest, 'credit.overage_charged': over } = await told(2);
assert.equal(rest.data.amount, '15');
assert.deepEqual([over.data.amount, over.data.is_credit, over.data.balance_after, over.data.overage_after], ['10', false, '0', '10']);

// The example keeps the balance, tells the customer, and notes the overage.
const at = { customerId_creditId: { customerId: ada, creditId: credit.id } };
const want = [
  ['create', { data: { customerId: ada, creditId: credit.id, amount: '10', overageBalance: '10' } }],
  ['sendEmail', ada, {
    subject: 'Your API Credits balance is running low',
    body: 'You have 15 credits remaining (20% threshold reached). Consider upgrading your plan or purchasing additional credits.',
  }],
  ['update', { where: at, data: { balance: '15' } }],
  ['update', { where: at, data: { balance: '0' } }],
  ['upsert', { where: at, create: { customerId: ada, creditId: credit.id, balance: '100' }, update: { balance: '100' } }],
];
same(calls.map((c) => JSON.stringify(c)), want.map((c) => JSON.stringify(c)));

// A filter lets through what it names; a disabled endpoint is told nothing.
await webhooks.update(made.id, { filter_types: ['credit.added'] });
await entry('debit', '1');
await entry('credit', '2');
assert.equal((await next()).data.amount, '2');
await webhooks.update(made.id, { disabled: true });
await entry('credit', '3');
await webhooks.update(made.id, { disabled: false });
await entry('credit', '4');
assert.equal((await next()).data.amount, '4');
assert.deepEqual(requests, []);
receiver.close();

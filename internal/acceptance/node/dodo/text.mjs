// Text that no database keeps as it is, wherever a request can carry it: an answer of the server,
// never a failure of its own.
import { assert, client } from './dodo/lib.mjs';

const credit = await client.creditEntitlements.create({ name: 'C', unit: 'c', precision: 0, rollover_enabled: false, overage_enabled: false });
const base = process.env.DODO_PAYMENTS_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.DODO_PAYMENTS_API_KEY}`, 'Content-Type': 'application/json' };
const odd = ['%00', '%FF', 'a%00b', '%ED%A0%80', '..%2F..', '%2F', "'%3B--", '%25', '%F0%9F%AA%99'];
const found = [];
for (const text of odd) {
  for (const path of [
    `/customers?email=${text}`, `/customers?name=${text}`, `/customers/${text}`, `/customers/${text}/credit-entitlements`,
    `/credit-entitlements/${text}`, `/credit-entitlements/${credit.id}/balances?customer_id=${text}`,
    `/credit-entitlements/${credit.id}/balances/${text}`, `/credit-entitlements/${credit.id}/balances/${text}/ledger`,
    `/products/${text}`, `/products?brand_id=${text}`, `/meters/${text}`, `/events/${text}`, `/events?customer_id=${text}`,
    `/events?event_name=${text}`, `/events?meter_id=${text}`, `/webhooks/${text}`, `/webhooks/${text}/secret`, `/webhooks?iterator=${text}`,
    `/webhooks?iterator=whk_${text}`,
  ]) {
    const res = await fetch(base + path, { headers });
    const body = await res.json();
    const fine = res.status === 200 ? Array.isArray(body.items ?? body.data) : res.status < 500 && body.code && body.message;
    if (!fine) found.push(`GET ${path}: ${res.status} ${JSON.stringify(body)}`);
  }
}
const nul = 'a\u0000b';
const lone = 'a\ud800b';
for (const text of [nul, lone]) {
  for (const [method, path, body] of [
    ['POST', '/customers', { name: text, email: 'a@b.c' }], ['POST', '/customers', { name: 'n', email: `a@${text}` }],
    ['POST', '/customers', { name: 'n', email: 'a@b.c', phone_number: text }], ['POST', '/customers', { name: 'n', email: 'a@b.c', metadata: { k: text } }],
    ['POST', '/credit-entitlements', { name: text, unit: 'u', precision: 0, rollover_enabled: false, overage_enabled: false }],
    ['PATCH', `/credit-entitlements/${credit.id}`, { unit: text }], ['PATCH', `/credit-entitlements/${credit.id}`, { description: text }],
    ['POST', '/products', { name: text, tax_category: 'saas', price: { type: 'one_time_price', currency: 'USD', price: 1 } }],
    ['POST', '/products', { name: 'n', description: text, tax_category: 'saas', price: { type: 'one_time_price', currency: 'USD', price: 1 } }],
    ['POST', '/products', { name: 'n', metadata: { [text]: 'v' }, tax_category: 'saas', price: { type: 'one_time_price', currency: 'USD', price: 1 } }],
    ['POST', '/meters', { name: text, event_name: 'e', measurement_unit: 'u', aggregation: { type: 'count' } }],
    ['POST', '/meters', { name: 'n', event_name: 'e', measurement_unit: text, aggregation: { type: 'count' } }],
    ['POST', '/meters', { name: 'n2', event_name: 'e', measurement_unit: 'u', aggregation: { type: 'sum', key: text } }],
    ['POST', '/webhooks', { url: `https://example.test/${text}` }], ['POST', '/webhooks', { url: 'https://example.test', description: text }],
    ['POST', '/webhooks', { url: 'https://example.test', filter_types: [text] }], ['POST', '/webhooks', { url: 'https://example.test', metadata: { [text]: text } }],
    ['POST', '/webhooks', { url: 'https://example.test', headers: { 'X-A': text } }], ['POST', '/webhooks', { url: 'https://example.test', headers: { [text]: 'v' } }],
    ['POST', '/webhooks', { url: 'https://example.test', idempotency_key: text }],
  ]) {
    const res = await fetch(base + path, { method, headers, body: JSON.stringify(body) });
    const answer = await res.text();
    if (res.status >= 500) found.push(`${method} ${path} ${JSON.stringify(body)}: ${res.status} ${answer}`);
  }
}
assert.deepEqual(found, []);

// What is sold: from a page, through a route of its backend, and from a server. The rows are those of the
// GoLiveKit seed.
import { afterEach, test } from 'node:test';
import { createCheckout, topUp } from '@scrip/sdk';
import { assert, baseUrl, eventually, newShop, press, refused } from './lib.mjs';

const { fetch: real } = globalThis;
afterEach(() => {
  globalThis.fetch = real;
  delete globalThis.location;
});

/** A shop with a page at an address, whose backend answers /api/checkout for user u. */
async function newPage(href = 'https://a/b', options = {}) {
  const s = await newShop();
  const went = [], asked = [];
  globalThis.location = { href, assign: (url) => went.push(url) };
  const route = createCheckout({ user: () => ({ userId: 'u', email: 'u@example.test', name: 'Ann' }), client: s.scrip, ...options });
  globalThis.fetch = async (path, init) => {
    if (!path.startsWith('/')) return real(path, init);
    asked.push([path, JSON.parse(init.body)]);
    return route(new Request(new URL(path, location.href), init));
  };
  const order = async (url) => (await s.scrip.orders.list({ userId: 'u' })).orders.find((o) => o.url === url);
  return { ...s, went, asked, order, route };
}

test('G34 G35 a page tops up, and comes back to where it was', async () => {
  const p = await newPage();
  const { url } = await topUp('starter');
  assert.ok(url.startsWith(`${baseUrl}/pay/`), url);
  assert.deepEqual(p.went, [url]);
  assert.deepEqual(p.asked, [['/api/checkout', {
    packageId: 'starter', successUrl: 'https://a/b?billing=success', cancelUrl: 'https://a/b?billing=cancel',
  }]]);
  await p.has(0); // nothing was paid yet
  assert.equal(await press(url), 'https://a/b?billing=success');
  await p.has(1000);
  const [order] = (await p.scrip.orders.list({ userId: 'u' })).orders;
  assert.deepEqual([order.status, order.paid, order.currency, order.url], ['paid', 1000, 'usd', null]);
  assert.deepEqual(order.balances.map((b) => [b.amount, b.revoked]), [[1000, 0]]);
  assert.deepEqual(await p.scrip.orders.get(order.orderId), order);
});

test('G36 a query stays, and the fragment is last', async () => {
  for (const [href, success] of [
    ['https://a/b?x=1#h', 'https://a/b?x=1&billing=success#h'], ['https://a/b#h?x', 'https://a/b?billing=success#h?x'],
    ['https://a/b?', 'https://a/b?billing=success'], ['https://a/b?q=a+b%20c&billing=cancel&e', 'https://a/b?q=a+b%20c&e&billing=success'],
  ]) {
    const p = await newPage(href);
    await topUp('pro');
    const [[, { successUrl, cancelUrl }]] = p.asked;
    assert.deepEqual([successUrl, cancelUrl], [success, success.replace('=success', '=cancel')]);
  }
});

test('G37 addresses of your own are taken as they are', async () => {
  const p = await newPage('https://a/b?x=1');
  const urls = { successUrl: 'https://a/done?billing=success&s={CHECKOUT_SESSION_ID}', cancelUrl: 'https://a/credits?billing=cancel' };
  const { url } = await topUp('starter', urls);
  assert.deepEqual(p.asked[0][1], { packageId: 'starter', ...urls });
  assert.match(await press(url), /^https:\/\/a\/done\?billing=success&s=[^{]/);
});

test('G37 nobody is sent to another site', async () => {
  await newPage();
  for (const successUrl of ['https://evil.example/', 'https://a.evil.example/b', 'javascript:alert(1)', 'nonsense', '//evil.example']) {
    await refused(topUp('starter', { successUrl }), 400, 'invalid_request', 'successUrl');
  }
  await newPage('https://a/b', { origins: ['https://shop.example'] });
  await topUp('starter', { cancelUrl: 'https://shop.example/credits' });
});

test('G38 a package that is not there', async () => {
  const p = await newPage();
  await refused(topUp('credits_starter'), 404, 'pack_not_found', 'pack_id');
  assert.deepEqual(p.went, []);
});

test('G39 who goes back has bought nothing, and the order can be ended', async () => {
  const p = await newPage();
  const { url } = await topUp('starter');
  const { orderId } = await p.order(url);
  assert.equal((await p.scrip.orders.cancel(orderId, { reason: 'came back' })).status, 'canceled');
  await assert.rejects(press(url));
  await p.has(0);
});

test('G11 G12 G13 any amount, at the price of a credit', async () => {
  const p = await newPage();
  const { url } = await topUp({ credits: 333 });
  assert.equal((await p.order(url)).amount, 333);
  await press(url);
  await p.has(333);
  await refused(topUp({ credits: 10 }), 400, 'amount_too_small', 'amount');
  const { id } = await p.post('/v1/credits', { name: 'tokens', unit: 'token' });
  await refused(topUp({ credits: 100, creditId: id }), 400, 'invalid_request', 'amount');
});

test('a page that stays where it is, a route of another name, and a client', async () => {
  const p = await newPage();
  const urls = { successUrl: 'https://a/y', cancelUrl: 'https://a/n' };
  assert.ok((await topUp('starter', { ...urls, navigate: false, checkoutPath: '/api/buy' })).url);
  assert.deepEqual([p.went, p.asked[0][0]], [[], '/api/buy']);
  delete globalThis.location; // no browser
  await refused(topUp('starter', { cancelUrl: 'https://a/n' }), 400, 'invalid_request', 'successUrl');
  const { createClient } = await import('@scrip/sdk');
  globalThis.location = { href: 'https://a/b', assign() {} };
  const scrip = createClient({ apiKey: 'pk_test_x', baseUrl, checkoutPath: '/api/sell' });
  await scrip.topUp('starter');
  assert.equal(p.asked[1][0], '/api/sell');
});

test('the route sells to who is logged in, and tells a page no more than it needs', async () => {
  const p = await newPage('https://a/b', { user: () => null });
  await refused(topUp('starter'), 401, 'invalid_key');
  await newPage('https://a/b', { client: (await import('@scrip/sdk')).createClient({ apiKey: p.keys.publishable, baseUrl }) });
  assert.match((await refused(topUp('starter'), 500, 'requires_secret_key')).message, /cannot be opened now/);
  await newPage('https://a/b', { client: (await import('@scrip/sdk')).createClient({ apiKey: p.keys.test, baseUrl: 'http://127.0.0.1:1', retries: 0 }) });
  await refused(topUp('starter'), 503, 'store_unavailable');
  const { route } = await newPage();
  for (const body of ['', 'x', '{}', '{"packageId": 5}', '{"packageId": "starter", "credits": "5"}', 'null', '[]']) {
    assert.equal((await route(new Request('https://a/api/checkout', { method: 'POST', body }))).status, 400, body);
  }
  globalThis.fetch = async () => new Response('<html>', { status: 200 });
  await refused(topUp('starter'), 0, 'internal_error');
  globalThis.fetch = () => Promise.reject(new TypeError('cut'));
  await refused(topUp('starter'), 0, 'store_unavailable');
});

test('one press of a button is one order', async () => {
  const p = await newPage();
  const once = () => topUp('starter', { idempotencyKey: 'press-1' });
  assert.deepEqual(await once(), await once());
  assert.equal((await p.scrip.orders.list({ userId: 'u' })).orders.length, 1);
});

test('a server sells, previews a refund, and pays back', async () => {
  const s = await newShop();
  const { url, orderId, kind, status } = await s.scrip.checkout({ userId: 'u', packId: 'starter', quantity: 2, metadata: { from: 'test' } });
  assert.deepEqual([kind, status], ['pack', 'open']);
  await press(url);
  await s.has(2000);
  await s.scrip.deductCreditsBonusFirst({ userId: 'u', credits: 500 });
  const preview = await s.scrip.orders.refundPreview(orderId);
  assert.deepEqual([preview.paid, preview.refundable, preview.unspent, preview.amount], [2000, 2000, 1500, 2000]);
  assert.deepEqual(preview.balances.map((b) => [b.unspent, b.wouldRevoke, b.wouldMiss]), [[1500, 1500, 500]]);
  const refunded = await s.scrip.orders.refund({ orderId, amount: 1500, reason: 'asked for it' });
  assert.deepEqual([refunded.refunded, refunded.refunds.map((r) => [r.amount, r.reason])], [1500, [[1500, 'asked for it']]]);
  await s.has(0);
  assert.equal((await s.scrip.orders.get(orderId)).balances[0].revoked, 1500);
  await refused(s.scrip.orders.refund({ orderId, amount: 501 }), 400, 'refund_too_large', 'amount');
  const page = await s.scrip.orders.list({ userId: 'u', status: 'paid', limit: 1 });
  assert.deepEqual([page.orders.length, page.hasMore, page.nextCursor], [1, false, null]);
  await refused(s.scrip.orders.get('ord_x'), 404, 'order_not_found');
});

test('a card that is kept buys by itself', async () => {
  const s = await newShop();
  assert.deepEqual(await s.scrip.paymentMethod.get('u'), { saved: false, label: null, savedAt: null });
  const want = { userId: 'u', creditId: 'credits', enabled: true, threshold: 100, packId: 'starter', caps: { dayCount: 2 } };
  await refused(s.scrip.autoTopUp.set(want), 409, 'no_payment_method');
  await press((await s.scrip.checkout({ userId: 'u', packId: 'starter', saveCard: true })).url);
  assert.match((await s.scrip.paymentMethod.get('u')).label, /4242/);
  const agreed = await s.scrip.autoTopUp.set(want);
  assert.deepEqual([agreed.enabled, agreed.threshold, agreed.caps.dayCount, agreed.orderId], [true, 100, 2, null]);
  await s.scrip.deductCreditsBonusFirst({ userId: 'u', credits: 950 });
  await eventually(() => s.has(1050));
  const [after] = await s.scrip.autoTopUp.list('u');
  assert.deepEqual(after.day, { count: 1, amount: 1000 });
  assert.equal((await s.scrip.checkout({ userId: 'u', packId: 'pro', offSession: true })).status, 'paid');
  await s.has(6050);
  assert.equal((await s.scrip.paymentMethod.forget('u')).saved, false);
  assert.equal((await s.scrip.autoTopUp.list('u'))[0].offReason, 'payment_method_removed');
});

test('a plan is bought', async () => {
  const s = await newShop();
  await press((await s.scrip.checkout({ userId: 'u', planId: 'monthly' })).url);
  await s.has(2000);
});

test('G14 who registers gets the bonus once', async () => {
  const s = await newShop();
  const register = () => s.scrip.registerCustomer({ userId: 'u', email: 'u@example.test', name: 'Ann' });
  const first = await register();
  assert.deepEqual([first.email, first.name, first.signupBonus.map((b) => b.remaining)], ['u@example.test', 'Ann', [50]]);
  assert.equal((await register()).signupBonus[0].balanceId, first.signupBonus[0].balanceId);
  await s.has(50);
  assert.equal(await s.scrip.credits.balance('nobody'), 0);
});

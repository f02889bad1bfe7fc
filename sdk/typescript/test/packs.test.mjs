// Packs and granting, by the rows of the Vevee seed.
import { test } from 'node:test';
import { advance, assert, bundle, createClient, baseUrl, dalle, day, denied, gemini, ledger, newForge, refused, topUp, veo } from './lib.mjs';

const begin = Date.parse('2026-03-01T12:00:00Z');
let moved = 0;
const pass = async (seconds) => { moved += seconds; await advance(seconds); };
const inDays = (days) => new Date(begin + (moved + days * day) * 1000).toISOString().replace('.000Z', 'Z');
const sameInstant = (got, want) => assert.equal(Date.parse(got), Date.parse(want));

test('V08 V37 the top-up is one balance of 50 that never expires', async () => {
  const f = await newForge();
  const result = await f.buy('u', topUp, 'cs_1');
  assert.equal(result.balances.length, 1);
  const [balance] = result.balances;
  assert.deepEqual(balance, { balanceId: balance.balanceId, packItemId: 'g', creditId: f.credit, remaining: 50, expiresAt: null });
  assert.match(balance.balanceId, /^\w+/);
  assert.deepEqual([result.balanceId, result.remaining, result.expiresAt, result.existing], [balance.balanceId, 50, null, false]);
  await pass(3650 * day);
  assert.equal((await f.scrip.reserve('u', gemini, 50)).allowed, true);
});

test('V09 V17 V34 V37 the bundle is two balances that expire after 90 days', async () => {
  const f = await newForge();
  const { balances } = await f.buy('u', bundle, 'cs_1');
  assert.deepEqual(balances.map((b) => [b.packItemId, b.remaining]), [['d', 10], ['v', 5]]);
  for (const b of balances) sameInstant(b.expiresAt, inDays(90));
  assert.notEqual(balances[0].balanceId, balances[1].balanceId);
});

test('V10 the bundle expires', async () => {
  const f = await newForge();
  await f.buy('u', bundle, 'cs_1');
  await pass(90 * day);
  denied(await f.scrip.reserve('u', dalle, 1), true, 'no_subscription', 'credits_exhausted');
  assert.deepEqual((await f.scrip.usage('u')).credits, []);
  assert.deepEqual(await f.scrip.credits.list('u'), []);
  const types = (await ledger(f.scrip, 'u')).map((e) => e.type);
  assert.equal(types.filter((type) => type === 'credit_expired').length, 2, types.join());
});

test('V13 V14 an item targets a model, or a category', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  assert.equal((await f.scrip.reserve('u', gemini)).allowed, true);
  for (const event of [dalle, veo, 'image']) denied(await f.scrip.reserve('u', event), false, 'no_subscription');
  await f.pack({ id: 'cpk_images', name: 'Images', items: [f.item('i', '10', 'image.*')] });
  await f.buy('v', 'cpk_images', 'cs_2');
  for (const event of [gemini, dalle, 'image.new']) assert.equal((await f.scrip.reserve('v', event)).allowed, true, event);
  denied(await f.scrip.reserve('v', veo), false, 'no_subscription');
});

test('V15 the item fixes the amount', async () => {
  const f = await newForge();
  await refused(f.scrip.credits.grant({ userId: 'u', packId: topUp, quantity: 50 }), 400, 'invalid_request', 'amount');
  assert.deepEqual(await f.scrip.credits.list('u'), []);
});

test('V18 V19 the items of a pack do not drain one another', async () => {
  const f = await newForge();
  const [d, v] = (await f.buy('u', bundle, 'cs_1')).balances;
  await f.use('u', veo, 5);
  denied(await f.scrip.reserve('u', veo, 1), true, 'no_subscription', 'credits_exhausted');
  assert.deepEqual([await f.left('u', d.balanceId), await f.left('u', v.balanceId)], [10, 0]);
  await f.use('u', dalle, 10);
  denied(await f.scrip.reserve('u', dalle, 1), true, 'no_subscription', 'credits_exhausted');
});

test('V23 a user nobody has seen can buy', async () => {
  const f = await newForge();
  denied(await f.scrip.reserve('new', gemini, 1), false, 'no_subscription');
  await f.buy('new', topUp, 'cs_1');
  assert.equal((await f.scrip.reserve('new', gemini, 1)).allowed, true);
});

test('V24 V28 a publishable key reads its own customer and changes nothing', async () => {
  const f = await newForge();
  const { balanceId } = await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 1);
  const { token } = await f.post('/v1/customer-tokens', { customer_id: 'u' });
  const browser = createClient({ apiKey: f.keys.publishable, baseUrl, customerToken: async () => token });
  for (const [name, call] of Object.entries({
    grant: () => browser.credits.grant({ userId: 'u', packId: topUp }),
    revoke: () => browser.credits.revoke({ balanceId }),
    history: () => browser.credits.history('u'),
    reserve: () => browser.reserve('u', gemini, 1),
    commit: () => browser.commit(reservationId),
    release: () => browser.release(reservationId),
    extend: () => browser.extend(reservationId),
    track: () => browser.track('u', gemini, 1),
    canUse: () => browser.canUse('u', gemini, 1),
    deduct: () => browser.deduct({ userId: 'u', creditId: 'Renders', amount: 1 }),
  })) await refused(call(), 403, 'requires_secret_key').catch((error) => assert.fail(`${name}: ${error.message}`));
  assert.equal((await browser.usage('u', gemini)).credits[0].remaining, 49);
  assert.equal((await browser.credits.list('u'))[0].balanceId, balanceId);
  assert.equal((await browser.balances('u')).balances[0].available, 49);
  await refused(browser.usage('somebody else'), 403, 'wrong_customer');
  await refused(createClient({ apiKey: f.keys.publishable, baseUrl }).usage('u'), 403, 'customer_token_required');
});

test('V27 a pack by its id, and by its name in other case', async () => {
  const f = await newForge();
  assert.equal((await f.buy('u', topUp, 'cs_1')).remaining, 50);
  assert.equal((await f.buy('u', 'GEMINI 3.1 top-up', 'cs_2')).remaining, 50);
  await refused(f.buy('u', 'cpk_unknown', 'cs_3'), 404, 'pack_not_found');
});

test('V35 V36 reference, source and notes are kept', async () => {
  const f = await newForge();
  await f.buy('u', bundle, 'cs_test_a1B2');
  for (const e of await ledger(f.scrip, 'u')) {
    assert.deepEqual([e.type, e.referenceType, e.referenceId, e.reason], ['credit_added', 'purchase', 'cs_test_a1B2', `bought ${bundle}`]);
    assert.ok(e.actor && e.operationId && e.createdAt);
  }
  for (const c of (await f.scrip.usage('u')).credits) assert.deepEqual([c.source, c.packId, c.packName], ['purchase', bundle, 'Creator Bundle']);
});

test('V38 V40 V69 a webhook may be repeated for ever', async () => {
  const f = await newForge();
  const first = await f.buy('u', bundle, 'cs_1');
  await f.use('u', dalle, 10); // a drained balance comes back as well
  for (let i = 0; i < 20; i++) {
    if (i === 10) await pass(4 * day);
    const again = await f.buy('u', bundle, 'cs_1');
    assert.equal(again.existing, true);
    assert.deepEqual(again.balances.map((b) => [b.balanceId, b.remaining]), [[first.balances[0].balanceId, 0], [first.balances[1].balanceId, 5]]);
  }
  assert.equal((await ledger(f.scrip, 'u')).filter((e) => e.type === 'credit_added').length, 2);
});

test('V39 parallel webhooks grant once', async () => {
  const f = await newForge();
  const results = await Promise.all(Array.from({ length: 50 }, () => f.buy('u', bundle, 'cs_1')));
  assert.equal(new Set(results.flatMap((r) => r.balances.map((b) => b.balanceId))).size, 2);
  assert.equal(results.filter((r) => !r.existing).length, 1);
});

test('V73 V75 many items in a pack, and packs of several sizes', async () => {
  const f = await newForge();
  for (const [size, n] of [['Starter', 1], ['Pro', 5], ['Studio', 20]]) {
    const items = Array.from({ length: 20 }, (_, i) => f.item(`i${i}`, String(n * (i + 1)), `image.model-${i}`));
    await f.pack({ id: size, name: `${size} pack`, items });
    const { balances } = await f.buy(size, size, 'cs_1');
    assert.deepEqual(balances.map((b) => b.remaining), items.map((_, i) => n * (i + 1)));
    assert.equal(new Set(balances.map((b) => b.balanceId)).size, 20);
  }
});

test('V74 a promotion', async () => {
  const f = await newForge();
  const expiresAt = new Date(begin + (moved + 30 * day) * 1000);
  const { balances } = await f.scrip.credits.grant({ userId: 'u', packId: bundle, source: 'grant', expiresAt });
  assert.deepEqual(balances.map((b) => b.remaining), [10, 5]);
  for (const b of balances) sameInstant(b.expiresAt, expiresAt.toISOString());
  assert.deepEqual((await f.scrip.usage('u')).credits.map((c) => c.source), ['grant', 'grant']);
  const never = await f.scrip.credits.grant({ userId: 'u', packId: bundle, source: 'grant', expiresAt: null });
  assert.deepEqual(never.balances.map((b) => b.expiresAt), [null, null]);
  await refused(f.scrip.credits.grant({ userId: 'u', packId: bundle, expiresAt: new Date(NaN) }), 400, 'invalid_time', 'expires_at');
  await pass(30 * day);
  assert.equal((await f.scrip.usage('u')).credits.length, 2, 'the promotion has expired');
});

test('V76 pay as you go', async () => {
  const f = await newForge();
  await f.pack({ id: 'cpk_welcome', name: 'Welcome', items: [f.item('w', '3', '*')] });
  await f.scrip.credits.grant({ userId: 'u', packId: 'cpk_welcome', source: 'grant', externalRef: 'signup:u' });
  await f.use('u', gemini, 3);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'no_subscription', 'credits_exhausted');
  await f.buy('u', topUp, 'cs_1');
  await f.use('u', gemini, 1);
});

test('V78 V79 V81 test works alike, and never meets live', async () => {
  const f = await newForge();
  const sandbox = createClient({ apiKey: f.keys.test, baseUrl });
  const { balanceId } = await sandbox.credits.grant({ userId: 'u', packId: topUp, externalRef: 'cs_1' });
  const held = await sandbox.reserve('u', gemini, 5);
  await sandbox.commit(held.reservationId);
  assert.deepEqual((await f.scrip.usage('u')).credits, []);
  assert.deepEqual((await f.scrip.balances('u')).balances, []);
  await refused(f.scrip.credits.revoke({ balanceId }), 404, 'grant_not_found');
  await refused(f.scrip.commit(held.reservationId), 404, 'reservation_not_found');
  await f.buy('u', topUp, 'cs_1');
  assert.equal((await sandbox.usage('u')).credits[0].remaining, 45);
});

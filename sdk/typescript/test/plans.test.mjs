// Plans beside credits, by the rows of the Vevee seed.
import { test } from 'node:test';
import { advance, assert, baseUrl, bundle, createClient, dalle, day, denied, gemini, newForge, refused, topUp } from './lib.mjs';

/** PixelForge with its two plans. The server's clock begins on 2026-03-01 at noon. */
async function newPlans() {
  const f = await newForge();
  const newPlan = (id, price, quota, event, period) => f.post('/v1/plans', {
    id, name: id, price, currency: 'usd', interval: { count: 1, unit: 'month' },
    allowances: [{ id: `${id}-images`, label: 'Images', unit: 'count', quota: String(quota), rules: [{ event }], ...period }],
  });
  await newPlan('free', 0, 2, gemini, { period: 'lifetime' });
  await newPlan('pro', 900, 40, 'image.*', { period: 'monthly', anchor: 'calendar' });
  await newPlan('zero', 0, 0, 'image.*', { period: 'monthly' });
  const subscribe = (userId, planId, more) => f.scrip.upsertSubscription({ userId, planId, ...more });
  const count = async (userId) => (await f.scrip.usage(userId, gemini)).counters[0]?.count;
  return { ...f, subscribe, count };
}

test('V01 V02 V03 free: two images for life, of one model', async () => {
  const f = await newPlans();
  const s = await f.subscribe('u', 'free');
  assert.ok(s.subscriptionId && s.startedAt);
  assert.equal(s.userId, 'u');
  await f.use('u', gemini, 1);
  await f.use('u', gemini, 1);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_exhausted');
  denied(await f.scrip.reserve('u', dalle, 1), false, 'unmatched_event');
  await advance(400 * day);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_exhausted');
});

test('V04 V05 V06 V48 pro: forty a month, of any model', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro');
  for (const event of [gemini, dalle, 'image.new']) await f.use('u', event, 1);
  await f.use('u', gemini, 37);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_exhausted');
  const before = await f.scrip.usage('u');
  await advance(31 * day);
  const now = await f.scrip.usage('u');
  assert.equal(Date.parse(now.period.start), Date.parse(before.period.end));
  await f.use('u', gemini, 40);
});

test('V21 V22 anybody can buy, and the plan goes first', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'free');
  await f.buy('u', bundle, 'cs_1');
  await f.use('u', dalle, 1);
  await f.subscribe('v', 'pro');
  const { balanceId } = await f.buy('v', topUp, 'cs_2');
  await f.use('v', gemini, 1);
  assert.deepEqual([await f.count('v'), await f.left('v', balanceId)], [1, 50]);
});

test('V42 V43 V44 V45 plan first, then credits, or both, and back', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro');
  const { balanceId } = await f.buy('u', topUp, 'cs_1');
  await f.use('u', gemini, 39);
  const both = await f.scrip.reserve('u', gemini, 2);
  assert.deepEqual([await f.count('u'), await f.left('u', balanceId)], [40, 49]);
  await f.scrip.release(both.reservationId);
  assert.deepEqual([await f.count('u'), await f.left('u', balanceId)], [39, 50]);
  await f.use('u', gemini, 2);
  await f.use('u', gemini, 1);
  assert.deepEqual([await f.count('u'), await f.left('u', balanceId)], [40, 48]);
});

test('V46 V49 which reason to offer what', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro');
  await f.buy('u', bundle, 'cs_1');
  await f.use('u', gemini, 40);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_exhausted');
  await f.buy('u', topUp, 'cs_2');
  await f.use('u', gemini, 50);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_and_credits_exhausted');
  await refused(f.scrip.track('u', gemini, 1), 429, 'limit_reached');
});

test('V57 V58 V59 usage shows the plan and the credits', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro');
  await f.buy('u', topUp, 'cs_1');
  await f.buy('u', bundle, 'cs_2');
  for (let i = 0; i < 3; i++) await f.use('u', gemini, 1);
  const u = await f.scrip.usage('u', 'image.*');
  assert.deepEqual(u.counters.map((c) => [c.groupId, c.label, c.event, c.unit, c.quota, c.count, c.remaining]), [['pro-images', 'Images', 'image.*', 'count', 40, 3, 37]]);
  assert.equal(u.credits.reduce((sum, c) => sum + c.remaining, 0), 60);
  const { details } = await f.scrip.canUse('u', gemini, 1);
  assert.deepEqual(details.map((d) => [d.groupId, d.quota]), [['pro-images', 40]]);
  const t = await f.scrip.track('u', gemini, 1);
  assert.deepEqual([t.matchStatus, t.matchedGroupIds, t.counters[0].count], ['matched', ['pro-images'], 4]);
});

test('V61 V62 V63 V64 V65 on cancel, back to the free plan', async () => {
  const f = await newPlans();
  const pro = await f.subscribe('u', 'pro');
  const { balanceId } = await f.scrip.credits.grant({ userId: 'u', packId: topUp, externalRef: 'cs_1' });
  await f.use('u', gemini, 40);
  await f.use('u', gemini, 20);
  const free = await f.subscribe('u', 'FREE');
  assert.equal(free.subscriptionId, pro.subscriptionId);
  assert.deepEqual(await f.subscribe('u', 'free'), free, 'again');
  for (const left of [30, 30, 29]) {
    await f.use('u', gemini, 1);
    assert.equal(await f.left('u', balanceId), left);
  }
});

test('V66 V67 a cancelled user spends credits, then has nothing', async () => {
  const f = await newPlans();
  const { subscriptionId, planId } = await f.subscribe('u', 'pro');
  await f.buy('u', topUp, 'cs_1');
  const ended = await f.scrip.cancelSubscription({ userId: 'u', reason: 'too dear' });
  assert.deepEqual([ended.subscriptionId, ended.userId, ended.planId], [subscriptionId, 'u', planId]);
  assert.ok(ended.endsAt);
  await refused(f.scrip.cancelSubscription({ userId: 'u' }), 409, 'already_canceled');
  await f.use('u', gemini, 50);
  const { allowed, reasons } = await f.scrip.canUse('u', gemini, 1);
  assert.deepEqual({ allowed, reasons }, { allowed: false, reasons: ['no_subscription', 'credits_exhausted'] });
});

test('an end that is scheduled can be moved, and taken back', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro');
  const later = (days) => new Date(Date.parse('2028-01-01T00:00:00Z') + days * day * 1000);
  await f.scrip.cancelSubscription({ userId: 'u', endsAt: later(0) });
  const moved = await f.scrip.cancelSubscription({ userId: 'u', endsAt: later(1) });
  assert.equal(Date.parse(moved.endsAt), later(1).getTime());
  await f.subscribe('u', 'pro');
  await advance(1500 * day);
  await f.use('u', gemini, 1);
});

test('limits of one customer', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'pro', { customLimits: { Images: 3 } });
  await f.use('u', gemini, 3);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_exhausted');
  await refused(f.subscribe('u', 'unknown'), 404, 'plan_not_found');
});

test('V77 a free plan without quota counts as a subscription', async () => {
  const f = await newPlans();
  await f.subscribe('u', 'zero');
  await f.buy('u', topUp, 'cs_1');
  await f.use('u', gemini, 50);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'plan_and_credits_exhausted');
});

test('V24 a publishable key moves nobody to another plan', async () => {
  const f = await newPlans();
  const browser = createClient({ apiKey: f.keys.publishable, baseUrl });
  await refused(browser.upsertSubscription({ userId: 'u', planId: 'pro' }), 403, 'requires_secret_key');
  await refused(browser.cancelSubscription({ userId: 'u' }), 403, 'requires_secret_key');
});

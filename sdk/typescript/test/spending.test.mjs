// Holds, charges and taking back, by the rows of the Vevee seed.
import { test } from 'node:test';
import { InsufficientCreditsError } from '@scrip/sdk';
import { advance, assert, bundle, dalle, denied, gemini, ledger, newForge, refused, topUp, veo } from './lib.mjs';

test('V47 reserve says whether, under which id and why not', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const yes = await f.scrip.reserve('u', gemini, 20);
  assert.deepEqual(yes, {
    allowed: true, matched: true, reasons: [], taken: 20, short: 0, reservationId: yes.reservationId, expiresAt: yes.expiresAt,
  });
  assert.match(yes.reservationId, /^rsv_/);
  const no = await f.scrip.reserve('u', gemini, 31);
  denied(no, true, 'no_subscription', 'credits_exhausted');
  assert.deepEqual([no.required, no.available], [31, 30]);
  const part = await f.scrip.reserve('u', gemini, 31, undefined, { shortfall: 'partial' });
  assert.deepEqual([part.allowed, part.taken, part.short], [true, 30, 1]);
});

test('rules ask for metadata', async () => {
  const f = await newForge();
  await f.pack({ id: 'cpk_hd', name: 'HD', items: [{ credit_id: f.credit, amount: '5', scope: [{ event: 'image.*', metadata: { variant: 'hd' } }] }] });
  await f.buy('u', 'cpk_hd', 'cs_1');
  denied(await f.scrip.reserve('u', gemini, 1), false, 'no_subscription');
  denied(await f.scrip.reserve('u', gemini, 1, { variant: 'sd' }), false, 'no_subscription');
  assert.equal((await f.scrip.reserve('u', gemini, 1, { variant: 'hd' })).allowed, true);
});

test('V51 commit stores the response', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 5);
  const r = await f.scrip.commit(reservationId, { response: 'https://img.example/1', quantity: 3 });
  assert.deepEqual(r, {
    reservationId, userId: 'u', status: 'committed', event: gemini, creditId: null, reserved: 5, committed: 3, short: 0,
    expiresAt: r.expiresAt, reason: null, errorCode: null, response: 'https://img.example/1',
  });
  assert.equal((await f.scrip.usage('u')).credits[0].remaining, 47);
});

test('a commit of more than was reserved', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 5);
  await refused(f.scrip.commit(reservationId, { quantity: 8 }), 400, 'reservation_too_small');
  assert.equal((await f.scrip.commit(reservationId, { quantity: 8, allowMore: true })).committed, 8);
});

test('V52 release with an error code', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 5);
  await refused(f.scrip.release(reservationId, { errorCode: 'e'.repeat(101) }), 400, 'invalid_request', 'error_code');
  const r = await f.scrip.release(reservationId, { errorCode: 'provider_error', reason: 'the model was down', response: '502' });
  assert.deepEqual([r.status, r.errorCode, r.reason, r.response], ['released', 'provider_error', 'the model was down', '502']);
});

test('V53 a release gives back to the very balances', async () => {
  const f = await newForge();
  const a = await f.buy('u', topUp, 'cs_a');
  const b = await f.buy('u', topUp, 'cs_b');
  const { reservationId } = await f.scrip.reserve('u', gemini, 70);
  assert.deepEqual([await f.left('u', a.balanceId), await f.left('u', b.balanceId)], [0, 30]);
  await f.scrip.release(reservationId);
  assert.deepEqual([await f.left('u', a.balanceId), await f.left('u', b.balanceId)], [50, 50]);
});

test('V54 a forgotten hold', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  await f.scrip.reserve('u', gemini, 50);
  await advance(59);
  denied(await f.scrip.reserve('u', gemini, 1), true, 'no_subscription', 'credits_exhausted');
  await advance(1);
  assert.equal((await f.scrip.reserve('u', gemini, 50)).allowed, true);
});

test('V55 a late commit', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 20);
  await advance(61);
  await refused(f.scrip.commit(reservationId), 400, 'reservation_expired');
  await refused(f.scrip.release(reservationId), 400, 'reservation_expired');
  assert.equal((await f.scrip.usage('u')).credits[0].remaining, 50);
});

test('long work holds longer, and extends', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const { reservationId } = await f.scrip.reserve('u', gemini, 20, undefined, { ttlSeconds: 120 });
  await advance(119);
  const r = await f.scrip.extend(reservationId, { ttlSeconds: 300, reason: 'still at it' });
  assert.deepEqual([r.status, r.reason], ['pending', 'still at it']);
  await advance(299);
  assert.equal((await f.scrip.commit(reservationId)).status, 'committed');
  await refused(f.scrip.reserve('u', gemini, 1, undefined, { ttlSeconds: 86401 }), 400, 'invalid_request', 'ttl_seconds');
});

test('V56 closing twice', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  for (const first of ['commit', 'release']) {
    const { reservationId } = await f.scrip.reserve('u', gemini, 5);
    await f.scrip[first](reservationId);
    const before = await f.scrip.balances('u');
    for (const second of ['commit', 'release', 'extend']) await refused(f.scrip[second](reservationId), 400, 'reservation_not_pending');
    assert.deepEqual((await f.scrip.balances('u')).balances, before.balances);
  }
  await refused(f.scrip.commit('rsv_unknown'), 404, 'reservation_not_found');
});

test('V57 V59 V60 usage of a glob, without a plan', async () => {
  const f = await newForge();
  const { balanceId } = await f.buy('u', topUp, 'cs_1');
  await f.buy('u', bundle, 'cs_2');
  await f.scrip.reserve('u', gemini, 3);
  const u = await f.scrip.usage('u', 'image.*');
  assert.deepEqual([u.userId, u.period, u.counters], ['u', null, []]);
  assert.deepEqual(u.credits.map((c) => c.event).sort(), [dalle, gemini]);
  assert.equal(u.credits.reduce((sum, c) => sum + c.remaining, 0), 47 + 10);
  const one = u.credits.find((c) => c.balanceId === balanceId);
  assert.deepEqual(one, {
    balanceId, creditId: f.credit, creditName: 'Renders', packId: topUp, packName: 'Gemini 3.1 Top-Up', packItemId: 'g', event: gemini,
    events: [gemini], unit: 'count', granted: 50, remaining: 47, held: 3, expiresAt: null, source: 'purchase', priority: 50,
    grantedAt: one.grantedAt,
  });
  assert.equal((await f.scrip.usage('u')).credits.length, 3);
  assert.deepEqual((await f.scrip.usage('nobody')).credits, []);
});

test('V67 canUse asks and changes nothing', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  assert.deepEqual(await f.scrip.canUse('u', gemini, 50), { allowed: true, matched: true, reasons: [], details: [] });
  assert.equal((await f.scrip.usage('u')).credits[0].remaining, 50);
  await f.use('u', gemini, 50);
  const no = await f.scrip.canUse('u', gemini);
  assert.deepEqual([no.allowed, no.reasons], [false, ['no_subscription', 'credits_exhausted']]);
});

test('V68 V70 a refund revokes by balance', async () => {
  const f = await newForge();
  const { balanceId } = await f.buy('u', topUp, 'cs_1');
  const revoked = { balanceId, revoked: 50, remaining: 0 };
  assert.deepEqual(await f.scrip.credits.revoke({ balanceId, reason: 'stripe refund re_1' }), revoked);
  assert.deepEqual(await f.scrip.credits.revoke({ balanceId }), revoked, 'again');
  denied(await f.scrip.reserve('u', gemini, 1), true, 'no_subscription', 'credits_exhausted');
  const rows = await ledger(f.scrip, 'u');
  assert.deepEqual(rows.map((e) => [e.type, e.amount, e.balanceAfter]), [['credit_added', 50, 50], ['revoked', -50, 0]]);
  assert.equal(rows[1].reason, 'stripe refund re_1');
  await refused(f.scrip.credits.revoke({ balanceId: 'grt_unknown' }), 404, 'grant_not_found');
});

test('V71 V72 what is left is the sum of the rows', async () => {
  const f = await newForge();
  const { balanceId } = await f.buy('u', topUp, 'cs_1');
  await f.use('u', gemini, 20);
  const { reservationId } = await f.scrip.reserve('u', gemini, 7);
  await f.scrip.release(reservationId);
  assert.deepEqual(await f.scrip.credits.revoke({ balanceId, reason: 'refund' }), { balanceId, revoked: 30, remaining: 0 });
  const rows = await ledger(f.scrip, 'u');
  assert.equal(rows.filter((e) => !e.type.startsWith('hold_')).reduce((sum, e) => sum + e.amount, 0), 0);
  assert.deepEqual(rows.at(-1).slices, [{ balanceId, amount: -30 }]);
  const [balance] = (await f.scrip.balances('u')).balances;
  assert.deepEqual([balance.available, balance.used], [0, 20]);
});

test('track records and charges', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const t = await f.scrip.track('u', gemini, 2, { model: 'flash' }, { response: 'ok' });
  assert.match(t.eventId, /^\w+/);
  assert.deepEqual([t.taken, t.short, t.matchedGroupIds, t.counters], [2, 0, [], []]);
  assert.equal((await f.scrip.usage('u')).credits[0].remaining, 48);
  assert.equal((await f.scrip.track('u', gemini)).taken, 1);
});

test('deduct by event and by credit', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  const d = await f.scrip.deduct({ userId: 'u', event: gemini, quantity: 2, reason: 'one chat' });
  assert.deepEqual([d.taken, d.short, d.balances[0].available, d.counters], [2, 0, 48, []]);
  assert.equal((await ledger(f.scrip, 'u')).at(-1).entryId, d.entryId);
  await f.scrip.credits.grant({ userId: 'v', creditId: 'Renders', quantity: '2' });
  const short = await refused(f.scrip.deduct({ userId: 'v', creditId: 'Renders', amount: 3 }), 402, 'insufficient_credits');
  assert.ok(short instanceof InsufficientCreditsError);
  assert.deepEqual([short.required, short.available], [3, 2]);
  const part = await f.scrip.deduct({ userId: 'v', creditId: 'Renders', amount: 3, shortfall: 'partial' });
  assert.deepEqual([part.taken, part.short], [2, 1]);
});

test('balances now and at an earlier instant', async () => {
  const f = await newForge();
  await f.scrip.credits.grant({ userId: 'a/b ü', creditId: 'Renders', quantity: 5, category: 'promotional' });
  const before = await f.scrip.balances('a/b ü', { creditId: 'renders' });
  await advance(10);
  await f.scrip.deduct({ userId: 'a/b ü', creditId: f.credit, amount: 2 });
  const zero = { available: 0, held: 0, frozen: 0 };
  assert.deepEqual(before.balances, [{
    creditId: f.credit, creditName: 'Renders', unit: 'count', balance: 5, available: 5, held: 0, frozen: 0, overage: 0, used: 0,
    paid: zero, promotional: { available: 5, held: 0, frozen: 0 },
  }]);
  assert.equal((await f.scrip.balances('a/b ü')).balances[0].available, 3);
  assert.deepEqual((await f.scrip.balances('a/b ü', { at: new Date(before.at) })).balances, before.balances);
});

test('what is no quantity is refused, and nothing is taken', async () => {
  const f = await newForge();
  await f.buy('u', topUp, 'cs_1');
  for (const quantity of [NaN, Infinity, -1, 0, 'ten', null]) {
    await refused(f.scrip.track('u', gemini, quantity), 400, 'invalid_quantity');
    await refused(f.scrip.reserve('u', gemini, quantity), 400, 'invalid_quantity');
  }
  await refused(f.scrip.reserve('', gemini, 1), 400, 'missing_field', 'customer_id');
  assert.equal((await f.scrip.usage('u')).credits[0].remaining, 50);
  denied(await f.scrip.reserve('u', veo, 1), false, 'no_subscription');
});

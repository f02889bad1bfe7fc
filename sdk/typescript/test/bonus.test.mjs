// Bonus and purchased credits, by the rows of the GoLiveKit seed.
import { test } from 'node:test';
import { InsufficientCreditsError } from '@scrip/sdk';
import { assert, ledger, newKit, refused } from './lib.mjs';

test('G04 G05 G22 credits are added without a payment', async () => {
  const k = await newKit();
  await k.add('purchased', 1000);
  const { balanceId, remaining } = await k.add('bonus', 250);
  assert.ok(balanceId);
  assert.equal(remaining, 250);
  await k.holds(250, 1000, 0);
  assert.deepEqual((await ledger(k.scrip, 'u')).map((e) => [e.type, e.amount, e.reason]), [['credit_added', 1000, 'purchased'], ['credit_added', 250, 'bonus']]);
});

test('G06 G07 G08 bonus goes first, the rest comes from purchased', async () => {
  const k = await newKit();
  await k.add('purchased', 100);
  await k.add('bonus', 70);
  await k.deduct(40);
  await k.holds(30, 100, 40);
  await k.deduct(50);
  await k.holds(0, 80, 90);
  const { operationId, slices } = (await ledger(k.scrip, 'u')).at(-1);
  assert.ok(operationId);
  assert.deepEqual(slices.map((s) => s.amount), [-30, -20]);
  await k.add('bonus', 30);
  await k.deduct(30);
  await k.holds(0, 80, 120);
});

test('G09 bonus always goes first', async () => {
  const k = await newKit();
  await k.add('purchased', 100_000);
  await k.add('bonus', 900);
  for (let i = 0, paid = 100_000; i < 40; i++) {
    if (i % 7 === 6) await k.add('bonus', i * 11);
    const now = await k.deduct(1 + (i * 37) % 90);
    assert.ok(now.creditsPurchased === paid || now.creditsBonus === 0, JSON.stringify(now));
    paid = now.creditsPurchased;
  }
});

test('G14 G15 a bonus for registration, once', async () => {
  const k = await newKit();
  const bonus = () => k.scrip.addCreditsDirectly({ userId: 'u', credits: 50, creditsType: 'bonus', reason: 'Welcome', externalRef: 'signup:u' });
  await k.holds(0, 0, 0);
  await bonus();
  assert.equal((await bonus()).existing, true);
  await k.holds(50, 0, 0);
});

test('G23 adding needs sane input', async () => {
  const k = await newKit();
  for (const credits of [0, -5, NaN, Infinity, 'ten', 1e30]) {
    const error = await k.add('bonus', credits).catch((error) => error);
    assert.deepEqual([error.status, error.field], [400, 'amount'], String(credits));
  }
  await refused(k.add('bonus', 1.5), 400, 'amount_too_precise');
  for (const type of ['gift', 'toString', undefined]) await refused(k.add(type, 5), 400, 'invalid_request', 'creditsType');
  assert.deepEqual(await ledger(k.scrip, 'u'), []);
});

test('G24 G25 the answer tells the new balance, the ledger the reason', async () => {
  const k = await newKit();
  await k.add('purchased', 100);
  await k.add('bonus', 30);
  const result = await k.deduct(40, 'Image generation');
  assert.deepEqual(result, { creditsBalance: 90, creditsPurchased: 90, creditsBonus: 0, creditsUsed: 40 });
  assert.equal((await ledger(k.scrip, 'u')).at(-1).reason, 'Image generation');
});

test('G26 G28 too little is an error of its own, and the operation does not run', async () => {
  const k = await newKit();
  await k.add('purchased', 9);
  const error = await refused(k.deduct(10), 402, 'insufficient_credits');
  assert.ok(error instanceof InsufficientCreditsError);
  assert.deepEqual([error.name, error.required, error.available], ['InsufficientCreditsError', 10, 9]);
  let ran = 0;
  const endpoint = async () => { await k.deduct(10); ran++; };
  await assert.rejects(endpoint(), InsufficientCreditsError);
  assert.equal(ran, 0);
  await k.holds(0, 9, 0);
  await k.add('purchased', 1);
  await endpoint();
  assert.equal(ran, 1);
});

test('G27 other errors are not taken for it', async () => {
  const k = await newKit({ creditId: 'unknown' });
  assert.ok(!((await refused(k.deduct(1), 404, 'credit_not_found')) instanceof InsufficientCreditsError));
  const cut = await newKit({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  const error = await refused(cut.deduct(1), 0, 'store_unavailable');
  assert.ok(!(error instanceof InsufficientCreditsError));
  assert.ok(error.cause);
});

test('G29 what failed later stays spent, unless it was only held', async () => {
  const k = await newKit();
  await k.add('purchased', 100);
  await k.add('bonus', 30);
  await k.deduct(20);
  await k.holds(10, 100, 20); // the operation failed, and nobody gave anything back
  const held = await k.scrip.hold({ userId: 'u', creditId: 'credits', amount: 50 });
  await k.holds(0, 60, 20);
  await k.scrip.release(held.reservationId, { errorCode: 'provider_error' });
  await k.holds(10, 100, 20);
});

test('G30 parallel deductions', async () => {
  const k = await newKit();
  await k.add('purchased', 450);
  await k.add('bonus', 50);
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => k.deduct(10)));
  const refusals = results.filter((r) => r.status === 'rejected');
  assert.equal(refusals.length, 50);
  for (const r of refusals) assert.ok(r.reason instanceof InsufficientCreditsError, String(r.reason));
  await k.holds(0, 0, 500);
});

test('G31 G32 G33 what the page shows', async () => {
  const k = await newKit();
  await k.holds(0, 0, 0); // nobody has heard of the user yet
  await k.add('purchased', 100);
  await k.deduct(40);
  await k.deduct(10);
  await k.holds(0, 50, 50);
  await k.add('bonus', 25);
  await k.holds(25, 50, 50);
});

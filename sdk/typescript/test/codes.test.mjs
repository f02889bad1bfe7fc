// Codes that customers redeem.
import { test } from 'node:test';
import { assert, newKit, refused } from './lib.mjs';

test('a code is redeemed once by each customer, as often as it may be', async () => {
  const k = await newKit();
  await k.post('/v1/codes', { code: 'SUMMER25', credit_id: 'credits', amount: '25', max_uses: 2 });
  const first = await k.scrip.redeemCode('u', 'summer25');
  assert.deepEqual([first.balances[0].remaining, first.usesLeft], [25, 1]);
  await k.holds(25, 0, 0);
  const again = await refused(k.scrip.redeemCode('u', 'SUMMER25'), 409, 'code_already_redeemed', 'code');
  assert.deepEqual(again.details.grants, [first.balances[0].balanceId]);
  assert.equal((await k.scrip.redeemCode('v', 'Summer25')).usesLeft, 0);
  await refused(k.scrip.redeemCode('w', 'SUMMER25'), 409, 'code_used_up');
  await refused(k.scrip.redeemCode('w', 'WINTER'), 404, 'code_not_found');
  await k.holds(25, 0, 0);
});

test('one call under an idempotency key, sent twice, has one answer', async () => {
  const k = await newKit();
  await k.post('/v1/codes', { code: 'ANY', credit_id: 'credits', amount: '1', max_uses_per_customer: 5 });
  const once = () => k.scrip.redeemCode('u', 'any', { idempotencyKey: 'k-1' });
  const first = await once();
  assert.equal(first.usesLeft, null);
  assert.deepEqual(await once(), first);
  await k.holds(1, 0, 0);
});

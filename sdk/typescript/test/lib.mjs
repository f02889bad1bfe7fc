// What the tests share. SCRIP_BASE_URL is a server that makes apps and moves its clock when told to.
import assert from 'node:assert/strict';
import { createClient, ScripError } from '@scrip/sdk';

export { assert, createClient, ScripError };
export const baseUrl = process.env.SCRIP_BASE_URL;

export const gemini = 'image.gemini-3-1-flash-image-preview';
export const dalle = 'image.dall-e-3';
export const veo = 'video.veo-3';
export const topUp = 'cpk_gemini_topup';
export const bundle = 'cpk_creator_bundle';
export const day = 24 * 3600;

let apps = 0;

async function ask(method, path, key, body) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const response = await fetch(baseUrl + path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  assert.ok(response.ok, JSON.stringify(answer));
  return answer;
}

/** Moves the server's clock. */
export const advance = (seconds) => ask('POST', `/test/clock?by=${seconds}s`);

/** An app of its own, with a client for its live mode and what it sells. */
export async function newApp(options = {}) {
  const keys = await ask('POST', `/test/apps?name=app-${++apps}-${Math.random()}`);
  const post = (path, body) => ask('POST', path, keys.live, body);
  const scrip = createClient({ apiKey: keys.live, baseUrl, ...options });
  return { keys, post, scrip };
}

/** PixelForge: the app that the Vevee seed sells packs of. */
export async function newForge(options) {
  const app = await newApp(options);
  const { id } = await app.post('/v1/credits', { name: 'Renders', unit: 'count' });
  const item = (item, amount, event) => ({ id: item, credit_id: id, amount, scope: [{ event }] });
  const pack = (pack) => app.post('/v1/packs', pack);
  await pack({ id: topUp, name: 'Gemini 3.1 Top-Up', price: 400, items: [item('g', '50', gemini)] });
  await pack({ id: bundle, name: 'Creator Bundle', price: 1500, expires_after_days: 90, items: [item('d', '10', dalle), item('v', '5', veo)] });
  const buy = (userId, packId, externalRef) => app.scrip.credits.grant({ userId, packId, externalRef, notes: `bought ${packId}` });
  const use = async (userId, event, quantity) => {
    const r = await app.scrip.reserve(userId, event, quantity);
    assert.ok(r.allowed, r.reasons.join());
    return app.scrip.commit(r.reservationId);
  };
  const left = async (userId, balanceId) => (await app.scrip.usage(userId)).credits.find((c) => c.balanceId === balanceId)?.remaining ?? 0;
  return { ...app, credit: id, item, pack, buy, use, left };
}

/** GoLiveKit: one credit, of which bonus credits go before purchased ones. */
export async function newKit(options) {
  const app = await newApp(options);
  const { id } = await app.post('/v1/credits', { name: 'credits', unit: 'credit', draw_order: 'promotional_first' });
  const add = (creditsType, credits) => app.scrip.addCreditsDirectly({ userId: 'u', credits, creditsType, reason: creditsType });
  const deduct = (credits, reason) => app.scrip.deductCreditsBonusFirst({ userId: 'u', credits, reason });
  const holds = async (creditsBonus, creditsPurchased, creditsUsed) => assert.deepEqual(await app.scrip.getCredits('u'), {
    creditsBalance: creditsBonus + creditsPurchased, creditsPurchased, creditsBonus, creditsUsed,
  });
  return { ...app, credit: id, add, deduct, holds };
}

/** GoLiveKit's configuration, in test mode, where the sandbox moves the money: packages, and any amount at a cent a credit. */
export async function newShop() {
  const { keys } = await newApp();
  const post = (path, body) => ask('POST', path, keys.test, body);
  await post('/v1/credits', {
    name: 'credits', unit: 'credit', draw_order: 'promotional_first',
    sales: { any_amount: true, price_per_credit: '1', currency: 'usd', signup_bonus: '50' },
  });
  for (const [id, price, amount] of [['starter', 1000, '1000'], ['pro', 4000, '5000']]) {
    await post('/v1/packs', { id, name: `${id} pack`, price, items: [{ credit_id: 'credits', amount }] });
  }
  await post('/v1/plans', { id: 'monthly', name: 'Monthly', price: 1500, credits: [{ credit_id: 'credits', amount: '2000' }] });
  const scrip = createClient({ apiKey: keys.test, baseUrl });
  const has = async (amount, userId = 'u') => assert.equal(await scrip.credits.balance(userId), amount);
  return { keys, post, scrip, has };
}

/** Presses a button on a page of the sandbox, with the card that is filled in; returns where the customer is sent. */
export async function press(url, button = 'pay') {
  const page = await (await fetch(url)).text();
  const [, token] = /name="token" value="([^"]*)"/.exec(page) ?? assert.fail(page);
  const [, number] = /name="number" value="([^"]*)"/.exec(page) ?? [];
  const sent = await fetch(url, { method: 'POST', body: new URLSearchParams({ token, number: number ?? '', do: button }), redirect: 'manual' });
  assert.equal(sent.status, 303, await sent.text());
  return sent.headers.get('Location');
}

/** Waits until something holds: what the server does after it has answered. */
export async function eventually(holds) {
  for (let i = 0; ; i++) {
    try {
      return await holds();
    } catch (error) {
      if (i === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Fails unless a reservation was denied for these reasons. */
export function denied(answer, matched, ...reasons) {
  assert.deepEqual([answer.allowed, answer.matched, answer.reasons], [false, matched, reasons]);
  assert.equal(answer.reservationId, undefined);
}

/** Fails unless a call fails with this error, and returns it. */
export async function refused(call, status, code, field) {
  const error = await call.then((answer) => assert.fail(`no error but ${JSON.stringify(answer)}`), (error) => error);
  assert.ok(error instanceof ScripError, String(error?.stack));
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  if (field !== undefined) assert.equal(error.field, field);
  assert.ok(error.message);
  return error;
}

/** A customer's whole ledger, oldest first. */
export async function ledger(scrip, userId) {
  const entries = [];
  for (let cursor; ;) {
    const page = await scrip.credits.history(userId, { cursor, limit: 2 });
    entries.push(...page.entries);
    if (!page.hasMore) return entries.reverse();
    cursor = page.nextCursor;
  }
}

// The seeds' own snippets: only the name of what they import differs. They are checked by the
// compiler, and run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Stripe from 'stripe';
import { createCheckout } from '@scrip/sdk';
import { assert, bundle, dalle, gemini, ledger, newForge, newKit, newShop, press, ScripError, topUp } from './lib.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = mkdtempSync(join(root, 'dist', 'seeds-'));
after(() => rmSync(compiled, { recursive: true }));

let loads = 0;
/** Runs a snippet's module anew, under the environment as it is. */
const load = (name) => import(`${pathToFileURL(join(compiled, name))}?${++loads}`);

before(() => {
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', join(root, 'test/seeds'), '--outDir', compiled]);
  } catch (error) {
    assert.fail(`the snippets do not compile:\n${error.stdout}`);
  }
  globalThis.element = (name, properties, ...children) => ({ name, ...properties, children });
});

test('V26 the buy button asks the backend and goes where it says', async () => {
  process.env.NEXT_PUBLIC_VEVEE_KEY = 'pk_live_x';
  const { BuyCreditsCTA } = await load('buy-button.js');
  const { fetch: real } = globalThis;
  const asked = [];
  globalThis.window = { location: {} };
  globalThis.fetch = async (url, init) => { asked.push([url, init.body]); return Response.json({ url: 'https://pay.example/1' }); };
  try {
    await BuyCreditsCTA({ userId: 'u' }).children[1].onClick();
  } finally {
    globalThis.fetch = real;
  }
  assert.deepEqual(asked, [['/api/billing/checkout', '{"packId":"cpk_creator_bundle","userId":"u"}']]);
  assert.equal(window.location.href, 'https://pay.example/1');
});

const secret = 'whsec_test';

/** The seed's webhook handler, and a way to send it events that are signed as Stripe signs them. */
async function webhook() {
  const f = await newForge();
  Object.assign(process.env, { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: secret, VEVEE_SECRET_KEY: f.keys.live });
  const { POST } = await load('stripe-webhook.js');
  const send = (event, by = secret) => {
    const payload = JSON.stringify({ id: 'evt_1', object: 'event', ...event });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: by });
    return POST(new Request('https://app.example/', { method: 'POST', body: payload, headers: { 'stripe-signature': signature } }));
  };
  const paid = (id, metadata, by) => send({ type: 'checkout.session.completed', data: { object: { id, object: 'checkout.session', metadata } } }, by);
  return { ...f, send, paid };
}

test('V29 V32 V34 V35 V36 V37 V38 the webhook grants what was bought, once', async () => {
  const f = await webhook();
  const first = await (await f.paid('cs_1', { userId: 'u', packId: bundle })).json();
  assert.deepEqual(first.balances.map((b) => [b.packItemId, b.remaining]), [['d', 10], ['v', 5]]);
  assert.deepEqual(await (await f.paid('cs_1', { userId: 'u', packId: bundle })).json(), first);
  const { balances } = await (await f.paid('cs_2', { userId: 'u', packId: topUp })).json();
  assert.deepEqual(balances.map((b) => b.remaining), [50]);
  assert.deepEqual((await ledger(f.scrip, 'u')).map((e) => [e.amount, e.referenceType, e.referenceId, e.reason]), [
    [10, 'purchase', 'cs_1', 'stripe checkout cs_1'], [5, 'purchase', 'cs_1', 'stripe checkout cs_1'],
    [50, 'purchase', 'cs_2', 'stripe checkout cs_2'],
  ]);
});

test('V30 V31 V33 what is not a paid session grants nothing', async () => {
  const f = await webhook();
  await assert.rejects(f.paid('cs_1', { userId: 'u', packId: topUp }, 'whsec_other'), /signature/);
  assert.deepEqual(await (await f.send({ type: 'customer.created', data: { object: {} } })).json(), { ok: true });
  await assert.rejects(f.paid('cs_1', { userId: 'u' }), ScripError);
  await assert.rejects(f.paid('cs_1', { packId: topUp }), ScripError);
  assert.deepEqual(await ledger(f.scrip, 'u'), []);
});

/** The rest of PixelForge, for a customer with 2 credits for images of either model. */
async function pixelforge() {
  const f = await newForge();
  await f.pack({ id: 'cpk_two', name: 'Two', items: [f.item('g', '2', gemini), f.item('d', '2', dalle)] });
  const { balanceId } = await f.buy('u', 'cpk_two', 'cs_1');
  process.env.VEVEE_SECRET_KEY = f.keys.live;
  globalThis.showOutOfQuotaUI = (reasons) => `out: ${reasons}`;
  globalThis.callGeminiAPI = async (prompt) => `https://img.example/${prompt}`;
  return { ...f, balanceId, ...(await load('pixelforge.js')) };
}

test('V47 V50 V51 V52 an image is made, paid for, and given back when it fails', async () => {
  const f = await pixelforge();
  await f.generate('u', 'cat');
  assert.equal(await f.left('u', f.balanceId), 1);
  globalThis.callGeminiAPI = () => Promise.reject(new Error('down'));
  await f.generate('u', 'dog');
  assert.equal(await f.left('u', f.balanceId), 1);
  globalThis.callGeminiAPI = async () => 'https://img.example/2';
  await f.generate('u', 'cow');
  assert.equal(await f.generate('u', 'hen'), 'out: no_subscription,credits_exhausted');
});

test('V57 V59 V60 what is left is shown', async () => {
  const f = await pixelforge();
  const text = (node) => (node?.children ? node.children.map(text).join('') : String(node || ''));
  const [plan, credits] = (await f.Remaining({ userId: 'u' })).children;
  assert.deepEqual(plan.children, [0, ' on plan']);
  assert.equal(text(credits), '+ 4 credits');
});

test('V68 a refund takes the balance back', async () => {
  const f = await pixelforge();
  await f.refund({ aplBalanceId: f.balanceId });
  assert.equal(await f.left('u', f.balanceId), 0);
  assert.equal((await ledger(f.scrip, 'u')).at(-1).reason, 'stripe refund re_xxx');
});

test('G22 G25 G26 G28 the snippets of GoLiveKit', async (t) => {
  const k = await newKit();
  process.env.SCRIP_KEY = k.keys.live;
  const ran = [];
  globalThis.executeGeneration = (prompt) => ran.push(prompt);
  const { welcome, spend, runGeneration } = await load('golivekit.js');
  await welcome('u');
  await k.holds(250, 0, 0);
  const said = t.mock.method(console, 'log', () => {});
  await spend('u');
  assert.deepEqual(said.mock.calls.map((call) => call.arguments), [[210]]);
  await runGeneration('u', 'cat');
  await k.deduct(191);
  await assert.rejects(runGeneration('u', 'dog'), /Not enough credits/);
  await assert.rejects(spend('u'), { name: 'InsufficientCreditsError', required: 40, available: 9 });
  assert.deepEqual(ran, ['cat']);
  await k.holds(9, 0, 241);
});

test('G34 G37 the snippet that tops up', async () => {
  const s = await newShop();
  await s.post('/v1/packs', { id: 'credits_starter', name: 'Starter', price: 1000, items: [{ credit_id: 'credits', amount: '1000' }] });
  const route = createCheckout({ user: () => ({ userId: 'u' }), client: s.scrip });
  const { buy } = await load('top-up.js');
  const { fetch: real } = globalThis;
  const went = [];
  globalThis.location = { href: 'https://a/b', origin: 'https://a', assign: (url) => went.push(url) };
  globalThis.window = { location: globalThis.location };
  globalThis.fetch = (path, init) => (path === '/api/checkout' ? route(new Request('https://a/api/checkout', init)) : real(path, init));
  try {
    await buy();
    assert.equal(await press(went[0]), 'https://a/dashboard/billings/credits?billing=success');
  } finally {
    globalThis.fetch = real;
    delete globalThis.location;
    delete globalThis.window;
  }
  assert.equal(await s.scrip.credits.balance('u'), 1000);
});

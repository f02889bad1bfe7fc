// Calls that do not arrive, over servers that drop or refuse them.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { assert, baseUrl, createClient, ledger, newKit, refused } from './lib.mjs';

/** A server that answers by itself, or passes a request on; it keeps what was asked. */
async function serve(t, answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    seen.push({ method: request.method, url: request.url, headers: request.headers, body, at: Date.now() });
    await answer({ request, response, body, n: seen.length });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { seen, url: `http://127.0.0.1:${server.address().port}` };
}

/** Passes a request on to Scrip. */
async function pass({ request, body }) {
  const { authorization, 'idempotency-key': key } = request.headers;
  const headers = { authorization, ...(key && { 'idempotency-key': key, 'content-type': 'application/json' }) };
  const answer = await fetch(baseUrl + request.url, { method: request.method, headers, body: body || undefined });
  return { status: answer.status, text: await answer.text() };
}

const refuse = (response, status, headers = {}, body = '') => response.writeHead(status, headers).end(body);
const problem = (code) => JSON.stringify({ type: 'x', title: 'x', status: 1, detail: 'no', code });

/** GoLiveKit with 100 credits, and a client that reaches it through such a server. */
async function through(t, answer, options) {
  const k = await newKit();
  await k.add('purchased', 100);
  const way = await serve(t, answer);
  return { ...k, ...way, client: createClient({ apiKey: k.keys.live, baseUrl: way.url, ...options }) };
}

test('an answer that is lost is asked for again, and the charge is made once', async (t) => {
  const k = await through(t, async (call) => {
    const { status, text } = await pass(call);
    if (call.n === 1) call.response.destroy(); // after the server has done it
    else refuse(call.response, status, {}, text);
  });
  const result = await k.client.deductCreditsBonusFirst({ userId: 'u', credits: 10 });
  assert.equal(result.creditsBalance, 90);
  assert.equal(k.seen.length, 2);
  const [first, second] = k.seen.map((s) => s.headers['idempotency-key']);
  assert.ok(first.length >= 16);
  assert.equal(second, first);
  assert.equal((await ledger(k.scrip, 'u')).length, 2);
  await k.client.deductCreditsBonusFirst({ userId: 'u', credits: 10 });
  assert.notEqual(k.seen[2].headers['idempotency-key'], first, 'another call has another key');
  await k.holds(0, 80, 20);
});

test('an answer that is cut short is asked for again', async (t) => {
  const k = await through(t, async (call) => {
    const { status, text } = await pass(call);
    if (call.n > 1) return refuse(call.response, status, {}, text);
    call.response.writeHead(status, { 'content-length': text.length });
    call.response.write(text.slice(0, 10), () => call.response.destroy());
  });
  await k.client.deductCreditsBonusFirst({ userId: 'u', credits: 10 });
  assert.equal(k.seen.length, 2);
  await k.holds(0, 90, 10);
});

test('the key may be given, and works across calls', async () => {
  const k = await newKit();
  await k.add('purchased', 100);
  const once = (credits) => k.scrip.deductCreditsBonusFirst({ userId: 'u', credits }, { idempotencyKey: 'order-1' });
  assert.deepEqual(await once(10), await once(10));
  await refused(once(11), 409, 'idempotency_key_reused');
  for (const idempotencyKey of ['', 'ключ', 'a\nb', 'x'.repeat(256)]) {
    await refused(k.scrip.deduct({ userId: 'u', creditId: 'credits', amount: 1 }, { idempotencyKey }), 400, 'idempotency_key_invalid', 'Idempotency-Key');
  }
  await k.holds(0, 90, 10);
});

test('every POST has a key, and a GET has neither key nor content type', async (t) => {
  const way = await serve(t, ({ response }) => refuse(response, 400, {}, problem('invalid_request')));
  const c = createClient({ apiKey: 'sk_x', baseUrl: `${way.url}//` });
  for (const call of [
    () => c.reserve('u', 'e', 1), () => c.hold({ userId: 'u', creditId: 'c', amount: 1 }), () => c.commit('r'), () => c.release('r'), () => c.extend('r'),
    () => c.track('u', 'e'), () => c.canUse('u', 'e'), () => c.deduct({ userId: 'u', event: 'e' }), () => c.credits.grant({ userId: 'u', packId: 'p' }),
    () => c.credits.revoke({ balanceId: '../..' }), () => c.upsertSubscription({ userId: 'u', planId: 'p' }), () => c.cancelSubscription({ userId: 'u' }),
    () => c.addCreditsDirectly({ userId: 'u', credits: 1, creditsType: 'bonus' }), () => c.deductCreditsBonusFirst({ userId: 'u', credits: 1 }),
  ]) await refused(call(), 400, 'invalid_request');
  const keys = way.seen.map((s) => s.headers['idempotency-key']);
  assert.equal(new Set(keys).size, 14);
  for (const s of way.seen) assert.deepEqual([s.method, s.headers.authorization], ['POST', 'Bearer sk_x']);
  assert.equal(way.seen[9].url, '/v1/grants/..%2F../revoke');
  for (const call of [() => c.usage('u', 'a&b=c'), () => c.balances('../..', { at: new Date(0) }), () => c.credits.list('u'), () => c.credits.history('u')]) await refused(call(), 400, 'invalid_request');
  const reads = way.seen.slice(14);
  for (const s of reads) assert.deepEqual([s.method, s.headers['idempotency-key'], s.headers['content-type']], ['GET', undefined, undefined]);
  assert.equal(reads[0].url, '/v1/usage?customer_id=u&event=a%26b%3Dc');
  assert.equal(reads[1].url, '/v1/customers/..%2F../balances?at=1970-01-01T00%3A00%3A00.000Z');
  for (const id of ['', '.', '..']) await refused(c.balances(id), 400, 'invalid_request', 'id');
  assert.equal(way.seen.length, 18);
});

for (const status of [408, 429, 500, 502, 503, 504]) {
  test(`${status} is tried again, a bounded number of times`, async (t) => {
    const k = await through(t, ({ response }) => refuse(response, status), { retries: 3 });
    const error = await k.client.usage('u').catch((error) => error);
    assert.deepEqual([error.name, error.status], ['ScripError', status]);
    assert.equal(k.seen.length, 4);
  });
}

for (const [status, code] of [[400, 'invalid_request'], [402, 'insufficient_credits'], [409, 'name_taken'], [429, 'limit_reached'], [429, 'workspace_limit_reached'], [501, 'not_implemented']]) {
  test(`${status} ${code} is an answer, and not tried again`, async (t) => {
    const k = await through(t, ({ response }) => refuse(response, status, {}, problem(code)));
    await refused(k.client.usage('u'), status, code);
    assert.equal(k.seen.length, 1);
  });
}

test('Retry-After is honoured', async (t) => {
  const k = await through(t, async (call) => {
    if (call.n === 1) return refuse(call.response, 503, { 'Retry-After': '1' }, problem('overloaded'));
    const { status, text } = await pass(call);
    refuse(call.response, status, {}, text);
  });
  assert.equal((await k.client.usage('u')).credits[0].remaining, 100);
  const waited = k.seen[1].at - k.seen[0].at;
  assert.ok(waited >= 990, `${waited} ms`);
});

test('a signal ends a call under way, and the waiting between two', async (t) => {
  const hanging = await through(t, () => {});
  const soon = AbortSignal.timeout(50);
  await assert.rejects(hanging.client.usage('u', undefined, { signal: soon }), (error) => error === soon.reason);
  assert.equal(hanging.seen.length, 1);
  const waiting = await through(t, ({ response }) => refuse(response, 503, { 'Retry-After': '20' }));
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 100);
  await assert.rejects(waiting.client.deduct({ userId: 'u', creditId: 'credits', amount: 1 }, { signal: controller.signal }), /enough/);
  assert.equal(waiting.seen.length, 1);
  const none = await through(t, ({ response }) => refuse(response, 500));
  await assert.rejects(none.client.usage('u', undefined, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(none.seen.length, 0);
});

test('a call that takes too long is tried again', async (t) => {
  const k = await through(t, async (call) => {
    if (call.n === 1) return;
    const { status, text } = await pass(call);
    refuse(call.response, status, {}, text);
  }, { timeoutMs: 300 });
  assert.equal((await k.client.usage('u')).credits[0].remaining, 100);
  assert.equal(k.seen.length, 2);
});

test('answers of others', async (t) => {
  const page = await through(t, ({ response }) => refuse(response, 200, {}, '<html>'));
  await refused(page.client.usage('u'), 0, 'internal_error');
  const gone = await through(t, ({ response }) => refuse(response, 404, {}, 'null'));
  await refused(gone.client.usage('u'), 404, 'not_found');
  await refused(createClient({ apiKey: 'sk_wrong', baseUrl }).usage('u'), 401, 'invalid_key');
  const moved = await through(t, ({ response }) => refuse(response, 302, { Location: baseUrl }), { retries: 0 });
  await refused(moved.client.usage('u'), 0, 'store_unavailable');
});

test('a client needs a key and an address', () => {
  assert.throws(() => createClient({ apiKey: '' }), { name: 'ScripError', code: 'invalid_config', field: 'apiKey' });
  assert.doesNotThrow(() => createClient({ apiKey: 'sk_x' }));
  const { SCRIP_BASE_URL: set } = process.env;
  delete process.env.SCRIP_BASE_URL;
  assert.throws(() => createClient({ apiKey: 'sk_x' }), { code: 'invalid_config', field: 'baseUrl' });
  process.env.SCRIP_BASE_URL = set;
});

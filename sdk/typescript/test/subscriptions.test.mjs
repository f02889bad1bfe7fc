// What the calls about subscriptions send, and how they read the answer.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { assert, createClient } from './lib.mjs';

const subscription = {
  id: 'sub_1', customer_id: 'u', plan_id: 'prd_1', plan_name: 'Free', status: 'active', started_at: '2026-03-01T12:00:00Z',
};

async function answering(t, answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push([request.method, request.url, JSON.parse(Buffer.concat(chunks))]);
    response.end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { seen, scrip: createClient({ apiKey: 'sk_x', baseUrl: `http://127.0.0.1:${server.address().port}` }) };
}

test('upsertSubscription', async (t) => {
  const { seen, scrip } = await answering(t, subscription);
  assert.deepEqual(await scrip.upsertSubscription({ userId: 'u', planId: 'free' }), {
    subscriptionId: 'sub_1', userId: 'u', planId: 'prd_1', startedAt: '2026-03-01T12:00:00Z', cycleAnchorAt: null,
  });
  const at = new Date('2026-04-01T00:00:00Z');
  await scrip.upsertSubscription({ userId: 'u', planId: 'pro', customLimits: { Images: 100 }, endsAt: null, cycleStart: at });
  assert.deepEqual(seen, [
    ['POST', '/v1/subscriptions', { customer_id: 'u', plan_id: 'free' }],
    ['POST', '/v1/subscriptions', {
      customer_id: 'u', plan_id: 'pro', custom_limits: { Images: '100' }, ends_at: null, cycle_start: '2026-04-01T00:00:00.000Z',
    }],
  ]);
});

test('cancelSubscription', async (t) => {
  const { seen, scrip } = await answering(t, { ...subscription, ends_at: '2026-04-01T00:00:00Z' });
  const ended = { subscriptionId: 'sub_1', userId: 'u', planId: 'prd_1', endsAt: '2026-04-01T00:00:00Z' };
  assert.deepEqual(await scrip.cancelSubscription({ userId: 'u', endsAt: '2026-04-01T00:00:00Z', reason: 'too dear' }), ended);
  await scrip.cancelSubscription({ userId: 'u' });
  assert.deepEqual(seen, [
    ['POST', '/v1/subscriptions/cancel', { customer_id: 'u', ends_at: '2026-04-01T00:00:00Z', reason: 'too dear' }],
    ['POST', '/v1/subscriptions/cancel', { customer_id: 'u' }],
  ]);
});

// The bodies of every event that time and Scrip's own interface bring about, as the test has
// received them: valid under the vendor's strict schemas, and of use to the example's handler.
import { WebhookPayloadSchema } from '@dodopayments/core/schemas';
import { assert, client, has, same } from './dodo/lib.mjs';
import { POST, calls } from './dodo/seed/handler.mjs';

const bodies = JSON.parse(process.env.BODIES);
for (const body of bodies) {
  const event = client.webhooks.unsafeUnwrap(body);
  const parsed = WebhookPayloadSchema.safeParse(event);
  assert.ok(parsed.success, `${body}: ${parsed.error}`);
  assert.ok(event.data.payload_type, body);
  // The schemas really are strict: without any one of these fields they refuse it.
  for (const field of ['payload_type', 'brand_id', 'customer_id', 'credit_entitlement_id']) {
    const { [field]: _, ...data } = event.data;
    assert.ok(!WebhookPayloadSchema.safeParse({ ...event, data }).success, `${event.type} without ${field}`);
  }
  await POST(new Request('http://localhost', { method: 'POST', body }));
}
same(bodies.map((b) => JSON.parse(b).type), [
  'credit.added', 'credit.added', 'credit.rolled_over', 'credit.expired', 'credit.deducted', 'credit.rollover_forfeited', 'credit.overage_charged',
  'credit.manual_adjustment', 'credit.balance_low',
  'credit.added', 'credit.deducted', 'credit.overage_charged', 'credit.overage_reset', 'credit.added', 'credit.deducted',
]);
const { data: reset } = bodies.map((b) => JSON.parse(b)).find((e) => e.type === 'credit.overage_reset');
has(reset, { transaction_type: 'overage_reset', is_credit: false, amount: '3', balance_before: '0', balance_after: '0', overage_before: '3', overage_after: '0' });
same(calls.map(([name]) => name), [
  'upsert', 'upsert', 'update', 'update', 'sendCreditExpiryNotification', 'create', 'sendEmail', 'upsert', 'update', 'create', 'upsert', 'update',
]);

// The examples of usage events, as they stand but for TypeScript's types. The test has linked meters
// to the credit: 1000 tokens of ai.tokens a credit, a call of api.call a credit.
import { assert, client } from './dodo/lib.mjs';

// Quick Start: Deduct Credits via Usage Events
// Meter linked to credit entitlement deducts automatically
await client.usageEvents.ingest({
  events: [{
    event_id: `gen_${Date.now()}_${crypto.randomUUID()}`,
    customer_id: 'cus_abc123',
    event_name: 'ai.generation',
    timestamp: new Date().toISOString(),
    metadata: { model: 'gpt-4', tokens: '1500' }
  }]
});

// AI Token Billing Example
// Track AI token usage — meter auto-deducts credits
async function trackAIUsage( customerId, promptTokens, completionTokens, model ) {
  const totalTokens = promptTokens + completionTokens;

  await client.usageEvents.ingest({
    events: [{
      event_id: `ai_${Date.now()}_${crypto.randomUUID()}`,
      customer_id: customerId,
      event_name: 'ai.tokens',
      timestamp: new Date().toISOString(),
      metadata: {
        tokens: totalTokens.toString(),
        prompt_tokens: promptTokens.toString(),
        completion_tokens: completionTokens.toString(),
        model,
      }
    }]
  });
}

// After AI completion
await trackAIUsage('cus_abc123', 500, 1200, 'gpt-4');

// API Rate Tracking Example
// Middleware to track and deduct API credits
async function trackAPICredit(customerId, req) {
  await client.usageEvents.ingest({
    events: [{
      event_id: `api_${Date.now()}_${crypto.randomUUID()}`,
      customer_id: customerId,
      event_name: 'api.call',
      timestamp: new Date().toISOString(),
      metadata: {
        endpoint: new URL(req.url).pathname,
        method: req.method,
      }
    }]
  });
}

await trackAPICredit('cus_abc123', { url: 'http://app.test/v1/chat', method: 'POST' });

// 1700 tokens are one credit and 700 that are carried; the call is another; nothing counts
// ai.generation. The balance shows it at once.
const balance = await client.creditEntitlements.balances.retrieve('cus_abc123', { credit_entitlement_id: 'cent_credit_id' });
assert.equal(balance.available_balance, '98');
await trackAIUsage('cus_abc123', 300, 0, 'gpt-4');
assert.equal((await client.creditEntitlements.balances.retrieve('cus_abc123', { credit_entitlement_id: 'cent_credit_id' })).balance, '97');
const { items } = await client.creditEntitlements.balances.listLedger('cus_abc123', { credit_entitlement_id: 'cent_credit_id', transaction_type: 'credit_deducted' });
assert.deepEqual(items.map((e) => [e.amount, e.is_credit]), [['1', false], ['1', false], ['1', false]]);

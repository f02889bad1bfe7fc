// Query Customer Balance and Ledger: what works as it stands, what no server can make work, and
// what to write instead (dodo.md section 16).
import { assert, client } from './dodo/lib.mjs';

const printed = [];
const console = { log: (line) => printed.push(line) };

// Grant credits manually and debit them: the customer goes first, the entitlement into the
// object; type and description are understood as they are.
const customerId = 'cus_abc123';
await client.creditEntitlements.balances.createLedgerEntry('cus_abc123', {
  credit_entitlement_id: 'cent_credit_id',
  type: 'credit',
  amount: '500',
  description: 'Welcome bonus - 500 free API credits',
  idempotency_key: `welcome_bonus_${customerId}`,
});
await client.creditEntitlements.balances.createLedgerEntry('cus_abc123', {
  credit_entitlement_id: 'cent_credit_id',
  type: 'debit',
  amount: '100',
  description: 'Manual deduction for premium support',
  idempotency_key: `support_deduction_${Date.now()}`,
});

// As it stands:
// List all balances for a credit entitlement
const allBalances = await client.creditEntitlements.balances.list( 'cent_credit_id' );

assert.deepEqual(allBalances.items.map((b) => [b.customer_id, b.balance, b.available_balance, b.overage_balance]), [['cus_abc123', '400', '400', '0']]);

// As they stand, these never leave the program: the SDK has no such method, or refuses.
assert.equal(client.creditEntitlements.balances.get, undefined);
for (const call of ['listLedger', 'listGrants', 'createLedgerEntry'])
  assert.throws(() => client.creditEntitlements.balances[call]('cent_credit_id', 'cus_abc123', { type: 'credit', amount: '1' }));

// Corrected:
const balance = await client.creditEntitlements.balances.retrieve('cus_abc123', {
  credit_entitlement_id: 'cent_credit_id',
});
console.log(`Balance: ${balance.available_balance}`);

const ledger = await client.creditEntitlements.balances.listLedger('cus_abc123', {
  credit_entitlement_id: 'cent_credit_id',
});
for (const entry of ledger.items) {
  console.log(`${entry.type}: ${entry.amount} | Balance: ${entry.balance_after}`);
}

const grants = await client.creditEntitlements.balances.listGrants('cus_abc123', {
  credit_entitlement_id: 'cent_credit_id',
});

assert.deepEqual(printed, ['Balance: 400', 'credit_deducted: 100 | Balance: 400', 'credit_added: 500 | Balance: 500']);
assert.deepEqual(ledger.items.map((e) => e.description), ['Manual deduction for premium support', 'Welcome bonus - 500 free API credits']);
assert.deepEqual(grants.items.map((g) => [g.source_type, g.initial_amount, g.remaining_amount]), [['api', '500', '400']]);

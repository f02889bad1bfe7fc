// The SDK's iterators lose no row of 25, although they skip page 1 (dodo.md section 3).
import { all, assert, client } from './dodo/lib.mjs';

const balances = client.creditEntitlements.balances;
const made = { names: [], customers: [] };
for (let i = 0; i < 25; i++) {
  const credit = await client.creditEntitlements.create({
    name: `paging ${i}`, unit: 'x', precision: 0, rollover_enabled: false, overage_enabled: false,
  });
  made.names.unshift(credit.name);
  made.credit = credit.id;
  const customer = await client.customers.create({ email: `paging${i}@example.test`, name: `paging ${i}` });
  made.customers.push(customer.customer_id);
}
const at = { credit_entitlement_id: made.credit };
made.entries = [];
made.grants = [];
for (const customer of made.customers) {
  await balances.createLedgerEntry(customer, { ...at, entry_type: 'credit', amount: '1' });
  const entry = await balances.createLedgerEntry(made.customers[0], { ...at, entry_type: 'credit', amount: '1' });
  made.entries.unshift(entry.id);
  made.grants.push(entry.grant_id);
}
made.customers.sort();

for (const page of [{}, { page_size: 1 }, { page_size: 7 }, { page_size: 25 }, { page_size: 100 }, { page_number: 0 }, { page_number: 0, page_size: 4 }]) {
  const told = JSON.stringify(page);
  const names = (await all(client.creditEntitlements.list(page))).map((c) => c.name).filter((n) => n.startsWith('paging'));
  assert.deepEqual(names, made.names, `entitlements, ${told}`);
  const customers = (await all(client.customers.list({ name: 'PAGING', ...page }))).map((c) => c.customer_id);
  assert.deepEqual(customers, made.customers, `customers, ${told}`);
  const holders = (await all(balances.list(made.credit, page))).map((b) => b.customer_id);
  assert.deepEqual(holders, made.customers, `balances, ${told}`);
  const ledger = (await all(balances.listLedger(made.customers[0], { ...at, ...page }))).map((e) => e.id);
  assert.equal(new Set(ledger).size, 26, `ledger, ${told}`);
  assert.deepEqual(ledger.filter((id) => made.entries.includes(id)), made.entries, `ledger, ${told}`);
  const grants = (await all(balances.listGrants(made.customers[0], { ...at, ...page }))).map((g) => g.id);
  assert.equal(grants.length, 26, `grants, ${told}`);
  assert.deepEqual(grants.filter((id) => made.grants.includes(id)), made.grants, `grants, ${told}`);
}

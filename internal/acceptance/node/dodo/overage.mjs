// What becomes of overage when a cycle ends (dodo.md sections 5 and 15). Each plan costs 10 dollars and
// gives 100 credits a month; use beyond that costs 2 cents. 130 are used in the first cycle, 31 January
// to 28 February at noon, so that 30 are overage.
import { DodoPayments, assert, client, debit, has, holds, invoices, ledger, monthly, refused, subscribe, until } from './dodo/lib.mjs';

const { BadRequestError } = DodoPayments;
const plan = async (name, terms) => {
  const credit = await client.creditEntitlements.create({ name, unit: 'credit', precision: 0, rollover_enabled: false, overage_enabled: false });
  const product = await client.products.create({
    name, tax_category: 'saas', price: monthly(1000),
    credit_entitlements: [{ credit_entitlement_id: credit.id, credits_amount: '100', currency: 'USD', price_per_unit: '2', ...terms }],
  });
  return { credit: credit.id, ...(await subscribe(product.product_id, name)) };
};
const behaviors = ['forgive_at_reset', 'invoice_at_billing', 'carry_deficit', 'carry_deficit_auto_repay'];
const people = {};
for (const overage_behavior of behaviors) people[overage_behavior] = await plan(overage_behavior, { overage_enabled: true, overage_behavior });
for (const name of behaviors) {
  const p = people[name];
  await debit(p.customer_id, p.credit, '130');
  assert.deepEqual(await holds(p.customer_id, p.credit), ['0', '30'], name);
}

// The terms are the plan's, whatever the entitlement says: here it has no overage at all.
const blocked = await plan('blocked', { overage_enabled: false });
await refused(() => debit(blocked.customer_id, blocked.credit, '130'), 400, BadRequestError, 'INSUFFICIENT_CREDIT_BALANCE');
const limited = await plan('limited', { overage_enabled: true, overage_limit: '40' });
await refused(() => debit(limited.customer_id, limited.credit, '141'), 400, BadRequestError, 'OVERAGE_LIMIT_EXCEEDED');
await debit(limited.customer_id, limited.credit, '140');
const usage = async (p) => (await client.subscriptions.retrieveCreditUsage(p.subscription_id)).items[0];
has(await usage(limited), { balance: '0', overage: '40', overage_limit: '40', remaining_headroom: '0', limit_reached: true });
has(await usage(people.forgive_at_reset), { overage_enabled: true, overage_limit: null, remaining_headroom: null, limit_reached: false });
has(await usage(blocked), { overage_enabled: false, overage_limit: null, remaining_headroom: null, limit_reached: false });

await until('2026-02-28T12:00:00Z');
for (const [name, balance, overage, lines, entries] of [
  // Dropped: nobody pays.
  ['forgive_at_reset', '100', '0', [['plan', 1000]], ['overage_reset 30', 'credit_added 100']],
  // 30 x 2 cents.
  ['invoice_at_billing', '100', '0', [['plan', 1000], ['overage', 60]], ['overage_reset 30', 'credit_added 100']],
  // Stays, and the new credits do not pay it.
  ['carry_deficit', '100', '30', [['plan', 1000]], ['credit_added 100']],
  // Stays, and the new credits pay it: 100 - 30.
  ['carry_deficit_auto_repay', '70', '0', [['plan', 1000]], ['credit_added 100', 'credit_deducted 30']],
]) {
  const p = people[name];
  assert.deepEqual(await holds(p.customer_id, p.credit), [balance, overage], name);
  const [last] = await invoices(p.customer_id);
  assert.deepEqual(last.lines.map((l) => [l.kind, l.amount]), lines, name);
  assert.equal(last.status, 'open', 'nothing collects it yet');
  assert.deepEqual(await ledger(p.customer_id, p.credit), ['credit_added 100', 'credit_deducted 100', 'overage_charged 30', ...entries], name);
}
// What was carried is still there a cycle later, and so are the credits that nothing used.
await until('2026-03-31T12:00:00Z');
assert.deepEqual(await holds(people.carry_deficit.customer_id, people.carry_deficit.credit), ['200', '30']);
assert.deepEqual(await holds(people.carry_deficit_auto_repay.customer_id, people.carry_deficit_auto_repay.credit), ['170', '0']);
assert.deepEqual((await invoices(people.invoice_at_billing.customer_id)).map((i) => i.total), [1000, 1060, 1000]);

// A subscription that ends is invoiced what was used beyond it: 210 of 200, so 10 x 2 cents. What was
// granted is the customer's still.
const late = people.invoice_at_billing;
await debit(late.customer_id, late.credit, '210');
await client.subscriptions.update(late.subscription_id, { status: 'cancelled' });
assert.deepEqual((await invoices(late.customer_id))[0].lines.map((l) => [l.kind, l.amount]), [['overage', 20]]);
assert.deepEqual(await holds(late.customer_id, late.credit), ['0', '0']);
const gone = people.forgive_at_reset;
await debit(gone.customer_id, gone.credit, '210');
await client.subscriptions.update(gone.subscription_id, { status: 'cancelled' });
assert.deepEqual(await holds(gone.customer_id, gone.credit), ['0', '0'], 'there is no later cycle that could forgive it');
await until('2026-05-31T12:00:00Z');
assert.equal((await invoices(gone.customer_id)).length, 3, 'three cycles began');
assert.deepEqual(await holds(blocked.customer_id, blocked.credit), ['500', '0'], 'five cycles, and nothing was used');

// Changes of plan (dodo.md section 11). The cycle that runs is 28 days long, 31 January to 28 February
// at noon; on 14 February half of it is left.
import { DodoPayments, assert, client, debit, has, holds, invoices, monthly, refused, subscribe, totals, until, when } from './dodo/lib.mjs';

const { ConflictError, InternalServerError, NotFoundError, UnprocessableEntityError } = DodoPayments;
const credit = await client.creditEntitlements.create({ name: 'Credits', unit: 'credit', precision: 0, rollover_enabled: false, overage_enabled: false });
const plan = (name, price, credits_amount, proration_behavior = 'prorate') => client.products.create({
  name, tax_category: 'saas', price: monthly(price), description: `The ${name} plan`,
  credit_entitlements: [{ credit_entitlement_id: credit.id, credits_amount, proration_behavior }],
});
const [basic, pro, kept] = [await plan('Basic', 2000, '100'), await plan('Pro', 5000, '300'), await plan('Kept', 5000, '300', 'no_prorate')];
const change = (s, product, mode, more) => client.subscriptions.changePlan(s.subscription_id, {
  product_id: product.product_id, quantity: 1, proration_billing_mode: mode, ...more,
});
const preview = (s, product, mode, more) => client.subscriptions.previewChangePlan(s.subscription_id, {
  product_id: product.product_id, quantity: 1, proration_billing_mode: mode, ...more,
});
const read = (s) => client.subscriptions.retrieve(s.subscription_id);
const cycle = (sub) => [when(sub.previous_billing_date), when(sub.next_billing_date)];
const [JAN31, FEB14, FEB28, MAR14, MAR31] = ['01-31', '02-14', '02-28', '03-14', '03-31'].map((day) => `2026-${day}T12:00:00.000Z`);
const nothing = { payment_id: null, payment_link: null, client_secret: null, expires_on: null };

const people = {};
for (const name of ['full', 'prorated', 'spent', 'difference', 'nothing', 'unprorated', 'seats', 'later']) people[name] = await subscribe(basic.product_id, name);
people.down = await subscribe(pro.product_id, 'down');
await debit(people.spent.customer_id, credit.id, '80');
await until(FEB14);

// full_immediately: a new cycle, at the full price and with all of its credits; 100 + 300.
let ahead = await preview(people.full, pro, 'full_immediately');
has(ahead.immediate_charge.summary, { currency: 'USD', total_amount: 5000, customer_credits: 0, settlement_amount: 5000, settlement_currency: 'USD' });
assert.equal(when(ahead.immediate_charge.effective_at), FEB14);
assert.equal(ahead.immediate_charge.line_items.length, 1);
has(ahead.immediate_charge.line_items[0], { type: 'subscription', product_id: pro.product_id, name: 'Pro', quantity: 1, unit_price: 5000, proration_factor: 1, currency: 'USD' });
has(ahead.new_plan, { product_id: pro.product_id, recurring_pre_tax_amount: 5000 });
assert.deepEqual(cycle(ahead.new_plan), [FEB14, MAR14]);
assert.equal((await read(people.full)).product_id, basic.product_id, 'a preview changes nothing');
assert.deepEqual(await change(people.full, pro, 'full_immediately'), nothing);
let sub = await read(people.full);
has(sub, { product_id: pro.product_id, recurring_pre_tax_amount: 5000 });
assert.deepEqual(cycle(sub), [FEB14, MAR14]);
assert.deepEqual(await totals(people.full.customer_id), [5000, 2000]);
assert.deepEqual(await holds(people.full.customer_id, credit.id), ['400', '0']);

// prorated_immediately: half of 5000 less half of 2000 is 1500. Of the credits 50 go, and 150 come.
ahead = await preview(people.prorated, pro, 'prorated_immediately');
has(ahead.immediate_charge.summary, { total_amount: 1500, customer_credits: 0 });
assert.deepEqual(ahead.immediate_charge.line_items.map((l) => [l.product_id, l.unit_price, l.proration_factor]), [[basic.product_id, -2000, 0.5], [pro.product_id, 5000, 0.5]]);
assert.deepEqual(cycle(ahead.new_plan), [JAN31, FEB28]);
await change(people.prorated, pro, 'prorated_immediately');
assert.deepEqual(cycle(await read(people.prorated)), [JAN31, FEB28]);
assert.deepEqual(await totals(people.prorated.customer_id), [1500, 2000]);
assert.deepEqual(await holds(people.prorated.customer_id, credit.id), ['200', '0']);
// Where only 20 of the 100 are left, no more than these go.
await change(people.spent, pro, 'prorated_immediately');
assert.deepEqual(await holds(people.spent.customer_id, credit.id), ['150', '0']);

// difference_immediately: 5000 less 2000, whatever is left of the cycle.
await change(people.difference, pro, 'difference_immediately');
assert.deepEqual(await totals(people.difference.customer_id), [3000, 2000]);
assert.deepEqual(cycle(await read(people.difference)), [JAN31, FEB28]);

// do_not_bill: nothing until the next cycle.
ahead = await preview(people.nothing, pro, 'do_not_bill');
assert.deepEqual([ahead.immediate_charge.line_items, ahead.immediate_charge.summary.total_amount], [[], 0]);
await change(people.nothing, pro, 'do_not_bill');
assert.deepEqual(await totals(people.nothing.customer_id), [2000]);
assert.equal((await read(people.nothing)).product_id, pro.product_id);

// no_prorate of the new plan: its credits come with the next cycle. The old plan's 50 go.
await change(people.unprorated, kept, 'do_not_bill');
assert.deepEqual(await holds(people.unprorated.customer_id, credit.id), ['50', '0']);

// More of the same plan, for half of the cycle: 3 x 1000 less 1000. Credits: 50 go, 150 come.
await change(people.seats, basic, 'prorated_immediately', { quantity: 3 });
has(await read(people.seats), { quantity: 3, recurring_pre_tax_amount: 6000 });
assert.deepEqual(await totals(people.seats.customer_id), [2000, 2000]);
assert.deepEqual(await holds(people.seats.customer_id, credit.id), ['200', '0']);

// To less: 2500 come back and 1000 are due, so that 1500 are kept for the next invoice.
ahead = await preview(people.down, basic, 'prorated_immediately');
has(ahead.immediate_charge.summary, { total_amount: 0, customer_credits: 1500 });
await change(people.down, basic, 'prorated_immediately');
assert.deepEqual(await totals(people.down.customer_id), [0, 5000]);

// At the next billing date; such a change can be seen, replaced and cancelled.
const at = { effective_at: 'next_billing_date' };
await refused(() => client.subscriptions.cancelChangePlan(people.later.subscription_id), 404, NotFoundError, 'SCHEDULED_PLAN_CHANGE_NOT_FOUND');
for (const mode of ['prorated_immediately', 'difference_immediately', 'do_not_bill']) {
  await refused(() => change(people.later, pro, mode, at), 422, UnprocessableEntityError, 'INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE');
}
ahead = await preview(people.later, pro, 'full_immediately', at);
assert.equal(when(ahead.immediate_charge.effective_at), FEB28);
assert.equal(ahead.immediate_charge.summary.total_amount, 0);
has(ahead.new_plan, { product_id: pro.product_id, scheduled_change: null });
assert.equal((await read(people.later)).scheduled_change, null);
await change(people.later, pro, 'full_immediately', at);
sub = await read(people.later);
assert.equal(sub.product_id, basic.product_id);
has(sub.scheduled_change, { product_id: pro.product_id, product_name: 'Pro', product_description: 'The Pro plan', quantity: 1, addons: [] });
assert.deepEqual([when(sub.scheduled_change.created_at), when(sub.scheduled_change.effective_at)], [FEB14, FEB28]);
await refused(() => change(people.later, kept, 'do_not_bill'), 409, ConflictError, 'SCHEDULED_PLAN_CHANGE_EXISTS');
await refused(() => preview(people.later, kept, 'full_immediately', at), 409, ConflictError, 'SCHEDULED_PLAN_CHANGE_EXISTS');
await client.subscriptions.cancelChangePlan(people.later.subscription_id);
assert.equal((await read(people.later)).scheduled_change, null);
await change(people.later, pro, 'full_immediately', at);
await change(people.later, kept, 'full_immediately', { ...at, cancel_scheduled_change_plan: true });
assert.equal((await read(people.later)).scheduled_change.product_id, kept.product_id);

const wrong = (more, code, status = 422, type = UnprocessableEntityError) =>
  refused(() => change(people.full, pro, 'full_immediately', more), status, type, code);
await wrong({ proration_billing_mode: 'free' }, 'INVALID_REQUEST_PARAMETERS');
await wrong({ effective_at: 'soon' }, 'INVALID_REQUEST_PARAMETERS');
await wrong({ quantity: undefined }, 'INVALID_REQUEST_BODY');
await wrong({ quantity: 0 }, 'INVALID_QUANTITY');
await wrong({ product_id: 'pdt_none' }, 'NOT_FOUND', 404, NotFoundError);
await wrong({ addons: [{ addon_id: 'adn_1', quantity: 1 }] }, 'NOT_IMPLEMENTED', 501, InternalServerError);
await wrong({ collect_via_payment_link: true }, 'NOT_IMPLEMENTED', 501, InternalServerError);
await client.subscriptions.update(people.full.subscription_id, { cancel_at_next_billing_date: true });
await wrong({}, 'PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION');
await client.subscriptions.update(people.full.subscription_id, { cancel_at_next_billing_date: false });
await client.subscriptions.update(people.full.subscription_id, { status: 'paused' });
await wrong({}, 'INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED');
await client.subscriptions.update(people.full.subscription_id, { status: 'active' });

// The next cycle: everybody pays for their plan as it is now, and gets its credits.
await until(FEB28);
for (const [name, total, balance] of [
  ['prorated', 5000, '500'], ['difference', 5000, '500'], ['nothing', 5000, '500'], ['unprorated', 5000, '350'],
  ['seats', 6000, '500'], ['later', 5000, '400'],
  ['down', 500, '300'], // 2000, less the 1500 that were kept; 300 - 150 + 50 + 100
]) {
  assert.equal((await totals(people[name].customer_id))[0], total, name);
  assert.deepEqual(await holds(people[name].customer_id, credit.id), [balance, '0'], name);
}
sub = await read(people.later);
has(sub, { product_id: kept.product_id, scheduled_change: null });
assert.deepEqual(cycle(sub), [FEB28, MAR31]);
const [{ lines }] = await invoices(people.down.customer_id);
assert.deepEqual(lines.map((l) => [l.kind, l.amount]), [['plan', 2000], ['balance', -1500]]);
await client.subscriptions.update(people.down.subscription_id, { status: 'cancelled' });
await refused(() => change(people.down, pro, 'do_not_bill'), 422, UnprocessableEntityError, 'INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED');

// What becomes of unused credits when a cycle ends (dodo.md section 15). Each plan gives 200 credits a
// month, and what rolls over is valid for one. Nothing is used. Cycles end on 28 February, 31 March and
// 30 April at noon.
import { assert, client, has, holds, ledger, monthly, subscribe, until } from './dodo/lib.mjs';

const people = {};
const plan = async (name, terms, entitlement) => {
  const credit = await client.creditEntitlements.create({ name, unit: 'credit', precision: 0, rollover_enabled: false, overage_enabled: false, ...entitlement });
  const product = await client.products.create({
    name, tax_category: 'saas', price: monthly(1000), credit_entitlements: [{ credit_entitlement_id: credit.id, credits_amount: '200', ...terms }],
  });
  people[name] = { credit: credit.id, ...(await subscribe(product.product_id, name)) };
};
const rolls = (rollover_percentage, more) => ({
  rollover_enabled: true, rollover_percentage, rollover_timeframe_count: 1, rollover_timeframe_interval: 'Month', ...more,
});
await plan('off');
await plan('expiring', { expires_after_days: 28 }); // as long as the first cycle is
await plan('quarter', rolls(25));
await plan('half', rolls(50, { expires_after_days: 365 }));
await plan('all', rolls(100));
await plan('once', rolls(25, { max_rollover_count: 1 }));
await plan('twice', rolls(50, { max_rollover_count: 2 }));
await plan('switched off', { rollover_enabled: false }, rolls(75));
await plan('inherited', {}, rolls(75));
await plan('paused', rolls(25));

const balances = async (what) => {
  const got = {};
  for (const name of Object.keys(what)) got[name] = Number((await holds(people[name].customer_id, people[name].credit))[0]);
  assert.deepEqual(got, what);
};
const grants = async (name) => (await client.creditEntitlements.balances.listGrants(people[name].customer_id, { credit_entitlement_id: people[name].credit })).items;
await balances({ off: 200, expiring: 200, quarter: 200, half: 200, all: 200, once: 200, twice: 200, 'switched off': 200, inherited: 200 });

// Paused for ten days: its cycle, and with it the grant, ends ten days later, on 10 March.
await until('2026-02-10T12:00:00Z');
await client.subscriptions.update(people.paused.subscription_id, { status: 'paused' });
await until('2026-02-20T12:00:00Z');
await client.subscriptions.update(people.paused.subscription_id, { status: 'active' });

await until('2026-02-28T12:00:00Z');
await balances({
  paused: 200, off: 400, // without rollover and expiry nothing ends
  expiring: 200,
  quarter: 250, // 50 of 200 rolled over
  half: 300, // 100; with rollover on, a grant ends with its cycle although it could live for a year
  all: 400, once: 250, twice: 300, 'switched off': 400,
  inherited: 350, // 150: the example of the vendor's text
});
assert.deepEqual(await ledger(people.expiring.customer_id, people.expiring.credit), ['credit_added 200', 'credit_expired 200', 'credit_added 200']);
assert.deepEqual(await ledger(people.quarter.customer_id, people.quarter.credit), [
  'credit_added 200', 'credit_rolled_over 50', 'credit_rolled_over 50', 'credit_expired 150', 'credit_added 200',
]);
const rolled = (await grants('quarter')).find((g) => g.source_type === 'rollover');
has(rolled, { initial_amount: '50', remaining_amount: '50', rollover_count: 1, is_expired: false });
assert.equal(new Date(rolled.expires_at).toISOString(), '2026-03-28T12:00:00.000Z');
const parent = (await grants('quarter')).find((g) => g.id === rolled.parent_grant_id);
has(parent, { source_type: 'subscription', source_id: people.quarter.subscription_id, initial_amount: '200', remaining_amount: '0', is_rolled_over: true });

await until('2026-03-10T12:00:00Z');
await balances({ paused: 250 });

// On 28 March what rolled over ends, and rolls over again as long as it may.
await until('2026-03-28T12:00:00Z');
await balances({
  quarter: 212, // floor(50 x 25 %) = 12 of 50
  half: 250, // 50 of 100
  all: 400, // 200 of 200
  once: 200, // 50 forfeited
  twice: 250, inherited: 312, // floor(150 x 75 %) = 112
});
assert.equal((await ledger(people.once.customer_id, people.once.credit)).at(-1), 'rollover_forfeited 50');
await until('2026-03-31T12:00:00Z');
await balances({
  off: 600, expiring: 200,
  quarter: 262, // 12 + 50 + 200
  half: 350, // 50 + 100 + 200
  all: 600, // 200 + 200 + 200
  once: 250, twice: 350, 'switched off': 600, inherited: 462, // 112 + 150 + 200
});
// On 28 April the second rollover of the first grant ends: it is the last of twice.
await until('2026-04-28T12:00:00Z');
assert.equal((await ledger(people.twice.customer_id, people.twice.credit)).at(-1), 'rollover_forfeited 50');
await balances({ half: 325, twice: 300, all: 600, once: 250 }); // 25 + 100 + 200; 100 + 200

// An override for one customer counts from the next grant on: what was granted goes by its own terms.
await client.subscriptions.update(people.off.subscription_id, {
  credit_entitlement_cart: [{ credit_entitlement_id: people.off.credit, credits_amount: '10', ...rolls(50) }],
});
await until('2026-04-30T12:00:00Z');
await balances({ off: 610 });
await until('2026-05-31T12:00:00Z');
await balances({ off: 615 }); // 600 for ever, 5 of the 10 rolled over, 10 more

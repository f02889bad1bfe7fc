// Makes every event of a subscription happen that can without payments. What is sent of them is looked
// at by lifecyclepayloads.mjs.
import { client, debit, metered, monthly, subscribe, until } from './dodo/lib.mjs';

const events = ['active', 'updated', 'paused', 'unpaused', 'plan_changed', 'renewed', 'cancelled', 'expired', 'on_hold', 'failed'];
const url = process.env.RECEIVER;
await client.webhooks.create({ url: `${url}/all`, filter_types: [...events.map((e) => `subscription.${e}`), 'credit.balance_low'] });
await client.webhooks.create({ url: `${url}/expired`, filter_types: ['subscription.expired'] });

const credit = await client.creditEntitlements.create({ name: 'Calls', unit: 'call', precision: 1, rollover_enabled: false, overage_enabled: false });
const meter = await client.meters.create({ name: 'Tokens', event_name: 'ai.tokens', measurement_unit: 'token', aggregation: { type: 'count' } });
const credits = (credits_amount) => [{ credit_entitlement_id: credit.id, credits_amount, low_balance_threshold_percent: 20 }];
const month = monthly(100, { subscription_period_count: 1, subscription_period_interval: 'Month' });
const basic = await client.products.create({ name: 'Basic', tax_category: 'saas', price: monthly(1000), credit_entitlements: credits('50') });
const pro = await client.products.create({
  name: 'Pro', tax_category: 'saas', credit_entitlements: credits('100'),
  price: metered(1000, [{ meter_id: meter.id, credit_entitlement_id: credit.id, meter_units_per_credit: '10', free_threshold: 5 }]),
});
const short = await client.products.create({ name: 'Short', tax_category: 'saas', price: month });

const ada = await subscribe(basic.product_id, 'ada', { metadata: { tier: 'basic' } });
const bob = await subscribe(short.product_id, 'bob');
const update = (body) => client.subscriptions.update(ada.subscription_id, body);
await debit(ada.customer_id, credit.id, '40.5'); // 9.5 of 50 are left: below 20 %
await update({ metadata: { tier: 'pro' } });
await update({ status: 'paused' });
await update({ status: 'active' });
await client.subscriptions.changePlan(ada.subscription_id, { product_id: pro.product_id, quantity: 1, proration_billing_mode: 'full_immediately' });
await until('2026-02-28T12:00:00Z');
await debit(ada.customer_id, credit.id, '1'); // a use writes down that time has passed
await client.creditEntitlements.balances.createLedgerEntry(bob.customer_id, { credit_entitlement_id: credit.id, entry_type: 'credit', amount: '1' });
await update({ status: 'cancelled' });

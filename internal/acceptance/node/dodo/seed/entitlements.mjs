// Create Credit Entitlement (TypeScript), as it stands but for the ! of TypeScript.
import { assert } from './dodo/lib.mjs';
import DodoPayments from 'dodopayments';

const client = new DodoPayments({ bearerToken: process.env.DODO_PAYMENTS_API_KEY, });

// Custom unit credit (AI tokens)
const tokenCredit = await client.creditEntitlements.create({
  name: 'AI Tokens',
  credit_type: 'custom_unit',
  unit_name: 'tokens',
  precision: 0,
  expiry_duration: 30,
  rollover_enabled: true,
  max_rollover_percentage: 25,
  rollover_timeframe: 'month',
  max_rollover_count: 3,
  allow_overage: true,
  overage_limit: 50000,
  price_per_unit: 0.001,
  overage_behavior: 'bill_overage_at_billing',
});

// Fiat credit (USD balance)
const usdCredit = await client.creditEntitlements.create({
  name: 'Platform Credits',
  credit_type: 'fiat',
  unit_currency: 'USD',
  expiry_duration: 90,
  rollover_enabled: false,
  allow_overage: false,
});

// Both vocabularies are answered. The older one has prices in dollars, the present one in cents.
for (const [field, value] of Object.entries({
  credit_type: 'custom_unit', unit_name: 'tokens', expiry_duration: 30, rollover_enabled: true, max_rollover_percentage: 25, rollover_timeframe: 'month',
  max_rollover_count: 3, allow_overage: true, overage_limit: 50000, price_per_unit: '0.1', overage_behavior: 'invoice_at_billing',
  unit: 'tokens', expires_after_days: 30, rollover_percentage: 25, rollover_timeframe_count: 1, rollover_timeframe_interval: 'Month',
  overage_enabled: true, currency: 'USD',
})) assert.deepEqual(tokenCredit[field], value, field);
for (const [field, value] of Object.entries({
  credit_type: 'fiat', unit_currency: 'USD', unit: 'USD', precision: 2, currency: 'USD', expires_after_days: 90,
})) assert.deepEqual(usdCredit[field], value, field);

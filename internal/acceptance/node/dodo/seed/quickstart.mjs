// Quick Start, step 1, as it stands.
import { assert } from './dodo/lib.mjs';
import DodoPayments from 'dodopayments';

const client = new DodoPayments({ bearerToken: process.env.DODO_PAYMENTS_API_KEY, });

const credit = await client.creditEntitlements.create({
  name: 'API Credits',
  credit_type: 'custom_unit',
  unit_name: 'API Calls',
  precision: 0,
  expiry_duration: 30, // days
  rollover_enabled: false,
  allow_overage: false,
});

for (const [field, value] of Object.entries({
  name: 'API Credits', credit_type: 'custom_unit', unit_name: 'API Calls', precision: 0, expiry_duration: 30, rollover_enabled: false, allow_overage: false,
  unit: 'API Calls', expires_after_days: 30, overage_enabled: false, overage_behavior: 'forgive_at_reset', currency: null, price_per_unit: null,
})) assert.deepEqual(credit[field], value, field);

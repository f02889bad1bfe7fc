// Update Credit Entitlement Settings, as it stands; the credit's id is the test's.
import { assert, client } from './dodo/lib.mjs';

await client.creditEntitlements.update('cent_credit_id', {
  rollover_enabled: true,
  max_rollover_percentage: 50,
  allow_overage: true,
  overage_limit: 10000,
  price_per_unit: 0.002,
  overage_behavior: 'bill_overage_at_billing',
});

const credit = await client.creditEntitlements.retrieve('cent_credit_id');
for (const [field, value] of Object.entries({
  rollover_enabled: true, rollover_percentage: 50, overage_enabled: true, overage_limit: 10000, price_per_unit: '0.2', currency: 'USD',
  overage_behavior: 'invoice_at_billing', expires_after_days: null,
})) assert.deepEqual(credit[field], value, field);

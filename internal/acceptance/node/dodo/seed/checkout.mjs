// The three checkouts, as they stand. They wait for payments, and say so at once.
import { DodoPayments, assert, client, refused } from './dodo/lib.mjs';

const waits = async (call) => {
  const err = await refused(call, 501, DodoPayments.InternalServerError, 'NOT_IMPLEMENTED');
  assert.match(err.message, /waits for payments/);
};

await waits(async () => {
  const session = await client.checkoutSessions.create({
    product_cart: [
      {
        product_id: 'prod_ai_pro_plan', // Product with credits attached
        quantity: 1,
      }
    ],
    customer: { email: 'customer@example.com' },
    return_url: 'https://yourapp.com/success',
  });
});

await waits(async () => {
  // Product: "500 API Credit Pack" with 500 credits attached
  const session = await client.checkoutSessions.create({
    product_cart: [ { product_id: 'prod_credit_pack_500', quantity: 1 } ],
    customer: { email: 'customer@example.com' },
    return_url: 'https://yourapp.com/credits/success',
  });
});

await waits(async () => {
  const session = await client.checkoutSessions.create({
    product_cart: [ { product_id: 'prod_pro_with_credits', quantity: 1 } ],
    subscription_data: { trial_period_days: 14 },
    customer: { email: 'customer@example.com' },
    return_url: 'https://yourapp.com/success',
  });
});

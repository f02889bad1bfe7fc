// The three checkouts, as they stand, and what comes of them when the customer pays. The products that
// they name are there.
import { assert, client, has, holds, pay } from './dodo/lib.mjs';

const { items: [{ customer_id }] } = await client.customers.list({ email: 'customer@example.com' });
const status = async (session) => (await client.checkoutSessions.retrieve(session.session_id)).payment_status;
const cancel = async () => {
  for (const { subscription_id } of (await client.subscriptions.list({ customer_id, status: 'active', page_number: 0 })).items) {
    await client.subscriptions.update(subscription_id, { status: 'cancelled' });
  }
};

{
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

  const back = await pay(session.checkout_url);
  assert.equal(`${back.origin}${back.pathname}`, 'https://yourapp.com/success');
  assert.equal(await status(session), 'succeeded');
  assert.deepEqual(await holds(customer_id, 'cent_credit_id'), ['100000', '0']);
  await cancel();
}

{
  // Product: "500 API Credit Pack" with 500 credits attached
  const session = await client.checkoutSessions.create({
    product_cart: [ { product_id: 'prod_credit_pack_500', quantity: 1 } ],
    customer: { email: 'customer@example.com' },
    return_url: 'https://yourapp.com/credits/success',
  });

  await pay(session.checkout_url);
  assert.deepEqual(await holds(customer_id, 'cent_credit_id'), ['100500', '0']);
}

{
  const session = await client.checkoutSessions.create({
    product_cart: [ { product_id: 'prod_pro_with_credits', quantity: 1 } ],
    subscription_data: { trial_period_days: 14 },
    customer: { email: 'customer@example.com' },
    return_url: 'https://yourapp.com/success',
  });

  await pay(session.checkout_url);
  assert.deepEqual(await holds(customer_id, 'cent_credit_id'), ['110500', '0']);
  const { items: [trial] } = await client.subscriptions.list({ customer_id, status: 'active', page_number: 0 });
  has(trial, { trial_period_days: 14, recurring_pre_tax_amount: 4900, has_payment_method: true });
}

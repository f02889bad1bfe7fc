// What is not there says so at once: it is refused, and not dropped.
import { DodoPayments, assert, client, monthly, refused } from './dodo/lib.mjs';

const { InternalServerError, NotFoundError } = DodoPayments;
const { customer_id } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const { product_id } = await client.products.create({ name: 'Plan', tax_category: 'saas', price: monthly(100) });
const subscribe = (change) => client.subscriptions.create({ product_id, quantity: 1, customer: { customer_id }, billing: { country: 'CH' }, ...change });
for (const [call, says] of [
  [() => client.customers.wallets.ledgerEntries.create(customer_id, { amount: 1, currency: 'USD', entry_type: 'credit' }), /no money/],
  [() => subscribe({ addons: [{ addon_id: 'adn_1', quantity: 1 }] }), /add-ons/],
  [() => subscribe({ discount_codes: ['SPRING'] }), /discount codes/],
  [() => subscribe({ one_time_product_cart: [{ product_id, quantity: 1 }] }), /one_time_product_cart/],
]) {
  const err = await refused(call, 501, InternalServerError, 'NOT_IMPLEMENTED');
  assert.match(err.message, says);
}
await refused(() => client.get('/brands/b'), 404, NotFoundError, 'NOT_FOUND');

// Calls that wait for payments: what changes something says so, once; lists are empty.
import { DodoPayments, all, assert, client, refused } from './dodo/lib.mjs';

const { InternalServerError, NotFoundError } = DodoPayments;
const { customer_id: ada } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });

for (const call of [
  () => client.checkoutSessions.create({ product_cart: [{ product_id: 'pdt_1', quantity: 1 }] }),
  () => client.checkoutSessions.preview({ product_cart: [{ product_id: 'pdt_1', quantity: 1 }] }),
  () => client.subscriptions.charge('sub_1', { product_price: 100 }),
  () => client.subscriptions.updatePaymentMethod('sub_1', { payment_method: { type: 'new' } }),
  () => client.payments.create({ product_cart: [], customer: { customer_id: ada }, billing: { country: 'CH' } }),
  () => client.refunds.create({ payment_id: 'pay_1' }),
  () => client.customers.wallets.list(ada),
  () => client.customers.wallets.ledgerEntries.create(ada, { amount: 1, currency: 'USD', entry_type: 'credit' }),
  () => client.customers.customerPortal.create(ada),
  () => client.customers.retrievePaymentMethods(ada),
]) {
  const err = await refused(call, 501, InternalServerError, 'NOT_IMPLEMENTED');
  assert.match(err.message, /waits for/);
}
for (const list of [client.payments, client.refunds]) assert.deepEqual(await all(list.list()), []);
for (const call of [
  () => client.payments.retrieve('pay_1'),
  () => client.refunds.retrieve('ref_1'),
  () => client.checkoutSessions.retrieve('cks_1'),
  () => client.get('/brands/b'),
]) await refused(call, 404, NotFoundError, 'NOT_FOUND');

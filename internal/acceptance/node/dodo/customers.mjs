// Customers (dodo.md section 12).
import { DodoPayments, all, assert, client, refused } from './dodo/lib.mjs';

const { NotFoundError, UnprocessableEntityError } = DodoPayments;

const ada = await client.customers.create({
  email: 'Ada@example.test', name: 'Ada Lovelace', phone_number: '+44 20', metadata: { plan: 'pro', seats: 3, trial: false },
});
assert.match(ada.customer_id, /^cus_/);
assert.equal(ada.email, 'Ada@example.test');
assert.deepEqual(ada.metadata, { plan: 'pro', seats: '3', trial: 'false' });
assert.deepEqual(await client.customers.retrieve(ada.customer_id), ada);

const changed = await client.customers.update(ada.customer_id, { name: 'Countess', phone_number: null });
assert.deepEqual(changed, { ...ada, name: 'Countess', phone_number: null });
assert.deepEqual(await client.customers.update(ada.customer_id, { email: null, metadata: null }), { ...changed, metadata: {} });

const bob = await client.customers.create({ email: 'bob@example.test', name: 'Bob' });
const ids = async (query) => (await all(client.customers.list(query))).map((c) => c.customer_id);
assert.deepEqual(await ids({ email: 'ada@EXAMPLE.test' }), [ada.customer_id]);
assert.deepEqual(await ids({ name: 'count' }), [ada.customer_id]);
assert.deepEqual(await ids({ name: 'nobody' }), []);
assert.deepEqual(await ids({ created_at_gte: bob.created_at, email: 'bob@example.test' }), [bob.customer_id]);
assert.deepEqual(await ids({ created_at_lte: bob.created_at, email: 'bob@example.test' }), [bob.customer_id]);
assert.deepEqual(await ids({ created_at_gte: '2999-01-01T00:00:00Z' }), []);

await refused(() => client.customers.create({ email: 'nowhere', name: 'N' }), 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS');
await refused(() => client.customers.create({ email: 'a@b.c' }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => client.customers.create({ email: 'a@b.c', name: 'N', metadata: { deep: { er: 1 } } }), 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY');
await refused(() => client.customers.retrieve('cus_none'), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.customers.update('cus_none', { name: 'N' }), 404, NotFoundError, 'NOT_FOUND');
await refused(() => client.customers.listCreditEntitlements('cus_none'), 404, NotFoundError, 'NOT_FOUND');

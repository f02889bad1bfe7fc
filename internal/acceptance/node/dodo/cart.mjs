// What is in a cart: several products, other amounts, a price of the buyer's, and what is refused.
import { DodoPayments, assert, client, has, holds, monthly, oneTime, pay, refused } from './dodo/lib.mjs';

const { NotFoundError, UnprocessableEntityError, BadRequestError, InternalServerError } = DodoPayments;
const credit = (name, change) => client.creditEntitlements.create({ name, unit: name, precision: 0, rollover_enabled: false, overage_enabled: false, ...change });
const tokens = await credit('token');
const images = await credit('image', { precision: 1 });
const make = (name, price, ...credits) => client.products.create({
  name, tax_category: 'digital_products', price, credit_entitlements: credits.map(([c, credits_amount]) => ({ credit_entitlement_id: c.id, credits_amount })),
});
const small = await make('Small', oneTime(1000), [tokens, '100']);
const big = await make('Big', oneTime(9000, { discount_bps: 1000 }), [tokens, '1000'], [images, '7.5']);
const book = await make('Book', oneTime(500));
const gift = await make('Gift', oneTime(100, { pay_what_you_want: true, suggested_price: 700 }), [tokens, '10']);
const free = await make('Free', oneTime(0), [tokens, '5']);
const euros = await make('Euros', oneTime(100, { currency: 'EUR' }));
const plan = await make('Plan', monthly(2000, { trial_period_days: 0 }), [tokens, '300']);
const { customer_id } = await client.customers.create({ email: 'ada@example.test', name: 'Ada' });
const line = (product, quantity = 1, change) => ({ product_id: product.product_id, quantity, ...change });
const open = (product_cart, change) => client.checkoutSessions.create({ product_cart, customer: { customer_id }, ...change });
const paymentOf = async (session) => client.payments.retrieve((await client.checkoutSessions.retrieve(session.session_id)).payment_id);

// A preview writes nothing, and needs nobody.
const preview = await client.checkoutSessions.preview({ product_cart: [line(small, 2), line(big)], billing_address: { country: 'CH' } });
has(preview, { total_price: 2000 + 8100, currency: 'USD', billing_country: 'CH', is_byop: false, payment_method_required: true, recurring_breakup: null });
assert.deepEqual(preview.current_breakup, { subtotal: 11000, discount: 900, total_amount: 10100, tax: 0 });
has(preview.product_cart[1], { og_price: 9000, discounted_price: 8100, quantity: 1, is_subscription: false, meters: [] });
assert.deepEqual(preview.product_cart[1].credit_entitlements, [
  { credit_entitlement_id: tokens.id, credit_entitlement_name: 'token', credit_entitlement_unit: 'token', credits_amount: '1000' },
  { credit_entitlement_id: images.id, credit_entitlement_name: 'image', credit_entitlement_unit: 'image', credits_amount: '7.5' },
]);
const monthlyPreview = await client.checkoutSessions.preview({ product_cart: [line(plan, 3)], subscription_data: { trial_period_days: 14 } });
has(monthlyPreview, { total_price: 0, trial_period_days: 14, payment_method_required: true });
assert.equal(monthlyPreview.recurring_breakup.total_amount, 6000);
has(monthlyPreview.subscriptions[0], { product_id: plan.product_id, amount_due_now: 0, recurring_amount: 6000, trial_period_days: 14 });

// Several products are one payment. What goes back of one of them takes its credits alone.
const several = await open([line(small, 2, { credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '150' }] }), line(big), line(book)]);
await pay(several.checkout_url);
assert.deepEqual(await holds(customer_id, tokens.id), ['1300', '0'], '2 x 150 instead of 2 x 100, and 1000');
assert.deepEqual(await holds(customer_id, images.id), ['7.5', '0']);
const paid = await paymentOf(several);
has(paid, { total_amount: 10600, product_cart: [small, big, book].map((p, i) => ({ product_id: p.product_id, quantity: i ? 1 : 2 })) });
const items = (await client.payments.retrieveLineItems(paid.payment_id)).items;
assert.deepEqual(items.map((i) => [i.items_id, i.amount, i.refundable_amount]), [[small.product_id, 2000, 2000], [big.product_id, 8100, 8100], [book.product_id, 500, 500]]);
const refund = (list) => client.refunds.create({ payment_id: paid.payment_id, items: list });
await refund([{ item_id: small.product_id, amount: 500 }, { item_id: book.product_id }]);
assert.deepEqual(await holds(customer_id, tokens.id), ['1225', '0'], 'a quarter of 300');
assert.deepEqual(await holds(customer_id, images.id), ['7.5', '0']);
await refused(() => refund([{ item_id: book.product_id }]), 422, UnprocessableEntityError, 'LINE_ITEM_FULLY_REFUNDED');
await refused(() => refund([{ item_id: small.product_id, amount: 1501 }]), 422, UnprocessableEntityError, 'REFUND_AMOUNT_EXCEEDS_PAID_AMOUNT');
await refused(() => refund([{ item_id: gift.product_id }]), 422, UnprocessableEntityError, 'LINE_ITEM_NOT_FOUND');
await refused(() => refund([{ item_id: small.product_id, amount: 0 }]), 422, UnprocessableEntityError, 'NOTHING_TO_REFUND');
await refund([{ item_id: big.product_id }]);
assert.deepEqual(await holds(customer_id, tokens.id), ['225', '0']);
assert.deepEqual(await holds(customer_id, images.id), ['0', '0']);
await client.refunds.create({ payment_id: paid.payment_id });
assert.deepEqual(await holds(customer_id, tokens.id), ['0', '0']);
has(await client.payments.retrieve(paid.payment_id), { refund_status: 'full' });

// The buyer says the price, or leaves it at what is suggested.
await pay((await open([line(gift, 1, { amount: 2500 })])).checkout_url);
await pay((await open([line(gift)])).checkout_url);
assert.deepEqual((await client.payments.list({ product_id: gift.product_id, page_number: 0 })).items.map((p) => p.total_amount), [700, 2500]);
assert.equal((await client.checkoutSessions.preview({ product_cart: [line(gift, 1, { amount: 300 })] })).is_byop, true);
await refused(() => open([line(gift, 1, { amount: 99 })]), 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS');
assert.deepEqual(await holds(customer_id, tokens.id), ['20', '0']);

// Nobody is asked to pay nothing: the way leads back at once.
const nothing = await open([line(free)], { return_url: 'https://app.example.test/' });
const there = new URL(nothing.checkout_url);
assert.deepEqual([there.host, there.searchParams.get('status')], ['app.example.test', 'succeeded']);
assert.deepEqual(await holds(customer_id, tokens.id), ['25', '0']);
const forFree = await client.payments.retrieve(there.searchParams.get('payment_id'));
has(forFree, { status: 'succeeded', total_amount: 0 });
await refused(() => client.refunds.create({ payment_id: forFree.payment_id }), 422, UnprocessableEntityError, 'ZERO_AMOUNT_PAYMENT_REFUND_NOT_ALLOWED');

// The older call has the same.
const direct = await client.payments.create({
  product_cart: [{ product_id: small.product_id, quantity: 1 }], customer: { email: 'bob@example.test', name: 'Bob' }, billing: { country: 'CH' },
  payment_link: true, metadata: { a: 1 },
});
has(direct, { total_amount: 1000, metadata: { a: '1' } });
assert.ok(Date.parse(direct.expires_on) > Date.now());
await pay(direct.payment_link);
assert.deepEqual(await holds(direct.customer.customer_id, tokens.id), ['100', '0']);

// Two customers with one address where that is wanted.
for (const always_create_new_customer of [false, true]) {
  await client.checkoutSessions.create({ product_cart: [line(small)], customer: { email: 'bob@example.test' }, feature_flags: { always_create_new_customer } });
}
assert.equal((await client.customers.list({ email: 'bob@example.test', page_number: 0 })).items.length, 2);

// Refusals.
const archived = await make('Old', oneTime(100));
await client.products.archive(archived.product_id);
const cheap = await make('Cheap', oneTime(1)); // less than can be charged
for (const [cart, status, type, code, change] of [
  [[], 422, UnprocessableEntityError, 'PRODUCT_CART_EMTPY'],
  [[line({ product_id: 'pdt_none' })], 404, NotFoundError, 'NOT_FOUND'],
  [[line(archived)], 422, UnprocessableEntityError, 'PRODUCT_IS_DELETED'],
  [[line(small, 0)], 422, UnprocessableEntityError, 'INVALID_QUANTITY'],
  [[line(small, 10001)], 422, UnprocessableEntityError, 'INVALID_QUANTITY'],
  [[line(small), line(euros)], 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS'],
  [[line(small), line(small)], 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS'],
  [[line(small), line(plan)], 422, UnprocessableEntityError, 'UNSUPPORTED_ACTION'],
  [[line(plan), line(plan)], 422, UnprocessableEntityError, 'UNSUPPORTED_ACTION'],
  [[line(small)], 422, UnprocessableEntityError, 'UNSUPPORTED_CURRENCY', { billing_currency: 'EUR' }],
  [[line(small)], 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS', { return_url: 'app://done' }],
  [[line(small)], 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS', { cancel_url: '/back' }],
  [[line(small)], 422, UnprocessableEntityError, 'INVALID_REQUEST_BODY', { customer: null }],
  [[line(small)], 422, UnprocessableEntityError, 'INVALID_REQUEST_PARAMETERS', { payment_method_id: 'pm_1' }],
  [[line(small)], 404, NotFoundError, 'NOT_FOUND', { payment_method_id: 'pm_1', confirm: true }],
  [[line(small)], 404, NotFoundError, 'NOT_FOUND', { customer: { customer_id: 'none' } }],
  [[line(small, 1, { credit_entitlements: [{ credit_entitlement_id: images.id, credits_amount: '5' }] })], 404, NotFoundError, 'NOT_FOUND'],
  [[line(small, 1, { credit_entitlements: [{ credit_entitlement_id: tokens.id, credits_amount: '0' }] })], 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS'],
  [[line(small, 1, { addons: [{ addon_id: 'adn_1', quantity: 1 }] })], 501, InternalServerError, 'NOT_IMPLEMENTED'],
  [[line(small)], 501, InternalServerError, 'NOT_IMPLEMENTED', { discount_codes: ['SPRING'] }],
  [[line(cheap)], 400, BadRequestError, 'INVALID_REQUEST_PARAMETERS'],
]) await refused(() => open(cart, change), status, type, code);

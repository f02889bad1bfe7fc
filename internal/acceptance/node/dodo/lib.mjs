// What the scripts of this folder share. DODO_PAYMENTS_BASE_URL and DODO_PAYMENTS_API_KEY say
// where the SDK calls, as they would in production.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { WebhookPayloadSchema } from '@dodopayments/core/schemas';
import DodoPayments from 'dodopayments';

export { assert, DodoPayments };

// sent counts the requests that left this process.
export const sent = { count: 0 };

export const client = new DodoPayments({
  fetch: (url, init) => {
    sent.count++;
    return fetch(url, init);
  },
});

// refused makes a call that must fail, with one request only unless more are expected, and checks
// status, class and code.
export async function refused(call, status, type, code, requests = 1) {
  const before = sent.count;
  const err = await call().then(
    (answer) => assert.fail(`no error but ${JSON.stringify(answer)}`),
    (err) => err,
  );
  assert.ok(err instanceof type, `${err.constructor.name}, not ${type.name}: ${err.stack}`);
  assert.equal(err.status, status);
  assert.equal(err.error.code, code, JSON.stringify(err.error));
  assert.ok(err.message.startsWith(`${status} `) && err.error.message, err.message);
  assert.equal(sent.count - before, requests, 'requests sent');
  return err;
}

// all collects what an iterator of the SDK yields.
export async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

// same compares what two lists have, whatever their order.
export function same(got, want, what) {
  assert.deepEqual([...got].sort(), [...want].sort(), what);
}

// until moves the server's clock to an instant, where the test lets it.
export async function until(instant) {
  const moved = await fetch(`${process.env.CLOCK}/?to=${encodeURIComponent(instant)}`, { method: 'POST' });
  assert.equal(moved.status, 200, `${instant}: ${await moved.text()}`);
}

// monthly is a price that is paid every month, for ten years.
export const monthly = (price, change) => ({
  type: 'recurring_price', currency: 'USD', price, discount: 0, purchasing_power_parity: false,
  payment_frequency_count: 1, payment_frequency_interval: 'Month', subscription_period_count: 10, subscription_period_interval: 'Year', ...change,
});

// metered is the same with meters.
export const metered = (price, meters, change) => {
  const { price: fixed_price, ...rest } = monthly(price, change);
  return { ...rest, type: 'usage_based_price', fixed_price, meters };
};

// has checks some fields of an object.
export function has(got, want, what = '') {
  for (const [field, value] of Object.entries(want)) assert.deepEqual(got[field], value, `${what} ${field}`);
}

// when compares instants however many decimals their seconds have.
export const when = (text) => text && new Date(text).toISOString();

// subscribe makes a customer who subscribes to a product, and returns their ids.
export async function subscribe(product_id, name, change) {
  const { customer_id } = await client.customers.create({ email: `${name}@example.test`, name });
  const { subscription_id } = await client.subscriptions.create({
    product_id, quantity: 1, customer: { customer_id }, billing: { country: 'CH' }, ...change,
  });
  return { customer_id, subscription_id };
}

// invoices are what a customer was invoiced, newest first, as Scrip's own interface has them: the
// vendor has none.
export async function invoices(customer) {
  const base = process.env.DODO_PAYMENTS_BASE_URL.replace('/dodo', '');
  const answer = await fetch(`${base}/v1/invoices?customer_id=${customer}`, { headers: { authorization: `Bearer ${process.env.DODO_PAYMENTS_API_KEY}` } });
  assert.equal(answer.status, 200);
  return (await answer.json()).data;
}

// totals are what they come to.
export const totals = async (customer) => (await invoices(customer)).map((i) => i.total);

// holds is what a customer has of a credit: balance and overage.
export async function holds(customer, credit) {
  const { balance, overage } = await client.creditEntitlements.balances.retrieve(customer, { credit_entitlement_id: credit });
  return [balance, overage];
}

// ledger is the types and amounts of a customer's entries, oldest first.
export async function ledger(customer, credit) {
  const { items } = await client.creditEntitlements.balances.listLedger(customer, { credit_entitlement_id: credit, page_number: 0, page_size: 100 });
  return items.reverse().map((e) => `${e.transaction_type} ${e.amount}`);
}

// debit takes credits by hand.
export const debit = (customer, credit, amount) => client.creditEntitlements.balances.createLedgerEntry(customer, {
  credit_entitlement_id: credit, entry_type: 'debit', amount,
});

// press is a click on a page of the sandbox, as a browser makes it: it sends the page's form, and
// returns where that leads.
export async function press(page, button, fields) {
  const shown = await (await fetch(page)).text();
  const [, token] = shown.match(/name="token" value="([^"]+)"/) ?? assert.fail(shown);
  const answer = await fetch(page, { method: 'POST', body: new URLSearchParams({ token, do: button, ...fields }), redirect: 'manual' });
  assert.equal(answer.status, 303, await answer.text());
  return new URL(answer.headers.get('location'), page);
}

// pay pays on a page with a test card.
export const pay = (page, number = '4242424242424242') => press(page, 'pay', { number });

// oneTime is a price that is paid once.
export const oneTime = (price, change) => ({ type: 'one_time_price', currency: 'USD', price, discount: 0, purchasing_power_parity: false, ...change });

// receiver is where webhooks arrive: each is verified by the SDK, unless the server's clock is not this
// machine's, and by the vendor's strict schemas. next waits for the one that matches.
export async function receiver(filter_types, clock = 'real') {
  const arrived = [];
  let wake = () => {};
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req.setEncoding('utf8')) body += part;
    res.end();
    arrived.push({ body, headers: req.headers });
    wake();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const hook = await client.webhooks.create({ url: `http://127.0.0.1:${server.address().port}/`, filter_types });
  const { secret: key } = await client.webhooks.retrieveSecret(hook.id);
  const known = [];
  const next = async (type, is = () => true) => {
    for (;;) {
      while (arrived.length) {
        const { body, headers } = arrived.shift();
        const event = clock === 'real' ? client.webhooks.unwrap(body, { headers, key }) : client.webhooks.unsafeUnwrap(body);
        const strict = WebhookPayloadSchema.safeParse(JSON.parse(body));
        assert.ok(strict.success, `${body}: ${strict.error}`);
        known.push(event);
      }
      const i = known.findIndex((e) => e.type === type && is(e.data));
      if (i >= 0) return known.splice(i, 1)[0];
      const late = setTimeout(() => assert.fail(`no ${type} but ${known.map((e) => e.type)}`), 300_000); // a busy machine is slow
      await new Promise((woken) => { wake = woken; });
      clearTimeout(late);
    }
  };
  return { next, known, close: () => server.close() };
}

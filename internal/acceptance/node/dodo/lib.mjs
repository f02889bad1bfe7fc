// What the scripts of this folder share. DODO_PAYMENTS_BASE_URL and DODO_PAYMENTS_API_KEY say
// where the SDK calls, as they would in production.
import assert from 'node:assert/strict';
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

// A customer buys on the pages of the sandbox, in a real browser. SCRIP_BASE_URL and SCRIP_API_KEY say
// which server sells, SHOP where the customer comes from and goes back to, CHROMIUM which browser.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const { SCRIP_BASE_URL: base, SCRIP_API_KEY: key, SHOP: shop, CHROMIUM: executablePath } = process.env;

async function call(method, path, body) {
  const answer = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const read = await answer.json();
  assert.ok(answer.ok, JSON.stringify(read));
  return read;
}

const checkout = (customer) =>
  call('POST', '/v1/checkout', {
    customer_id: customer,
    pack_id: 'starter',
    success_url: `${shop}/thanks?order={CHECKOUT_SESSION_ID}`,
    cancel_url: `${shop}/cart`,
  });

async function balance(customer) {
  const { data } = await call('GET', `/v1/customers/${customer}/balances`);
  return data.length === 0 ? 0 : Number(data[0].available);
}

const statusOf = async (order) => (await call('GET', `/v1/orders/${order.id}`)).status;

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const problems = [];
function watched(page) {
  page.setDefaultTimeout(120_000);
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('402') && problems.push(message.text()));
  return page;
}
const page = watched(await browser.newPage());

const pay = async (number) => {
  await page.getByLabel('Card number').fill(number);
  await page.getByRole('button', { name: 'Pay $9.00' }).click();
};
const thanked = (order) => page.waitForURL(`${shop}/thanks?order=${order.session_id}`);

// One after the other, each a customer of their own.
const stories = {
  async 'pays with the test card'() {
    const order = await checkout('ada');
    await page.goto(order.url);
    await pay('4242 4242 4242 4242');
    await thanked(order);
    assert.equal(await balance('ada'), 1000);
    await page.goto(order.url);
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    assert.equal(await page.getByLabel('Card number').count(), 0, 'it can be paid twice');
    const again = await checkout('ada');
    await page.goto(again.url);
    await pay('4242424242424242');
    await thanked(again);
    assert.equal(await balance('ada'), 2000);
  },

  async 'is declined, and pays then'() {
    const order = await checkout('bob');
    await page.goto(order.url);
    await pay('4000 0000 0000 0002');
    await page.getByRole('alert').filter({ hasText: 'declined' }).waitFor();
    assert.equal(await balance('bob'), 0);
    assert.equal(await statusOf(order), 'open');
    await pay('4242424242424242');
    await thanked(order);
    assert.equal(await balance('bob'), 1000);
  },

  async 'pays later'() {
    const order = await checkout('cleo');
    await page.goto(order.url);
    await page.getByLabel('Card number').fill('4242424242424242');
    await page.getByRole('button', { name: 'Pay later' }).click();
    await page.getByRole('heading', { name: 'On its way' }).waitFor();
    await page.getByRole('link', { name: 'Continue' }).click();
    await thanked(order);
    assert.equal(await balance('cleo'), 0);
    assert.equal(await statusOf(order), 'processing');
    await page.goto(order.url);
    await page.getByRole('button', { name: 'The money has arrived' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    assert.equal(await balance('cleo'), 1000);
  },

  async 'goes back without paying'() {
    const order = await checkout('dan');
    await page.goto(order.url);
    await page.getByRole('link', { name: 'Cancel and go back' }).click();
    await page.waitForURL(`${shop}/cart`);
    assert.equal(await balance('dan'), 0);
    assert.equal(await statusOf(order), 'open');
  },

  async 'is written to, and nobody sends letters'() {
    const reader = await browser.newContext({ httpCredentials: { username: '', password: key } });
    const outbox = watched(await reader.newPage());
    await outbox.goto(`${base}/outbox`);
    await outbox.getByText('No mail server is set').waitFor();
    const letter = outbox.getByRole('article').first();
    await letter.locator('iframe').contentFrame().getByText('$9.00').first().waitFor();
    await letter.locator('summary').click();
    await letter.locator('iframe').waitFor({ state: 'hidden' });
    await outbox.getByRole('link', { name: 'Sent', exact: true }).click();
    await outbox.getByText('No letter has been sent.').waitFor();
    await reader.close();
  },
};

try {
  for (const [name, story] of Object.entries(stories)) {
    await story().catch(async (error) => {
      throw new Error(`who ${name}: ${error.stack}\n${page.url()}\n${await page.content()}`);
    });
  }
  assert.deepEqual(problems, [], 'the pages complain');
} finally {
  await browser.close();
}
console.log(`${Object.keys(stories).length} customers`);

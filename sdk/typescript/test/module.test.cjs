// The package as CommonJS programs have it, and as a browser does: without anything of Node.
const assert = require('node:assert/strict');
const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');
const { createContext, runInContext } = require('node:vm');
const sdk = require('@scrip/sdk');

test('require and import give the same', async () => {
  assert.match(require.resolve('@scrip/sdk'), /cjs/);
  assert.deepEqual(Object.keys(sdk).sort(), Object.keys(await import('@scrip/sdk')).sort());
  const lib = await import('./lib.mjs');
  const k = await lib.newKit();
  const scrip = sdk.createClient({ apiKey: k.keys.live });
  await scrip.addCreditsDirectly({ userId: 'u', credits: 250, creditsType: 'bonus', reason: 'Welcome bonus' });
  assert.equal((await scrip.deductCreditsBonusFirst({ userId: 'u', credits: 40 })).creditsBalance, 210);
  await assert.rejects(scrip.deductCreditsBonusFirst({ userId: 'u', credits: 211 }), sdk.InsufficientCreditsError);
});

test('only what browsers have is used', async () => {
  const { newKit, baseUrl } = await import('./lib.mjs');
  const k = await newKit();
  await k.add('bonus', 5);
  const { token } = await k.post('/v1/customer-tokens', { customer_id: 'u' });
  const page = createContext({ fetch, AbortController, URLSearchParams, setTimeout, clearTimeout, crypto: globalThis.crypto, location: { origin: baseUrl } });
  const folder = join(__dirname, '../dist/cjs');
  const modules = {};
  const load = (name) => {
    if (modules[name]) return modules[name];
    const exports = modules[name] = {};
    runInContext(`(exports, require) => {${readFileSync(join(folder, name), 'utf8')}\n}`, page)(exports, (other) => load(other.replace(/^\.\//, '')));
    return exports;
  };
  const client = load('index.js').createClient({ apiKey: k.keys.publishable, customerToken: token });
  assert.equal((await client.getCredits('u')).creditsBonus, 5);
  assert.equal((await client.usage('u')).credits[0].remaining, 5);
});

test('nothing of Node is imported', () => {
  for (const kind of ['esm', 'cjs']) {
    for (const name of readdirSync(join(__dirname, '../dist', kind)).filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(join(__dirname, '../dist', kind, name), 'utf8');
      for (const [, from] of text.matchAll(/(?:from |require\(|import\()['"]([^'"]+)/g)) assert.match(from, /^\.\//, `${kind}/${name}`);
    }
  }
});

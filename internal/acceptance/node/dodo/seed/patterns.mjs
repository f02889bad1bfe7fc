// Next.js Integration and Common Patterns, corrected as in balances.mjs; the framework's own types
// are stood in for.
import { assert, client } from './dodo/lib.mjs';

const NextResponse = { json: (body, init) => ({ body, status: init?.status ?? 200 }) };

// Credit Balance API Route
async function GET(req) {
  const customerId = req.nextUrl.searchParams.get('customer_id');
  const creditId = req.nextUrl.searchParams.get('credit_id');

  if (!customerId || !creditId) { return NextResponse.json({ error: 'Missing parameters' }, { status: 400 }); }

  try {
    const balance = await client.creditEntitlements.balances.retrieve(customerId, { credit_entitlement_id: creditId });

    return NextResponse.json({
      available: balance.available_balance,
      overage: balance.overage_balance,
    });
  } catch (error) { return NextResponse.json({ error: error.message }, { status: 500 }); }
}

// Manual Credit Grant API Route
async function POST(req) {
  const { customerId, creditId, amount, description } = await req.json();

  try {
    const entry = await client.creditEntitlements.balances.createLedgerEntry(customerId, {
      credit_entitlement_id: creditId,
      type: 'credit',
      amount: amount.toString(),
      description,
      idempotency_key: `grant_${customerId}_${Date.now()}`,
    });

    return NextResponse.json({ success: true, balance_after: entry.balance_after });
  } catch (error) { return NextResponse.json({ error: error.message }, { status: 500 }); }
}

// Access Control Based on Credits
async function requireCredits(customerId, creditId) {
  try {
    const balance = await client.creditEntitlements.balances.retrieve(customerId, { credit_entitlement_id: creditId });
    const available = parseFloat(balance.available_balance);
    return available > 0;
  } catch { return false; }
}

// Promotional Credit Grants
async function grantPromoCredits(customerId, creditId, amount, promoCode) {
  await client.creditEntitlements.balances.createLedgerEntry(customerId, {
    credit_entitlement_id: creditId,
    type: 'credit',
    amount: amount.toString(),
    description: `Promotional credit: ${promoCode}`,
    idempotency_key: `promo_${promoCode}_${customerId}`, // Prevents double-granting
  });
}

const [who, what] = ['cus_abc123', 'cent_credit_id'];
assert.equal(await requireCredits(who, what), false);
const grant = await POST({ json: async () => ({ customerId: who, creditId: what, amount: 20, description: 'By hand' }) });
assert.deepEqual(grant, { body: { success: true, balance_after: '20' }, status: 200 });
assert.equal(await requireCredits(who, what), true);
await grantPromoCredits(who, what, 5, 'SPRING');
await grantPromoCredits(who, what, 5, 'SPRING');
const url = new URL(`http://app.test/api/credits/balance?customer_id=${who}&credit_id=${what}`);
assert.deepEqual(await GET({ nextUrl: url }), { body: { available: '25', overage: '0' }, status: 200 });
url.searchParams.set('customer_id', 'cus_none');
assert.equal((await GET({ nextUrl: url })).status, 500);

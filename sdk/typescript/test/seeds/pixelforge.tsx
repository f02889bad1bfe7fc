import { createClient } from '@scrip/sdk';

const vevee = createClient({ apiKey: process.env.VEVEE_SECRET_KEY! });

export async function generate(userId: string, prompt: string) {
  const { reservationId, allowed, reasons } = await vevee.reserve(
    userId,
    'image.gemini-3-1-flash-image-preview',
    1,
  );

  if (!allowed) {
    // reasons distinguishes 'plan_exhausted' (offer Upgrade)
    // vs 'plan_and_credits_exhausted' (offer Buy credits)
    return showOutOfQuotaUI(reasons);
  }

  try {
    const url = await callGeminiAPI(prompt);
    await vevee.commit(reservationId, { response: url });
  } catch (e) {
    await vevee.release(reservationId, { errorCode: 'provider_error' });
    // credits are refunded automatically to the exact balance row they came from
  }
}

export async function Remaining({ userId }: { userId: string }) {
  const u = await vevee.usage(userId, 'image.*');

  // Plan side
  const plan = u.counters[0]; // your "Images" limit group
  const planLeft = plan?.remaining ?? 0;

  // Credits side
  const creditsLeft = u.credits.reduce((acc, b) => acc + b.remaining, 0);

  return (
    <div>
      <span>{planLeft} on plan</span>
      {creditsLeft > 0 && <span>+ {creditsLeft} credits</span>}
    </div>
  );
}

export async function cancel(userId: string) {
  // In your cancellation flow
  await vevee.upsertSubscription({ userId, planId: 'free' });

  // Credits keep working - the matcher checks them after the (now smaller) free quota.
}

export async function refund(order: { aplBalanceId: string }) {
  // Look up the balance from the original grant - store balanceId on your order row
  await vevee.credits.revoke({
    balanceId: order.aplBalanceId,
    reason: 'stripe refund re_xxx',
  });
}

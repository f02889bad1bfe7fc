// app/api/billing/stripe-webhook/route.ts
import Stripe from 'stripe';
import { createClient } from '@scrip/sdk';

const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
const vevee = createClient({ apiKey: process.env.VEVEE_SECRET_KEY! });

export async function POST(req: Request) {
  const sig = req.headers.get('stripe-signature')!;
  const event = stripe.webhooks.constructEvent(
    await req.text(),
    sig,
    process.env.STRIPE_WEBHOOK_SECRET!,
  );

  if (event.type !== 'checkout.session.completed') {
    return Response.json({ ok: true });
  }

  const session = event.data.object as Stripe.Checkout.Session;
  const userId = session.metadata!.userId;
  const packId = session.metadata!.packId;

  // No quantity - each item in the pack carries its own configured amount.
  // The Creator Bundle issues two balances; Gemini Top-Up issues one.
  const result = await vevee.credits.grant({
    userId,
    packId,
    externalRef: session.id,        // <- idempotency: safe to retry
    source: 'purchase',
    notes: `stripe checkout ${session.id}`,
  });

  // result.balances has one entry per item the pack defines.
  return Response.json({ ok: true, balances: result.balances });
}

'use client';
import { createClient } from '@scrip/sdk';

const vevee = createClient({ apiKey: process.env.NEXT_PUBLIC_VEVEE_KEY! });

export function BuyCreditsCTA({ userId }: { userId: string }) {
  async function buy(packId: string) {
    // 1. Tell your backend to create a Stripe Checkout Session, passing packId + userId
    //    in metadata. Your route returns { url }.
    const res = await fetch('/api/billing/checkout', {
      method: 'POST',
      body: JSON.stringify({ packId, userId }),
    });
    const { url } = await res.json();
    window.location.href = url;
  }

  return (
    <div className="cta-row">
      <button onClick={() => buy('cpk_gemini_topup')}>+50 Gemini 3.1 - $4</button>
      <button onClick={() => buy('cpk_creator_bundle')}>Creator Bundle - $15</button>
    </div>
  );
}

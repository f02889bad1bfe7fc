import { topUp } from '@scrip/sdk';

export async function buy() {
  await topUp('credits_starter', {
    successUrl: `${window.location.origin}/dashboard/billings/credits?billing=success`,
    cancelUrl: `${window.location.origin}/dashboard/billings/credits?billing=cancel`,
  });
}

// Which plan a customer is on.
import type { components } from './wire.js';
import { amount, instant, type Amount, type Instant, type Metadata } from './values.js';
import type { CallOptions, Transport } from './transport.js';

type WireSubscription = components['schemas']['Subscription'];

export interface UpsertSubscriptionArgs {
  userId: string;
  /** Id or name of the plan. */
  planId: string;
  /** Quotas of this customer's own, by the id or label of what they limit. */
  customLimits?: Record<string, Amount>;
  endsAt?: Instant | null;
  /** Anchors the cycle to somebody else's billing; null returns to the plan's anchor. */
  cycleStart?: Instant | null;
  metadata?: Metadata;
}

export interface UpsertSubscriptionResult {
  subscriptionId: string;
  userId: string;
  planId: string;
  startedAt: string;
  cycleAnchorAt: string | null;
}

export interface CancelSubscriptionArgs {
  userId: string;
  /** Now when absent. */
  endsAt?: Instant;
  reason?: string;
}

export interface CancelSubscriptionResult {
  subscriptionId: string;
  userId: string;
  planId: string;
  endsAt: string | null;
}

/** The calls about subscriptions. */
export class Subscriptions {
  constructor(private readonly transport: Transport) {}

  /** Puts a customer on a plan. On the same plan already, it changes nothing but a scheduled end. */
  upsertSubscription = async (args: UpsertSubscriptionArgs, options: CallOptions = {}): Promise<UpsertSubscriptionResult> => {
    const limits = args.customLimits && Object.fromEntries(Object.entries(args.customLimits).map(([what, quota]) => [what, amount(quota)]));
    const s = await this.transport.post<WireSubscription>('/v1/subscriptions', {
      customer_id: args.userId, plan_id: args.planId, ends_at: instant(args.endsAt), cycle_start: instant(args.cycleStart),
      custom_limits: limits, metadata: args.metadata,
    }, options);
    return {
      subscriptionId: s.id, userId: s.customer_id, planId: s.plan_id, startedAt: s.started_at, cycleAnchorAt: s.cycle_anchor_at ?? null,
    };
  };

  /** Ends a customer's subscription, now or later. The customer's credits stay. */
  cancelSubscription = async (args: CancelSubscriptionArgs, options: CallOptions = {}): Promise<CancelSubscriptionResult> => {
    const s = await this.transport.post<WireSubscription>('/v1/subscriptions/cancel', {
      customer_id: args.userId, ends_at: instant(args.endsAt), reason: args.reason,
    }, options);
    return { subscriptionId: s.id, userId: s.customer_id, planId: s.plan_id, endsAt: s.ends_at ?? null };
  };
}

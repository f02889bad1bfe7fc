// What a customer holds, and may still use.
import { at, type CallOptions, type Transport } from './transport.js';
import { instant, number, type Instant } from './values.js';
import type { components } from './wire.js';

type Wire = components['schemas'];

/** A quota of the plan, as it stands in its period. */
export interface Counter {
  groupId: string;
  label: string;
  unit: string;
  /** The first of the patterns that it counts. */
  event: string;
  events: string[];
  quota: number;
  count: number;
  remaining: number;
  periodStart: string;
  /** null: never */
  resetsAt: string | null;
}

/** Credits that were given as one block, and what is left of them. */
export interface UsableBalance {
  balanceId: string;
  creditId: string;
  creditName: string;
  packId: string | null;
  packName: string | null;
  packItemId: string | null;
  /** The first of the patterns that it pays for; null when it pays for what names its credit. */
  event: string | null;
  events: string[];
  unit: string;
  granted: number;
  remaining: number;
  held: number;
  /** null: never */
  expiresAt: string | null;
  source: string;
  /** Lower is spent first. */
  priority: number;
  grantedAt: string;
}

/** What a customer may still use. */
export interface UsageResult {
  userId: string;
  /** null without a subscription; its end is null when it never ends. */
  period: { start: string; end: string | null } | null;
  counters: Counter[];
  /** In the order in which they are spent. */
  credits: UsableBalance[];
}

export interface Sums {
  available: number;
  held: number;
  frozen: number;
}

/** A customer's standing in one credit. balance = available + held + frozen. */
export interface CreditBalance extends Sums {
  creditId: string;
  creditName: string;
  unit: string;
  balance: number;
  overage: number;
  /** All that was ever deducted, less what was reversed. */
  used: number;
  paid: Sums;
  promotional: Sums;
}

export interface BalancesResult {
  userId: string;
  at: string;
  balances: CreditBalance[];
}

export interface BalancesOptions extends CallOptions {
  /** Id or name of one credit; all when absent. */
  creditId?: string;
  /** An earlier instant; now when absent. */
  at?: Instant;
}

/** The calls that read what a customer has. */
export class Reading {
  constructor(private readonly transport: Transport) {}

  /** What a customer may still use of an event, such as `image.render` or `image.*`; of all when absent. */
  usage = async (userId: string, event?: string, options: CallOptions = {}): Promise<UsageResult> => {
    const u = await this.transport.get<Wire['Usage']>('/v1/usage', { customer_id: userId, event }, options);
    return {
      userId: u.customer_id, period: u.period && { start: u.period.start, end: u.period.end },
      counters: u.counters.map(counter), credits: u.credits.map(usable),
    };
  };

  /** A customer's balances, now or at an earlier instant. */
  balances = async (userId: string, options: BalancesOptions = {}): Promise<BalancesResult> => {
    const query = { credit_id: options.creditId, at: instant(options.at) };
    const b = await this.transport.get<Wire['Balances']>(at('/v1/customers', userId, '/balances'), query, options);
    return { userId: b.customer_id, at: b.at, balances: b.data.map(credit) };
  };
}

/** Reads a counter. */
export function counter(c: Wire['Counter']): Counter {
  return {
    groupId: c.allowance_id, label: c.label, unit: c.unit, event: c.events[0] ?? '*', events: c.events, quota: number(c.quota),
    count: number(c.count), remaining: number(c.remaining), periodStart: c.period_start, resetsAt: c.resets_at,
  };
}

function usable(c: Wire['UsableCredit']): UsableBalance {
  return {
    balanceId: c.grant_id, creditId: c.credit_id, creditName: c.credit_name, packId: c.pack_id ?? null, packName: c.pack_name ?? null,
    packItemId: c.pack_item_id ?? null, event: c.events[0] ?? null, events: c.events, unit: c.unit, granted: number(c.granted),
    remaining: number(c.remaining), held: number(c.held), expiresAt: c.expires_at, source: c.source, priority: c.priority,
    grantedAt: c.granted_at,
  };
}

/** Reads a balance. */
export function credit(b: Wire['Balance']): CreditBalance {
  return {
    creditId: b.credit_id, creditName: b.credit_name, unit: b.unit, balance: number(b.balance), ...sums(b), overage: number(b.overage),
    used: number(b.used), paid: sums(b.by_category.paid), promotional: sums(b.by_category.promotional),
  };
}

function sums(s: Wire['Sums']): Sums {
  return { available: number(s.available), held: number(s.held), frozen: number(s.frozen) };
}

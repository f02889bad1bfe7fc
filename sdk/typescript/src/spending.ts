// Spending, holding and asking.
import { amount, number, type Amount, type Metadata } from './values.js';
import { counter, credit, type Counter, type CreditBalance } from './reading.js';
import type { CallOptions, Transport } from './transport.js';
import type { components } from './wire.js';

type Wire = components['schemas'];

/** What to do when the credits do not cover a charge. */
export type Shortfall = 'deny' | 'partial' | 'overage';

/** Why a use was denied. */
export type Reason =
  | 'no_subscription' | 'plan_exhausted' | 'plan_and_credits_exhausted' | 'credits_exhausted'
  | 'unmatched_event' | 'overage_limit_reached' | (string & {});

/** What is charged: an amount of one credit, or a quantity of an event. */
export interface Charge {
  userId: string;
  /** Id or name of the credit. */
  creditId?: string;
  amount?: Amount;
  event?: string;
  quantity?: Amount;
  metadata?: Metadata;
}

export interface DeductArgs extends Charge {
  shortfall?: Shortfall;
  reason?: string;
}

export interface ChargeOptions extends CallOptions {
  /** `deny` when absent. */
  shortfall?: Shortfall;
  reason?: string;
}

export interface ReserveOptions extends ChargeOptions {
  /** How long it is held; 60 seconds when absent. */
  ttlSeconds?: number;
}

export interface TrackOptions extends ChargeOptions {
  /** Kept with the event; cut at 32 KB. */
  response?: string;
}

/** What is told when a reservation is touched. */
export interface ClosingOptions extends CallOptions {
  reason?: string;
  errorCode?: string;
  /** Kept with the event; cut at 32 KB. */
  response?: string;
}

export interface CommitOptions extends ClosingOptions {
  /** Less or more than was reserved; all of it when absent. */
  quantity?: Amount;
  /** Draw what exceeds the reservation afresh. */
  allowMore?: boolean;
}

export interface ExtendOptions extends ClosingOptions {
  /** From now; 60 seconds when absent. */
  ttlSeconds?: number;
}

interface Answer {
  matched: boolean;
  /** Why it was denied; empty when it was not. */
  reasons: Reason[];
}

/** What a reservation came to. A denial is an answer, not an error. */
export type ReserveResult =
  | (Answer & { allowed: true; reservationId: string; expiresAt: string; taken: number; short: number })
  | (Answer & { allowed: false; reservationId?: undefined; expiresAt?: undefined; required: number; available: number });

/** A counter of the plan, as canUse tells it. */
export interface UseDetail {
  groupId: string;
  current: number;
  quota: number;
  resetsAt: string | null;
}

/** What a use would come to. Nothing was changed, and nothing is promised. */
export interface CanUseResult extends Answer {
  allowed: boolean;
  details: UseDetail[];
}

/** Credits set aside. */
export interface Reservation {
  reservationId: string;
  userId: string;
  status: 'pending' | 'committed' | 'released' | 'expired';
  event: string | null;
  creditId: string | null;
  reserved: number;
  committed: number;
  short: number;
  expiresAt: string;
  reason: string | null;
  errorCode: string | null;
  response: string | null;
}

export interface TrackResult {
  eventId: string;
  matchStatus: 'matched' | 'unmatched' | 'no_subscription';
  matchedGroupIds: string[];
  counters: Counter[];
  taken: number;
  short: number;
}

export interface DeductResult {
  /** Of the ledger; null when the plan covered all of it. */
  entryId: string | null;
  taken: number;
  short: number;
  /** Of every credit that was touched. */
  balances: CreditBalance[];
  counters: Counter[];
}

/** The calls that spend. */
export class Spending {
  constructor(private readonly transport: Transport) {}

  /** Sets credits aside until they are committed, released, or the time is up. */
  reserve = (userId: string, event: string, quantity?: Amount, metadata?: Metadata, options?: ReserveOptions): Promise<ReserveResult> =>
    this.hold({ userId, event, quantity, metadata }, options);

  /** Does the same for any charge: an amount of one credit, for example. */
  hold = async (charge: Charge, options: ReserveOptions = {}): Promise<ReserveResult> => {
    const body: Wire['ReserveRequest'] = { ...wire(charge, options), ttl_seconds: options.ttlSeconds };
    const d = await this.transport.post<Wire['Decision']>('/v1/reserve', body, options);
    const { matched, reasons } = d;
    if (!d.allowed) return { allowed: false, matched, reasons, required: number(d.required), available: number(d.available) };
    return {
      allowed: true, matched, reasons, taken: number(d.taken), short: number(d.short),
      reservationId: String(d.reservation_id), expiresAt: String(d.expires_at),
    };
  };

  /** Takes a reservation, or part of it. */
  commit = async (reservationId: string, options: CommitOptions = {}): Promise<Reservation> => {
    const body: Wire['CommitRequest'] = {
      ...closing(reservationId, options), amount: amount(options.quantity), allow_more: options.allowMore,
    };
    return reservation(await this.transport.post('/v1/commit', body, options));
  };

  /** Gives a reservation back to the very balances it came from. */
  release = async (reservationId: string, options: ClosingOptions = {}): Promise<Reservation> => {
    const body: Wire['ReleaseRequest'] = closing(reservationId, options);
    return reservation(await this.transport.post('/v1/release', body, options));
  };

  /** Moves a reservation's expiry. */
  extend = async (reservationId: string, options: ExtendOptions = {}): Promise<Reservation> => {
    const body: Wire['ExtendRequest'] = { ...closing(reservationId, options), ttl_seconds: options.ttlSeconds };
    return reservation(await this.transport.post('/v1/extend', body, options));
  };

  /** Records a use and charges it; `limit_reached` when it cannot. */
  track = async (
    userId: string, event: string, quantity?: Amount, metadata?: Metadata, options: TrackOptions = {},
  ): Promise<TrackResult> => {
    const body: Wire['TrackRequest'] = { ...wire({ userId, event, quantity, metadata }, options), response: options.response };
    const t = await this.transport.post<Wire['Tracked']>('/v1/track', body, options);
    return {
      eventId: t.event_id, matchStatus: t.match_status, matchedGroupIds: t.counters.map((c) => c.allowance_id),
      counters: t.counters.map(counter), taken: number(t.taken), short: number(t.short),
    };
  };

  /** Asks what a use would come to. */
  canUse = async (
    userId: string, event: string, quantity?: Amount, metadata?: Metadata, options: ChargeOptions = {},
  ): Promise<CanUseResult> => {
    const body: Wire['CanUseRequest'] = wire({ userId, event, quantity, metadata }, options);
    const d = await this.transport.post<Wire['Decision']>('/v1/can-use', body, options);
    const details = (d.counters ?? []).map((c) => ({
      groupId: c.allowance_id, current: number(c.count), quota: number(c.quota), resetsAt: c.resets_at,
    }));
    return { allowed: d.allowed, matched: d.matched, reasons: d.reasons, details };
  };

  /** Spends at once; throws InsufficientCreditsError when the credits do not cover it. */
  deduct = async (args: DeductArgs, options: CallOptions = {}): Promise<DeductResult> => {
    const body: Wire['DeductRequest'] = wire(args, args);
    const d = await this.transport.post<Wire['Deducted']>('/v1/deduct', body, options);
    return {
      entryId: d.entry?.id ?? null, taken: number(d.taken), short: number(d.short),
      balances: (d.balances ?? (d.balance ? [d.balance] : [])).map(credit), counters: (d.counters ?? []).map(counter),
    };
  };
}

function wire(charge: Charge, options: ChargeOptions) {
  return {
    customer_id: charge.userId, credit_id: charge.creditId, amount: amount(charge.amount), event: charge.event,
    quantity: amount(charge.quantity), metadata: charge.metadata, shortfall: options.shortfall, reason: options.reason,
  };
}

function closing(reservationId: string, options: ClosingOptions) {
  return {
    reservation_id: reservationId, reason: options.reason, error_code: options.errorCode, response: options.response,
  };
}

function reservation(r: Wire['Reservation']): Reservation {
  return {
    reservationId: r.id, userId: r.customer_id, status: r.status, event: r.event ?? null, creditId: r.credit_id ?? null,
    reserved: number(r.reserved), committed: number(r.committed), short: number(r.short), expiresAt: r.expires_at,
    reason: r.reason ?? null, errorCode: r.error_code ?? null, response: r.response ?? null,
  };
}

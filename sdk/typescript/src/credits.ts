// Giving credits, taking them back, and what became of them.
import { at, type CallOptions, type Transport } from './transport.js';
import { amount, instant, number, type Amount, type Instant, type Metadata } from './values.js';
import type { Reading, UsableBalance } from './reading.js';
import type { components } from './wire.js';

type Wire = components['schemas'];

/** A grant: a pack, whose items say what is granted, or an amount of one credit. */
export interface GrantArgs {
  userId: string;
  /** Id or name of the pack. */
  packId?: string;
  /** Id or name of the credit, instead of a pack. */
  creditId?: string;
  /** How much of the credit; a pack's items say it themselves. */
  quantity?: Amount;
  /** Granting the same under the same reference again changes nothing and returns what is there. */
  externalRef?: string;
  /** The default of the pack or credit when absent; null: never. */
  expiresAt?: Instant | null;
  /** `purchase` when absent. */
  source?: 'purchase' | 'grant' | 'refund' | 'manual';
  category?: 'paid' | 'promotional';
  notes?: string;
  metadata?: Metadata;
}

export interface GrantedBalance {
  balanceId: string;
  packItemId: string | null;
  creditId: string;
  remaining: number;
  /** null: never */
  expiresAt: string | null;
}

export interface GrantResult {
  /** One for each item of the pack. */
  balances: GrantedBalance[];
  /** Of the first balance. */
  balanceId: string;
  /** Of the first balance. */
  remaining: number;
  /** Of the first balance. */
  expiresAt: string | null;
  /** They were there already, under the same externalRef. */
  existing: boolean;
}

export interface RevokeArgs {
  balanceId: string;
  /** At most this much; all that is left when absent. */
  quantity?: Amount;
  reason?: string;
}

export interface RevokeResult {
  balanceId: string;
  /** All that was ever taken back of the balance. What was spent stays spent. */
  revoked: number;
  remaining: number;
}

/** One line of the ledger. Lines are never changed. */
export interface HistoryEntry {
  entryId: string;
  /** `credit_added`, `credit_deducted`, `hold_placed`, `revoked` and so on. */
  type: string;
  userId: string;
  creditId: string;
  /** Signed. */
  amount: number;
  balanceBefore: number;
  balanceAfter: number;
  /** What it changed in which balance. */
  slices: { balanceId: string; amount: number }[];
  /** The lines of one call share it. */
  operationId: string;
  referenceType: string | null;
  referenceId: string | null;
  reason: string | null;
  metadata: Record<string, string>;
  /** The key that called. */
  actor: string | null;
  createdAt: string;
}

export interface HistoryOptions extends CallOptions {
  creditId?: string;
  /** One type, or several with commas between. */
  type?: string;
  from?: Instant;
  to?: Instant;
  /** 50 when absent. */
  limit?: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

export interface HistoryPage {
  /** Newest first. */
  entries: HistoryEntry[];
  hasMore: boolean;
  nextCursor: string | null;
}

/** The calls about grants and the ledger. */
export class Credits {
  constructor(private readonly transport: Transport, private readonly reading: Reading, private readonly creditId: string) {}

  /** Gives a customer a pack, or an amount of one credit. */
  grant = async (args: GrantArgs, options: CallOptions = {}): Promise<GrantResult> => {
    const body: Wire['GrantRequest'] = {
      customer_id: args.userId, pack_id: args.packId, credit_id: args.creditId, amount: amount(args.quantity),
      external_ref: args.externalRef, expires_at: instant(args.expiresAt), source: args.source ?? 'purchase',
      category: args.category, reason: args.notes, metadata: args.metadata,
    };
    const made = await this.transport.post<Wire['Grants']>('/v1/grants', body, options);
    const [first, ...others] = made.grants.map(granted) as [GrantedBalance, ...GrantedBalance[]];
    return {
      balances: [first, ...others], balanceId: first.balanceId, remaining: first.remaining, expiresAt: first.expiresAt,
      existing: made.existing ?? false,
    };
  };

  /** Takes back what is left of a balance. */
  revoke = async (args: RevokeArgs, options: CallOptions = {}): Promise<RevokeResult> => {
    const body: Wire['RevokeRequest'] = { amount: amount(args.quantity), reason: args.reason };
    const g = await this.transport.post<Wire['Grant']>(at('/v1/grants', args.balanceId, '/revoke'), body, options);
    return { balanceId: g.id, revoked: number(g.revoked), remaining: number(g.available) };
  };

  /** A customer's balances that have something left, in the order in which they are spent. */
  list = async (userId: string, options: CallOptions = {}): Promise<UsableBalance[]> =>
    (await this.reading.usage(userId, undefined, options)).credits;

  /** What a customer can spend now of one credit; 0 for a customer who is not known. */
  balance = async (userId: string, options: CallOptions & { creditId?: string } = {}): Promise<number> => {
    const { balances } = await this.reading.balances(userId, { creditId: this.creditId, ...options });
    return balances[0]?.available ?? 0;
  };

  /** A customer's ledger, newest first, a page at a time. */
  history = async (userId: string, options: HistoryOptions = {}): Promise<HistoryPage> => {
    const query = {
      credit_id: options.creditId, type: options.type, from: instant(options.from), to: instant(options.to),
      limit: options.limit, cursor: options.cursor,
    };
    const page = await this.transport.get<Wire['PageEntry']>(at('/v1/customers', userId, '/ledger'), query, options);
    return { entries: page.data.map(entry), hasMore: page.has_more, nextCursor: page.next_cursor ?? null };
  };
}

/** What a grant is to those who were given it. */
export function granted(g: Wire['Grant']): GrantedBalance {
  return {
    balanceId: g.id, packItemId: g.pack_item_id ?? null, creditId: g.credit_id, remaining: number(g.available), expiresAt: g.expires_at,
  };
}

function entry(e: Wire['Entry']): HistoryEntry {
  return {
    entryId: e.id, type: e.type, userId: e.customer_id, creditId: e.credit_id, amount: number(e.amount),
    balanceBefore: number(e.balance_before), balanceAfter: number(e.balance_after),
    slices: e.slices.map((s) => ({ balanceId: s.grant_id, amount: number(s.amount) })), operationId: e.operation_id,
    referenceType: e.reference_type ?? null, referenceId: e.reference_id ?? null, reason: e.reason ?? null,
    metadata: e.metadata ?? {}, actor: e.actor ?? null, createdAt: e.effective_at,
  };
}

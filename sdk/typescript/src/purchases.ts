// What customers buy: checkout, orders, automatic top-ups, and the card that is kept. Money is in minor
// units, such as cents.
import { at, type CallOptions, type Transport } from './transport.js';
import { amount, instant, number, type Amount, type Instant, type Metadata } from './values.js';
import type { components } from './wire.js';

type Wire = components['schemas'];

/** What a customer wants to buy: one of a pack, an amount of a credit, a plan, an invoice, or only to save a card. */
export interface CheckoutArgs {
  userId: string;
  /** Kept with the customer. Receipts go there. */
  email?: string;
  /** Kept with the customer. */
  name?: string;
  /** Id or name of the pack. */
  packId?: string;
  /** How many of the pack or plan; one when absent. */
  quantity?: number;
  /** Id or name of the credit, with `amount`: at the credit's own price. */
  creditId?: string;
  /** Of credits. */
  amount?: Amount;
  /** Id or name of the plan. */
  planId?: string;
  trialDays?: number;
  invoiceId?: string;
  /** Keep the card for automatic top-ups and renewals; alone, only that is done. */
  saveCard?: boolean;
  /** Charge the card that is kept at once, instead of opening a page. */
  offSession?: boolean;
  /** Where the customer comes back to when they have paid. */
  successUrl?: string;
  /** And when they have not. */
  cancelUrl?: string;
  /** How long the page is open; a day when absent. */
  expiresInSeconds?: number;
  metadata?: Metadata;
}

/** One purchase, from checkout to payment to balances, refunds and disputes. */
export interface Order {
  orderId: string;
  userId: string;
  kind: Wire['Order']['kind'];
  status: Wire['Order']['status'];
  /** The pack, credit, plan or invoice. */
  itemId: string | null;
  description: string;
  quantity: number;
  /** What is expected. */
  amount: number;
  currency: string | null;
  /** What is granted once it is paid. */
  items: { creditId: string; amount: number; category: 'paid' | 'promotional' }[];
  /** The page on which it is paid, as long as that is open. */
  url: string | null;
  expiresAt: string | null;
  /** The payment provider's id of the page. */
  sessionId: string | null;
  /** And of the payment. */
  paymentId: string | null;
  lastDecline: { code: string; text: string; class: 'soft' | 'hard' | 'action_required'; at: string } | null;
  paid: number;
  refunded: number;
  refunds: OrderRefund[];
  dispute: 'open' | 'won' | 'lost' | null;
  /** What became of what was bought. */
  balances: { balanceId: string; creditId: string; amount: number; revoked: number }[];
  /** The receipt. */
  invoiceId: string | null;
  /** It was paid, and nothing was given for it: reason says why. Pay it back, or grant by hand. */
  unmet: boolean;
  reason: string | null;
  createdAt: string;
  paidAt: string | null;
  metadata: Metadata;
}

/** Money that goes back, or went. */
export interface OrderRefund {
  refundId: string;
  amount: number;
  status: 'asked' | 'pending' | 'succeeded' | 'failed';
  reason: string | null;
}

export interface ListOrdersOptions extends CallOptions {
  userId?: string;
  status?: Order['status'];
  kind?: Order['kind'];
  /** The payment provider's id of the page. */
  sessionId?: string;
  /** Only those that were paid and gave nothing for it. */
  unmet?: boolean;
  from?: Instant;
  to?: Instant;
  /** 50 when absent. */
  limit?: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

export interface OrdersPage {
  /** Newest first. */
  orders: Order[];
  hasMore: boolean;
  nextCursor: string | null;
}

export interface RefundArgs {
  orderId: string;
  /** All that is left when absent. */
  amount?: number;
  reason?: string;
  metadata?: Metadata;
}

/** What a refund would do, and what may fairly be paid back. */
export interface RefundPreview {
  orderId: string;
  currency: string;
  paid: number;
  refunded: number;
  /** At most this can be paid back. */
  refundable: number;
  /** What the unspent credits have cost: paying that back gives nothing away. */
  unspent: number;
  /** What the preview is about. */
  amount: number;
  balances: {
    balanceId: string; creditId: string; category: 'paid' | 'promotional'; amount: number; unspent: number; held: number;
    /** What the refund would take back. */
    wouldRevoke: number;
    /** And what it should take back besides, and was spent. */
    wouldMiss: number;
  }[];
}

/** Bounds on what is bought automatically; absent is no bound. Days and months are those of UTC. */
export interface TopUpCaps {
  dayCount?: number;
  dayAmount?: number;
  monthCount?: number;
  monthAmount?: number;
}

export interface SetAutoTopUpArgs {
  userId: string;
  /** Id or name of the credit. */
  creditId: string;
  /** Switching on says that the customer has agreed. */
  enabled: boolean;
  /** A balance that is strictly less is topped up. */
  threshold?: Amount;
  packId?: string;
  /** One when absent. */
  quantity?: number;
  caps?: TopUpCaps;
  metadata?: Metadata;
}

/** A customer's agreement that a pack is bought for them when a balance is low. */
export interface AutoTopUp {
  userId: string;
  creditId: string;
  enabled: boolean;
  threshold: number;
  packId: string;
  quantity: number;
  caps: TopUpCaps;
  consentAt: string | null;
  /** The charge that is under way. */
  orderId: string | null;
  /** Why it was switched off by itself. */
  offReason: string | null;
  day: { count: number; amount: number };
  month: { count: number; amount: number };
}

/** The card that is kept of a customer. */
export interface PaymentMethod {
  saved: boolean;
  /** Such as `visa •••• 4242`. */
  label: string | null;
  savedAt: string | null;
}

/** The calls about what is sold. */
export class Purchases {
  constructor(private readonly transport: Transport) {}

  /** Opens a page on which a customer pays: send them to its `url`. With `offSession` the card that is kept is charged. */
  checkout = async (args: CheckoutArgs, options: CallOptions = {}): Promise<Order> => {
    const body: Wire['CheckoutRequest'] = {
      customer_id: args.userId, email: args.email, name: args.name, pack_id: args.packId, quantity: args.quantity, credit_id: args.creditId,
      amount: amount(args.amount), plan_id: args.planId, trial_days: args.trialDays, invoice_id: args.invoiceId, save_card: args.saveCard,
      off_session: args.offSession, success_url: args.successUrl, cancel_url: args.cancelUrl, expires_in_seconds: args.expiresInSeconds,
      metadata: args.metadata,
    };
    return order(await this.transport.post<Wire['Order']>('/v1/checkout', body, options));
  };

  get = async (orderId: string, options: CallOptions = {}): Promise<Order> =>
    order(await this.transport.get<Wire['Order']>(at('/v1/orders', orderId, ''), {}, options));

  list = async (options: ListOrdersOptions = {}): Promise<OrdersPage> => {
    const query = {
      customer_id: options.userId, status: options.status, kind: options.kind, session_id: options.sessionId, unmet: options.unmet || undefined,
      from: instant(options.from), to: instant(options.to), limit: options.limit, cursor: options.cursor,
    };
    const page = await this.transport.get<Wire['PageOrder']>('/v1/orders', query, options);
    return { orders: page.data.map(order), hasMore: page.has_more, nextCursor: page.next_cursor ?? null };
  };

  /** Ends an order that is not paid, and closes its page. */
  cancel = async (orderId: string, options: CallOptions & { reason?: string } = {}): Promise<Order> =>
    order(await this.transport.post<Wire['Order']>(at('/v1/orders', orderId, '/cancel'), { reason: options.reason }, options));

  /** Pays back, in full or in part. Credits follow in proportion, as far as they are unspent. */
  refund = async (args: RefundArgs, options: CallOptions = {}): Promise<Order> => {
    const body: Wire['RefundRequest'] = { amount: args.amount, reason: args.reason, metadata: args.metadata };
    return order(await this.transport.post<Wire['Order']>(at('/v1/orders', args.orderId, '/refund'), body, options));
  };

  /** What that would take back, and what may fairly be paid back. Changes nothing. */
  refundPreview = async (orderId: string, options: CallOptions & { amount?: number } = {}): Promise<RefundPreview> => {
    const path = at('/v1/orders', orderId, '/refund-preview');
    const p = await this.transport.get<Wire['RefundPreview']>(path, { amount: options.amount }, options);
    return {
      orderId: p.order_id, currency: p.currency, paid: p.paid, refunded: p.refunded, refundable: p.refundable, unspent: p.unspent,
      amount: p.amount,
      balances: p.grants.map((g) => ({
        balanceId: g.grant_id, creditId: g.credit_id, category: g.category, amount: number(g.amount), unspent: number(g.unspent),
        held: number(g.held), wouldRevoke: number(g.would_revoke), wouldMiss: number(g.would_miss),
      })),
    };
  };

  /** Agrees on automatic top-ups of a credit, or changes what was agreed. The customer needs a saved card. */
  setAutoTopUp = async (args: SetAutoTopUpArgs, options: CallOptions = {}): Promise<AutoTopUp> => {
    const caps = args.caps ?? {};
    const body: Wire['SetAutoTopUp'] = {
      credit_id: args.creditId, enabled: args.enabled, threshold: amount(args.threshold), pack_id: args.packId, quantity: args.quantity,
      caps: { day_count: caps.dayCount, day_amount: caps.dayAmount, month_count: caps.monthCount, month_amount: caps.monthAmount },
      metadata: args.metadata,
    };
    return autoTopUp(await this.transport.put<Wire['AutoTopUp']>(at('/v1/customers', args.userId, '/auto-top-ups'), body, options));
  };

  listAutoTopUps = async (userId: string, options: CallOptions = {}): Promise<AutoTopUp[]> =>
    (await this.transport.get<Wire['PageAutoTopUp']>(at('/v1/customers', userId, '/auto-top-ups'), {}, options)).data.map(autoTopUp);

  getPaymentMethod = async (userId: string, options: CallOptions = {}): Promise<PaymentMethod> =>
    paymentMethod(await this.transport.get<Wire['PaymentMethod']>(at('/v1/customers', userId, '/payment-method'), {}, options));

  /** Forgets the card, and ends what would be charged to it. */
  forgetPaymentMethod = async (userId: string, options: CallOptions = {}): Promise<PaymentMethod> =>
    paymentMethod(await this.transport.post<Wire['PaymentMethod']>(at('/v1/customers', userId, '/payment-method/forget'), {}, options));
}

function order(o: Wire['Order']): Order {
  const decline = o.last_decline;
  return {
    orderId: o.id ?? '', userId: o.customer_id, kind: o.kind, status: o.status, itemId: o.item_id ?? null, description: o.description,
    quantity: o.quantity, amount: o.amount, currency: o.currency ?? null,
    items: (o.items ?? []).map((i) => ({ creditId: i.credit_id, amount: number(i.amount), category: i.category })),
    url: o.url ?? null, expiresAt: o.expires_at ?? null, sessionId: o.session_id ?? null, paymentId: o.payment_id ?? null,
    lastDecline: decline ? { code: decline.code, text: decline.text ?? '', class: decline.class, at: decline.at } : null,
    paid: o.paid ?? 0, refunded: o.refunded ?? 0,
    refunds: (o.refunds ?? []).map((r) => ({ refundId: r.id, amount: r.amount, status: r.status, reason: r.reason ?? null })),
    dispute: o.dispute ?? null,
    balances: (o.grants ?? []).map((g) => ({
      balanceId: g.grant_id, creditId: g.credit_id, amount: number(g.amount), revoked: number(g.revoked),
    })),
    invoiceId: o.invoice_id ?? null, unmet: o.unmet ?? false, reason: o.reason ?? null, createdAt: o.created_at, paidAt: o.paid_at ?? null, metadata: o.metadata ?? {},
  };
}

function autoTopUp(t: Wire['AutoTopUp']): AutoTopUp {
  const { day_count: dayCount, day_amount: dayAmount, month_count: monthCount, month_amount: monthAmount } = t.caps;
  const spent = (s: { count: number; amount: number }) => ({ count: s.count, amount: s.amount });
  return {
    userId: t.customer_id, creditId: t.credit_id, enabled: t.enabled, threshold: number(t.threshold), packId: t.pack_id, quantity: t.quantity,
    caps: { dayCount, dayAmount, monthCount, monthAmount }, consentAt: t.consent_at ?? null, orderId: t.order_id ?? null,
    offReason: t.off_reason ?? null, day: spent(t.day), month: spent(t.month),
  };
}

function paymentMethod(m: Wire['PaymentMethod']): PaymentMethod {
  return { saved: m.saved, label: m.label ?? null, savedAt: m.saved_at ?? null };
}

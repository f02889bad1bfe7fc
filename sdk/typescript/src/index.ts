// What the package exports.
import { environmentClient } from './client.js';
import type { AddCreditsArgs, CreditsState, DeductCreditsArgs } from './bonus.js';
import type { GrantResult } from './credits.js';
import type { CallOptions } from './transport.js';

export { createClient, type Client, type ClientOptions } from './client.js';
export { InsufficientCreditsError, ScripError } from './errors.js';
export type { AddCreditsArgs, CreditsState, DeductCreditsArgs } from './bonus.js';
export { createCheckout, type Buyer, type CreateCheckoutOptions } from './route.js';
export { topUp, type TopUpItem, type TopUpOptions } from './topup.js';
export type { RedeemResult } from './codes.js';
export type {
  GrantArgs, GrantedBalance, GrantResult, HistoryEntry, HistoryOptions, HistoryPage, RevokeArgs, RevokeResult,
} from './credits.js';
export type { RegisterCustomerArgs, RegisteredCustomer } from './customers.js';
export type {
  AutoTopUp, CheckoutArgs, ListOrdersOptions, Order, OrderRefund, OrdersPage, PaymentMethod, RefundArgs, RefundPreview, SetAutoTopUpArgs,
  TopUpCaps,
} from './purchases.js';
export type { BalancesOptions, BalancesResult, Counter, CreditBalance, Sums, UsableBalance, UsageResult } from './reading.js';
export type {
  CanUseResult, Charge, ChargeOptions, ClosingOptions, CommitOptions, DeductArgs, DeductResult, ExtendOptions, Reason, Reservation,
  ReserveOptions, ReserveResult, Shortfall, TrackOptions, TrackResult, UseDetail,
} from './spending.js';
export type {
  CancelSubscriptionArgs, CancelSubscriptionResult, UpsertSubscriptionArgs, UpsertSubscriptionResult,
} from './subscriptions.js';
export type { CallOptions } from './transport.js';
export type { Amount, Instant, Metadata } from './values.js';

/** Adds credits without a payment, through the client that the environment describes. */
export const addCreditsDirectly = (args: AddCreditsArgs, options?: CallOptions): Promise<GrantResult> =>
  environmentClient().addCreditsDirectly(args, options);

/** Spends bonus credits first, through the client that the environment describes. */
export const deductCreditsBonusFirst = (args: DeductCreditsArgs, options?: CallOptions): Promise<CreditsState> =>
  environmentClient().deductCreditsBonusFirst(args, options);

/** What a page shows of a customer's credits, through the client that the environment describes. */
export const getCredits = (userId: string, options?: CallOptions): Promise<CreditsState> => environmentClient().getCredits(userId, options);

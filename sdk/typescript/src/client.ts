// A client of one server, under one key.
import { Bonus } from './bonus.js';
import { Codes } from './codes.js';
import { Credits } from './credits.js';
import { Customers } from './customers.js';
import { ScripError } from './errors.js';
import { Purchases } from './purchases.js';
import { Reading } from './reading.js';
import { Spending } from './spending.js';
import { Subscriptions } from './subscriptions.js';
import { topUp, type TopUpItem, type TopUpOptions } from './topup.js';
import { Transport } from './transport.js';

export interface ClientOptions {
  /** A secret key (`sk_...`), on a server; a publishable one (`pk_...`) reads one customer in a browser. */
  apiKey: string;
  /** Where Scrip is. SCRIP_BASE_URL of the environment when absent, in a browser the page's own origin. */
  baseUrl?: string;
  /** What a publishable key needs to read its customer, or a function that fetches it. */
  customerToken?: string | (() => string | Promise<string>);
  /** Id or name of the credit that bonus and purchased credits are of. SCRIP_CREDIT, or `credits`, when absent. */
  creditId?: string;
  /** How often a call is sent again when it may not have arrived; 2 when absent. */
  retries?: number;
  /** Bounds one sending of a call; 30 seconds when absent. */
  timeoutMs?: number;
  /** The route of your backend that `topUp` asks; `/api/checkout` when absent. */
  checkoutPath?: string;
  /** Sends the requests instead of the global fetch. */
  fetch?: typeof fetch;
}

export type Client = ReturnType<typeof createClient>;

/** Makes a client. It opens nothing and can be used for any number of calls at once. */
export function createClient(options: ClientOptions) {
  const baseUrl = options.baseUrl ?? environment('SCRIP_BASE_URL') ?? globalThis.location?.origin;
  if (!options.apiKey) throw missing('apiKey', 'SCRIP_KEY');
  if (!baseUrl) throw missing('baseUrl', 'SCRIP_BASE_URL');
  const transport = new Transport({ ...options, baseUrl });
  const reading = new Reading(transport);
  const spending = new Spending(transport);
  const creditId = options.creditId ?? environmentCredit();
  const credits = new Credits(transport, reading, creditId);
  const subscriptions = new Subscriptions(transport);
  const codes = new Codes(transport);
  const bonus = new Bonus(creditId, credits, spending, reading);
  const purchases = new Purchases(transport);
  const { registerCustomer } = new Customers(transport);
  const { reserve, hold, commit, release, extend, track, canUse, deduct } = spending;
  const { usage, balances } = reading;
  const { grant, revoke, list, history, balance } = credits;
  const { upsertSubscription, cancelSubscription } = subscriptions;
  const { redeemCode } = codes;
  const { addCreditsDirectly, deductCreditsBonusFirst, getCredits } = bonus;
  const { checkout } = purchases;
  return {
    reserve, hold, commit, release, extend, track, canUse, deduct, usage, balances,
    upsertSubscription, cancelSubscription, redeemCode, addCreditsDirectly, deductCreditsBonusFirst, getCredits,
    registerCustomer, checkout,
    /** Buys from a page, through a route of your backend. */
    topUp: (item: TopUpItem, more: TopUpOptions = {}) => topUp(item, { checkoutPath: options.checkoutPath, ...more }, options.fetch),
    credits: { grant, revoke, list, history, balance },
    orders: {
      get: purchases.get, list: purchases.list, cancel: purchases.cancel, refund: purchases.refund, refundPreview: purchases.refundPreview,
    },
    autoTopUp: { set: purchases.setAutoTopUp, list: purchases.listAutoTopUps },
    paymentMethod: { get: purchases.getPaymentMethod, forget: purchases.forgetPaymentMethod },
  };
}

let shared: Client | undefined;

/** The client that the environment describes: SCRIP_KEY and SCRIP_BASE_URL. */
export function environmentClient(): Client {
  return shared ??= createClient({ apiKey: environment('SCRIP_KEY') ?? '' });
}

/** The credit that calls are about which name none. */
export function environmentCredit(): string {
  return environment('SCRIP_CREDIT') ?? 'credits';
}

/** Reads a variable of the environment, where there is one. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}

function missing(option: string, variable: string): ScripError {
  return new ScripError('invalid_config', `${option} is missing: pass it, or set ${variable}`, { status: 0, field: option });
}

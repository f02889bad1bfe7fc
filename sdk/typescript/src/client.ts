// A client of one server, under one key.
import { Bonus } from './bonus.js';
import { Codes } from './codes.js';
import { Credits } from './credits.js';
import { ScripError } from './errors.js';
import { Reading } from './reading.js';
import { Spending } from './spending.js';
import { Subscriptions } from './subscriptions.js';
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
  const credits = new Credits(transport, reading);
  const subscriptions = new Subscriptions(transport);
  const codes = new Codes(transport);
  const bonus = new Bonus(options.creditId ?? environment('SCRIP_CREDIT') ?? 'credits', credits, spending, reading);
  const { reserve, hold, commit, release, extend, track, canUse, deduct } = spending;
  const { usage, balances } = reading;
  const { grant, revoke, list, history } = credits;
  const { upsertSubscription, cancelSubscription } = subscriptions;
  const { redeemCode } = codes;
  const { addCreditsDirectly, deductCreditsBonusFirst, getCredits } = bonus;
  return {
    reserve, hold, commit, release, extend, track, canUse, deduct, usage, balances,
    upsertSubscription, cancelSubscription, redeemCode, addCreditsDirectly, deductCreditsBonusFirst, getCredits,
    credits: { grant, revoke, list, history },
  };
}

let shared: Client | undefined;

/** The client that the environment describes: SCRIP_KEY and SCRIP_BASE_URL. */
export function environmentClient(): Client {
  return shared ??= createClient({ apiKey: environment('SCRIP_KEY') ?? '' });
}

/** Reads a variable of the environment, where there is one. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}

function missing(option: string, variable: string): ScripError {
  return new ScripError('invalid_config', `${option} is missing: pass it, or set ${variable}`, { status: 0, field: option });
}

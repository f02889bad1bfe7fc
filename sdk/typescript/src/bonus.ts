// One credit with two buckets: bonus credits, which go first, and purchased ones. Bonus goes first
// where the credit's draw order says so: promotional_first.
import { badArgument } from './errors.js';
import type { Credits, GrantResult } from './credits.js';
import type { CreditBalance, Reading } from './reading.js';
import type { Spending } from './spending.js';
import type { CallOptions } from './transport.js';
import type { Amount } from './values.js';

export interface AddCreditsArgs {
  userId: string;
  credits: Amount;
  /** `bonus` is given, `purchased` was paid for. */
  creditsType: 'bonus' | 'purchased';
  reason?: string;
  /** Adding again under the same reference changes nothing: a bonus for registration, for example. */
  externalRef?: string;
}

export interface DeductCreditsArgs {
  userId: string;
  credits: Amount;
  reason?: string;
}

/** What a page shows of a customer's credits. */
export interface CreditsState {
  /** What can be spent: purchased and bonus together. */
  creditsBalance: number;
  creditsPurchased: number;
  creditsBonus: number;
  /** All that was ever spent. */
  creditsUsed: number;
}

const categories = { bonus: 'promotional', purchased: 'paid' } as const;

/** The calls about bonus and purchased credits. */
export class Bonus {
  constructor(
    private readonly creditId: string, private readonly credits: Credits, private readonly spending: Spending, private readonly reading: Reading,
  ) {}

  /** Adds credits without a payment. */
  addCreditsDirectly = async (args: AddCreditsArgs, options: CallOptions = {}): Promise<GrantResult> => {
    const category = Object.hasOwn(categories, args.creditsType) ? categories[args.creditsType] : undefined;
    if (category === undefined) throw badArgument('creditsType', 'creditsType must be bonus or purchased');
    return this.credits.grant({
      userId: args.userId, creditId: this.creditId, quantity: args.credits, category, source: 'manual', notes: args.reason,
      externalRef: args.externalRef,
    }, options);
  };

  /** Spends bonus credits first, then purchased ones: all or nothing, and then InsufficientCreditsError. */
  deductCreditsBonusFirst = async (args: DeductCreditsArgs, options: CallOptions = {}): Promise<CreditsState> => {
    const d = await this.spending.deduct({
      userId: args.userId, creditId: this.creditId, amount: args.credits, reason: args.reason,
    }, options);
    return state(d.balances);
  };

  /** What a page shows; zeros for a customer who is not known. */
  getCredits = async (userId: string, options: CallOptions = {}): Promise<CreditsState> =>
    state((await this.reading.balances(userId, { ...options, creditId: this.creditId })).balances);
}

function state([balance]: CreditBalance[]): CreditsState {
  return {
    creditsBalance: balance?.available ?? 0, creditsPurchased: balance?.paid.available ?? 0,
    creditsBonus: balance?.promotional.available ?? 0, creditsUsed: balance?.used ?? 0,
  };
}

// Codes that customers redeem.
import type { components } from './wire.js';
import { granted, type GrantedBalance } from './credits.js';
import type { CallOptions, Transport } from './transport.js';

type Wire = components['schemas'];

export interface RedeemResult {
  codeId: string;
  /** What the code gave. */
  balances: GrantedBalance[];
  /** How often the code can still be redeemed; null where there is no bound. */
  usesLeft: number | null;
}

/** The calls about codes. */
export class Codes {
  constructor(private readonly transport: Transport) {}

  /**
   * Gives a customer what a code gives. The code of the error says why not: `code_not_found`,
   * `code_not_yet_valid`, `code_expired`, `code_used_up`, `code_already_redeemed`, `sales_off`.
   */
  redeemCode = async (userId: string, code: string, options: CallOptions = {}): Promise<RedeemResult> => {
    const body: Wire['RedeemCode'] = { customer_id: userId, code };
    const r = await this.transport.post<Wire['Redeemed']>('/v1/codes/redeem', body, options);
    return { codeId: r.code_id, balances: r.grants.map(granted), usesLeft: r.uses_left ?? null };
  };
}

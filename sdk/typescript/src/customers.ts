// Who has registered.
import { granted, type GrantedBalance } from './credits.js';
import type { CallOptions, Transport } from './transport.js';
import type { Metadata } from './values.js';
import type { components } from './wire.js';

type Wire = components['schemas'];

export interface RegisterCustomerArgs {
  userId: string;
  email?: string;
  name?: string;
  metadata?: Metadata;
}

export interface RegisteredCustomer {
  userId: string;
  email: string | null;
  name: string | null;
  /** What the sign-up bonus gave, now or before. */
  signupBonus: GrantedBalance[];
}

/** The calls about customers. */
export class Customers {
  constructor(private readonly transport: Transport) {}

  /** Says that somebody has registered. They get the sign-up bonus, once, however often this is called. */
  registerCustomer = async (args: RegisterCustomerArgs, options: CallOptions = {}): Promise<RegisteredCustomer> => {
    const body: Wire['RegisterCustomer'] = { id: args.userId, email: args.email, name: args.name, metadata: args.metadata };
    const c = await this.transport.post<Wire['Registered']>('/v1/customers', body, options);
    return { userId: c.id, email: c.email ?? null, name: c.name ?? null, signupBonus: (c.signup_bonus ?? []).map(granted) };
  };
}

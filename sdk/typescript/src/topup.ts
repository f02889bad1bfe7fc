// Buying from a page. The page holds no key that may sell, so it asks a route of its own backend, which
// createCheckout answers.
import { badArgument, refusal, ScripError, unreachable } from './errors.js';
import { newKey, parse, type CallOptions } from './transport.js';
import type { Amount } from './values.js';

/** A pack, by its id or name, or any amount of a credit that is sold that way. */
export type TopUpItem = string | {
  credits: Amount;
  /** SCRIP_CREDIT of the backend, or `credits`, when absent. */
  creditId?: string;
};

export interface TopUpOptions extends CallOptions {
  /** Where the customer comes back to when they have paid; the page that they are on, with billing=success, when absent. */
  successUrl?: string;
  /** And when they have not; the page that they are on, with billing=cancel, when absent. */
  cancelUrl?: string;
  /** The route of your backend that createCheckout answers; `/api/checkout` when absent. */
  checkoutPath?: string;
  /** false: the page stays where it is, and what is returned says where to go. */
  navigate?: boolean;
}

/** What a page asks its backend for. */
export interface TopUpRequest {
  packageId?: string;
  credits?: string;
  creditId?: string;
  successUrl?: string;
  cancelUrl?: string;
}

/** Opens a checkout for whoever is logged in, and goes to its page. Outside of a browser it only returns the page's address. */
export async function topUp(item: TopUpItem, options: TopUpOptions = {}, send: typeof fetch = fetch): Promise<{ url: string }> {
  const body: TopUpRequest = {
    ...(typeof item === 'string' ? { packageId: item } : { credits: String(item.credits), creditId: item.creditId }),
    successUrl: options.successUrl ?? comeBack('success'), cancelUrl: options.cancelUrl ?? comeBack('cancel'),
  };
  const { url } = await ask(options.checkoutPath ?? '/api/checkout', body, options, send);
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) {
    throw new ScripError('internal_error', 'the answer of the checkout route has no url of a page', { status: 0 });
  }
  if (options.navigate !== false) globalThis.location?.assign(url);
  return { url };
}

async function ask(path: string, body: TopUpRequest, options: CallOptions, send: typeof fetch): Promise<{ url?: unknown }> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'Idempotency-Key': options.idempotencyKey ?? newKey() };
  let response: Response;
  let text: string;
  try {
    response = await send(path, { method: 'POST', headers, body: JSON.stringify(body), signal: options.signal ?? null });
    text = await response.text();
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw unreachable(cause);
  }
  if (!response.ok) throw refusal(response.status, text);
  return (parse(text) ?? {}) as { url?: unknown };
}

/** The page that the customer is on, with how it went in its query. Earlier outcomes go; the fragment stays last. */
function comeBack(billing: 'success' | 'cancel'): string {
  const page = globalThis.location?.href;
  if (!page) throw badArgument(`${billing}Url`, `there is no page to come back to: pass ${billing}Url`);
  const [, before = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(page) ?? [];
  const others = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('billing='));
  return `${before}?${[...others, `billing=${billing}`].join('&')}${fragment}`;
}

// The route of a backend that sells to whoever is logged in: what topUp asks from a page.
import { environmentClient, environmentCredit } from './client.js';
import { badArgument, ScripError } from './errors.js';
import type { CheckoutArgs, Order } from './purchases.js';
import type { TopUpRequest } from './topup.js';
import type { CallOptions } from './transport.js';

/** Who buys, as your own session says. */
export interface Buyer {
  userId: string;
  /** Receipts go there. */
  email?: string;
  name?: string;
}

export interface CreateCheckoutOptions {
  /** Who is logged in: read it from your session, and nothing that the page could have made up. Nobody: null. */
  user: (request: Request) => Buyer | null | undefined | Promise<Buyer | null | undefined>;
  /** The client that the environment describes when absent. It needs a secret key. */
  client?: { checkout: (args: CheckoutArgs, options?: CallOptions) => Promise<Order> };
  /** Origins, besides that of the request, to which customers may come back: `https://shop.example.com`. */
  origins?: string[];
}

/**
 * Makes the route that topUp asks: a function from a Request to a Response, as Next.js, Remix, Hono, Deno and
 * Bun take it. Other frameworks call `checkout` of a client, and answer with `{ url }`.
 */
export function createCheckout(options: CreateCheckoutOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const client = options.client ?? environmentClient();
    const buyer = await options.user(request);
    if (!buyer) return refuse(new ScripError('invalid_key', 'log in to buy', { status: 401 }));
    const key = request.headers.get('Idempotency-Key');
    try {
      const args = { ...buyer, ...(await wanted(request, options.origins ?? [])) };
      const { url } = await client.checkout(args, key === null ? {} : { idempotencyKey: key });
      return answer(200, { url });
    } catch (error) {
      if (error instanceof ScripError) return refuse(hidden(error));
      throw error;
    }
  };
}

/** What is wrong between the backend and Scrip is not the page's business: it hears that it may try later, or not. */
function hidden(error: ScripError): ScripError {
  const { code, status } = error;
  const later = status === 0 || status >= 500;
  if (!later && ((status !== 401 && status !== 403) || code === 'sales_off')) return error;
  return new ScripError(code, 'the checkout cannot be opened now', { status: later ? 503 : 500 });
}

/** What the page may decide: what is bought, and where on this site its customer comes back to. */
async function wanted(request: Request, origins: string[]): Promise<Omit<CheckoutArgs, 'userId'>> {
  const body = (await request.json().catch(() => null)) as TopUpRequest | null;
  const { packageId, credits, creditId, successUrl, cancelUrl } = body ?? {};
  for (const [field, value] of Object.entries({ packageId, credits, creditId, successUrl, cancelUrl })) {
    if (value !== undefined && typeof value !== 'string') throw badArgument(field, `${field} must be text`);
  }
  if ((packageId === undefined) === (credits === undefined)) throw badArgument('packageId', 'say what is bought: packageId, or credits');
  const back = { successUrl: own(request, origins, 'successUrl', successUrl), cancelUrl: own(request, origins, 'cancelUrl', cancelUrl) };
  return packageId === undefined ? { creditId: creditId ?? environmentCredit(), amount: credits, ...back } : { packId: packageId, ...back };
}

/** Refuses an address that leads away: whoever pays should not end up on somebody else's site. */
function own(request: Request, origins: string[], field: string, address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw badArgument(field, `${field} is not an address`);
  }
  // Behind a proxy the request's own address may be another one. A page cannot set these headers.
  const hosts = [new URL(request.url).host, request.headers.get('Host'), request.headers.get('X-Forwarded-Host')];
  if (/^https?:$/.test(url.protocol) && (hosts.includes(url.host) || origins.includes(url.origin))) return address;
  throw badArgument(field, `${field} leads to ${url.origin}, which is not this site: list it in origins`);
}

function answer(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } });
}

function refuse({ status, code, message, field }: ScripError): Response {
  return answer(status, { status, code, detail: message, field });
}

// One call, as often as it has to be sent.
import { badArgument, refusal, ScripError, unreachable } from './errors.js';

/** How one call is made. */
export interface CallOptions {
  /** Makes the call happen once: sent again under the same key it gets the original answer. */
  idempotencyKey?: string;
  /** Ends the call, the waiting between retries included. */
  signal?: AbortSignal;
}

/** How all calls of a client are made. */
export interface TransportOptions {
  apiKey: string;
  baseUrl: string;
  customerToken?: string | (() => string | Promise<string>);
  retries?: number;
  timeoutMs?: number;
  fetch?: typeof fetch;
}

/** Parameters of a query; what is undefined is left out. */
export type Query = Record<string, string | number | boolean | undefined>;

// Pauses double, each shortened by chance so that many clients do not come back together.
const firstPauseMs = 100;
const longestPauseMs = 20_000;

/** Refusals with status 429 that stay what they are, however often they are asked. */
const lasting = ['limit_reached', 'workspace_limit_reached'];

export class Transport {
  private readonly base: string;
  private readonly retries: number;
  private readonly timeoutMs: number;
  private readonly fetch: typeof fetch;

  constructor(private readonly options: TransportOptions) {
    this.base = options.baseUrl.replace(/\/+$/, '');
    this.retries = options.retries ?? 2;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Reads. */
  get<Out>(path: string, query: Query, call: CallOptions = {}): Promise<Out> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const text = parameters.toString();
    return this.send('GET', text === '' ? path : `${path}?${text}`, {}, undefined, call.signal);
  }

  /** Changes something, once, however often it is sent. */
  post<Out>(path: string, body: object, call: CallOptions = {}): Promise<Out> {
    return this.change('POST', path, body, call);
  }

  /** Sets something, once as well. */
  put<Out>(path: string, body: object, call: CallOptions = {}): Promise<Out> {
    return this.change('PUT', path, body, call);
  }

  private change<Out>(method: string, path: string, body: object, call: CallOptions): Promise<Out> {
    const key = call.idempotencyKey ?? newKey();
    if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
      const about = { status: 400, field: 'Idempotency-Key' };
      throw new ScripError('idempotency_key_invalid', 'an idempotency key is 1 to 255 printable ASCII characters', about);
    }
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    return this.send(method, path, headers, JSON.stringify(body), call.signal);
  }

  private async send<Out>(
    method: string, path: string, more: Record<string, string>, body: string | undefined, signal: AbortSignal | undefined,
  ): Promise<Out> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.options.apiKey}`, Accept: 'application/json', ...more };
    const { customerToken } = this.options;
    const token = typeof customerToken === 'function' ? await customerToken() : customerToken;
    if (token !== undefined) headers['Scrip-Customer-Token'] = token;
    const init: RequestInit = { method, headers, redirect: 'error' };
    if (body !== undefined) init.body = body;
    for (let sent = 0, pause = firstPauseMs; ; sent++, pause = Math.min(2 * pause, longestPauseMs)) {
      const answer = await this.attempt(path, init, signal);
      if (!(answer instanceof Failure)) return answer.value as Out;
      if (!answer.passing || sent >= this.retries) throw answer.error;
      await sleep(Math.max(answer.afterMs, pause / 2 + Math.random() * (pause / 2)), signal);
    }
  }

  /** Sends a call once. */
  private async attempt(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<{ value: unknown } | Failure> {
    signal?.throwIfAborted();
    const attempt = new AbortController();
    const end = () => attempt.abort(signal?.reason);
    signal?.addEventListener('abort', end);
    const timer = setTimeout(() => attempt.abort(), this.timeoutMs);
    try {
      const response = await this.fetch(this.base + path, { ...init, signal: attempt.signal });
      const text = await response.text();
      if (response.ok) return { value: parse(text) };
      return new Failure(refusal(response.status, text), response.headers.get('Retry-After'));
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof ScripError) throw cause;
      return new Failure(unreachable(cause), null);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
  }
}

/** An attempt that did not succeed, and whether another one may. */
class Failure {
  readonly passing: boolean;
  readonly afterMs: number;

  constructor(readonly error: ScripError, retryAfter: string | null) {
    const { status, code } = error;
    this.passing = status === 0 || status === 408 || (status === 429 && !lasting.includes(code)) || (status >= 500 && status !== 501);
    // A number of seconds; a date would need a clock that agrees with the server's.
    const seconds = Number(retryAfter ?? 0);
    this.afterMs = seconds > 0 ? Math.min(seconds * 1000, longestPauseMs) : 0;
  }
}

/** Reads the body of an answer. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ScripError('internal_error', "the server's answer is not what this client reads", { status: 0, cause });
  }
}

/** Waits, unless the signal ends it. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** An idempotency key. It has to be unique, not secret: Node 18 has no global crypto. */
export function newKey(): string {
  const random = new Uint32Array(4);
  if (typeof crypto === 'undefined') random.forEach((_, i) => { random[i] = Math.random() * 2 ** 32; });
  else crypto.getRandomValues(random);
  return Array.from(random, (n) => n.toString(16).padStart(8, '0')).join('');
}

/** A path with an id in it. What URLs take for a step in the path cannot be one. */
export function at(collection: string, id: string, action: string): string {
  if (id === '' || id === '.' || id === '..') throw badArgument('id', `"${id}" cannot be an id in an address`);
  return `${collection}/${encodeURIComponent(id)}${action}`;
}

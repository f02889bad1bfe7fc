// What a failed call throws.

/** What an error says besides its message. */
export interface ErrorDetails {
  /** The HTTP status; 0 when there was no answer. */
  status: number;
  /** The argument that is wrong, by its name on the wire. */
  field?: string;
  /** Finds a failure of the server in its log. */
  requestId?: string;
  /** What the code says besides: amounts, ids. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** A call that failed. Branch on `code`: it keeps its meaning, the message may change. */
export class ScripError extends Error {
  override readonly name: string = 'ScripError';
  readonly code: string;
  readonly status: number;
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, about: ErrorDetails) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.code = code;
    this.status = about.status;
    this.field = about.field;
    this.requestId = about.requestId;
    this.details = about.details ?? {};
  }
}

/** A charge that the customer's credits do not cover. Nothing was taken. */
export class InsufficientCreditsError extends ScripError {
  override readonly name = 'InsufficientCreditsError';

  /** What the charge needs. */
  get required(): number {
    return Number(this.details['required']);
  }

  /** What there was. */
  get available(): number {
    return Number(this.details['available']);
  }
}

/** The code that comes closest to a status whose answer has none: a proxy's, for example. */
function codeOf(status: number): string {
  switch (status) {
    case 401: return 'invalid_key';
    case 404: return 'not_found';
    case 413: return 'request_too_large';
    case 429: return 'overloaded';
    case 408: case 502: case 503: case 504: return 'store_unavailable';
    default: return 'internal_error';
  }
}

/** The error that an answer stands for, from its problem body (RFC 9457). */
export function refusal(status: number, body: string): ScripError {
  let problem: Record<string, unknown> = {};
  try {
    problem = (JSON.parse(body) as Record<string, unknown> | null) ?? {};
  } catch {
    // Not the server's: what follows says so.
  }
  const { code, detail, field, request_id: requestId, type, title, status: stated, ...details } = problem;
  if (typeof code !== 'string') {
    return new ScripError(codeOf(status), `the server answered ${status}`, { status });
  }
  const Kind = code === 'insufficient_credits' ? InsufficientCreditsError : ScripError;
  return new Kind(code, String(detail), {
    status,
    field: typeof field === 'string' ? field : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    details,
  });
}

/** A call whose answer did not arrive: whether it took effect is not known. */
export function unreachable(cause: unknown): ScripError {
  return new ScripError('store_unavailable', 'the server cannot be reached, or did not answer', { status: 0, cause });
}

/** An argument that cannot be sent. */
export function badArgument(field: string, message: string): ScripError {
  return new ScripError('invalid_request', message, { status: 400, field });
}

import type { Problem } from '../../shared/contract/problems.ts';
import { type Clock, type Moment, momentOf, systemClock } from './clock.ts';
import {
  errorOfProblem,
  errorOfStatus,
  OrchestratorError,
  UnexpectedAnswerError,
  UnreachableError,
} from './errors.ts';
import { type Traceparent, traceHeader } from './trace-header.ts';

/** The part of the Fetch API that this library uses. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    redirect: 'error';
    cache: 'no-store';
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

/** One request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base path, starting with a slash; its parts percent-encoded. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface ApiResponse<Body> {
  readonly status: number;
  /** Parsed, not checked; undefined where the response has none. */
  readonly body: Body;
  /** When the request was sent: the durations in the body count from here. */
  readonly sentAt: Moment;
}

/**
 * Sends one request, once.
 * @throws OrchestratorError; the reason of the request's own signal when that was aborted
 */
export type Transport = <Body>(request: ApiRequest) => Promise<ApiResponse<Body>>;

export interface TransportOptions {
  readonly url: string;
  readonly credential: string;
  /** The global `fetch` by default. */
  readonly fetch?: Fetch | undefined;
  readonly clock?: Clock | undefined;
  readonly traceparent?: Traceparent | undefined;
}

/** Imports nothing of Node: the dashboard uses it as well. @throws TypeError when url or credential are malformed */
export function createTransport(options: TransportOptions): Transport {
  const {
    clock = systemClock,
    // Called as a method of the global object: browsers refuse it otherwise.
    fetch = (target, init) => globalThis.fetch(target, init),
  } = options;
  const base = baseOf(options.url);
  const authorization = `Bearer ${checkedCredential(options.credential)}`;

  async function exchange<Body>(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<Pick<ApiResponse<Body>, 'status' | 'body'>> {
    const { method, path, query, body, headers } = request;
    const response = await fetch(`${base}${path}${queryOf(query)}`, {
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        authorization,
        ...traceHeader(options.traceparent),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
      // A redirected POST would become a GET, and the credential would go to whatever host the response names.
      redirect: 'error',
      cache: 'no-store',
    });
    const text = await response.text();
    if (!response.ok) throw errorOfResponse(response, text);
    const { status } = response;
    return { status, body: (text === '' ? undefined : parseJson(text, status)) as Body };
  }

  return async <Body>(request: ApiRequest) => {
    const { signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const sentAt = momentOf(clock);
    const controller = new AbortController();
    let giveUp = (_reason: unknown): void => undefined;
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = (reason) => {
        reject(reason);
        controller.abort();
      };
    });
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancelTimeout = clock.schedule(
      () => giveUp(new Error(`no response within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      // Some implementations of `fetch` ignore their signal. The race lets the call end all the same.
      return { ...(await Promise.race([exchange<Body>(request, controller.signal), givenUp])), sentAt };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof OrchestratorError) throw error;
      throw new UnreachableError('unreachable', `${base} cannot be reached: ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      cancelTimeout();
      signal?.removeEventListener('abort', onAbort);
    }
  };
}

/** `/v1/keys/{keyId}` and the like, each part encoded. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError('url must be an address that starts with https:// or http://');
  }
  // Error messages contain the address, and any of these may hold a secret.
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new TypeError('url must have no user, password, query or fragment');
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`;
}

/** Checked here because `fetch` quotes a header value that it refuses in its error. */
function checkedCredential(credential: string): string {
  if (typeof credential !== 'string' || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(credential)) {
    throw new TypeError('credential must be of the form <clientId>.<secret>');
  }
  return credential;
}

function queryOf(query: ApiRequest['query'] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  const text = given.toString();
  return text === '' ? '' : `?${text}`;
}

function parseJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnexpectedAnswerError('unexpected_answer', 'The response is not JSON: check the url', {
      status,
      cause,
    });
  }
}

function errorOfResponse(response: Awaited<ReturnType<Fetch>>, text: string): OrchestratorError {
  const { status, headers } = response;
  const requestId = headers.get('x-request-id') ?? headers.get('apigw-requestid') ?? undefined;
  const body = jsonObjectOf(text);
  if (isProblem(body)) return errorOfProblem(body, status, requestId);
  const message = typeof body?.message === 'string' ? body.message : undefined;
  return (
    (isRefusedOnTheWay(status, message) ? undefined : errorOfStatus(status, message, requestId)) ??
    new UnexpectedAnswerError('unexpected_answer', `Status ${status}, but not from this API: check the url`, {
      status,
      requestId,
    })
  );
}

function isProblem(body: object | undefined): body is Problem {
  const { code, detail, requestId } = (body ?? {}) as Partial<Problem>;
  return typeof code === 'string' && typeof detail === 'string' && typeof requestId === 'string';
}

/** A firewall or proxy on the way refused the request. That says nothing about the credential, and may pass. */
function isRefusedOnTheWay(status: number, message: string | undefined): boolean {
  return (status === 401 && message !== 'Unauthorized') || (status === 403 && message !== 'Forbidden');
}

function jsonObjectOf(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** `fetch` only says "fetch failed"; the cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the request failed';
  return cause.message || (cause as { code?: string }).code || cause.name;
}

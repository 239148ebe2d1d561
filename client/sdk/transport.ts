import type { Problem } from '../../shared/contract/problems.ts';
import type { Clock } from './clock.ts';
import {
  errorOfProblem,
  errorOfStatus,
  OrchestratorError,
  UnexpectedAnswerError,
  UnreachableError,
} from './errors.ts';

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
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base path, starting with a slash; its parts percent-encoded. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one request, once.
 * @returns the parsed body; undefined where the answer has none
 * @throws OrchestratorError; the reason of the request's own signal when that was aborted
 */
export type Transport = (request: ApiRequest) => Promise<unknown>;

export interface TransportOptions {
  readonly url: string;
  readonly credential: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export function createTransport(options: TransportOptions): Transport {
  const { fetch, clock } = options;
  const base = baseOf(options.url);
  const authorization = `Bearer ${checkedCredential(options.credential)}`;

  return async (request) => {
    const { signal } = request;
    signal?.throwIfAborted();
    const controller = new AbortController();
    const onAbort = (): void => controller.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancelTimeout = clock.schedule(onAbort, request.timeoutMs);
    try {
      const response = await fetch(`${base}${request.path}${queryOf(request.query)}`, {
        method: request.method,
        headers: {
          ...request.headers,
          accept: 'application/json',
          authorization,
          ...(request.body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
        signal: controller.signal,
        // A redirected POST would become a GET, and the credential would go to whoever the answer names.
        redirect: 'error',
        cache: 'no-store',
      });
      const text = await response.text();
      if (response.ok) return text === '' ? undefined : parseJson(text, response.status);
      throw errorOfAnswer(response, text);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof OrchestratorError) throw error;
      const why = controller.signal.aborted ? `no answer within ${request.timeoutMs} ms` : reasonOf(error);
      throw new UnreachableError('unreachable', `${base} cannot be reached: ${why}`, { cause: error });
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
  // Neither is shown: whatever stands there may be a secret, and the address is part of error messages.
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
    throw new UnexpectedAnswerError('unexpected_answer', 'The answer is not JSON: check the url', {
      status,
      cause,
    });
  }
}

function errorOfAnswer(response: Awaited<ReturnType<Fetch>>, text: string): OrchestratorError {
  const { status, headers } = response;
  const requestId = headers.get('x-request-id') ?? headers.get('apigw-requestid') ?? undefined;
  const body = jsonObjectOf(text);
  if (typeof body?.code === 'string' && typeof body.detail === 'string') {
    return errorOfProblem(body as unknown as Problem, status, requestId);
  }
  const message = typeof body?.message === 'string' ? body.message : undefined;
  return (
    errorOfStatus(status, message, requestId) ??
    new UnexpectedAnswerError('unexpected_answer', `Answered ${status}, but not by this API: check the url`, {
      status,
      requestId,
    })
  );
}

function jsonObjectOf(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** What lies under "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the request failed';
  return cause.message || (cause as { code?: string }).code || cause.name;
}

import { createClientWith, type OrchestratorClient } from '../../../client/sdk/create-client.ts';
import type { Fetch } from '../../../client/sdk/transport.ts';
import { ManualClock } from './manual-clock.ts';

export const CREDENTIAL = 'client_test.s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t';
export const LEASE_MS = 60_000;

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
  /** On the monotonic clock, from the start of the test. */
  readonly at: number;
  aborted: boolean;
}

export interface ScriptedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * `hang`: never answers. `deaf`: never answers, and ignores that the request is aborted. `refuse`: no connection. A
 * function decides when it is asked.
 */
export type Script = ScriptedAnswer | 'hang' | 'deaf' | 'refuse' | (() => Promise<ScriptedAnswer>);

export function leaseAnswer(parts: Record<string, unknown> = {}, status = 201): ScriptedAnswer {
  const body = {
    leaseId: 'lease_1',
    keyId: 'key_1',
    pool: 'default',
    value: 'key_1',
    fencingToken: 7,
    clientId: 'client_test',
    acquiredAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T00:01:00.000Z',
    expiresInMs: LEASE_MS,
    keepAliveEveryMs: LEASE_MS / 3,
    ...parts,
  };
  return { status, body };
}

export function problem(status: number, code: string, parts: Record<string, unknown> = {}): ScriptedAnswer {
  const body = {
    type: 'about:blank',
    title: code,
    status,
    code,
    detail: `It is ${code}`,
    requestId: 'r-1',
    ...parts,
  };
  return { status, body, headers: { 'x-request-id': 'r-1' } };
}

/** What a service might answer, in the order of the script or by the request, to a client on a clock of the test's. */
export class ScriptedService {
  readonly clock = new ManualClock();
  readonly seen: SeenRequest[] = [];
  readonly client: OrchestratorClient;
  /** Requests under way. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #startedAt = this.clock.monotonicNow();
  readonly #answer: (request: SeenRequest, count: number) => Script;

  constructor(answer: (request: SeenRequest, count: number) => Script, random = () => 0.5) {
    this.#answer = answer;
    const options = { url: 'https://service.test/', credential: CREDENTIAL, fetch: this.#fetch };
    this.client = createClientWith(options, { clock: this.clock, random });
  }

  of(method: string, ending = ''): SeenRequest[] {
    return this.seen.filter((request) => request.method === method && request.path.endsWith(ending));
  }

  get keepAlives(): SeenRequest[] {
    return this.of('POST', '/keep-alive');
  }

  get releases(): SeenRequest[] {
    return this.of('DELETE');
  }

  readonly #fetch: Fetch = async (url, init) => {
    const request: SeenRequest = {
      method: init.method,
      path: new URL(url).pathname,
      query: Object.fromEntries(new URL(url).searchParams),
      idempotencyKey: init.headers['idempotency-key'],
      body: init.body === undefined ? undefined : JSON.parse(init.body),
      at: this.clock.monotonicNow() - this.#startedAt,
      aborted: false,
    };
    this.seen.push(request);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const script = this.#answer(request, this.seen.length);
    const given =
      script === 'hang' || script === 'deaf' ? new Promise<never>(() => undefined) : resolve(script);
    const aborted = new Promise<never>((_, reject) => {
      init.signal.addEventListener('abort', () => {
        request.aborted = true;
        if (script !== 'deaf') reject(new DOMException('This operation was aborted', 'AbortError'));
      });
    });
    try {
      const { status, body, headers = {} } = await Promise.race([given, aborted]);
      const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
      return new Response(status === 204 ? null : text, { status, headers });
    } finally {
      this.underWay -= 1;
    }
  };
}

async function resolve(script: Exclude<Script, 'hang' | 'deaf'>): Promise<ScriptedAnswer> {
  if (script === 'refuse') throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  return typeof script === 'function' ? script() : script;
}

import { randomUUID } from 'node:crypto';
import type { Context as LambdaContext } from 'aws-lambda';
import { afterEach, beforeEach, expect } from 'vitest';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { type Functions, loadFunctions } from '../../infra/local/load-functions.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../../infra/local/prometheus-metrics.ts';
import type { CreateKeysResponse, Key } from '../../shared/contract/keys.ts';
import type { AcquireLeaseRequest, HeldLease, Lease } from '../../shared/contract/leases.ts';
import type { PutPoolRequest } from '../../shared/contract/pools.ts';
import type { Problem } from '../../shared/contract/problems.ts';
import type { Caller } from '../../shared/domain/client.ts';
import { poolReference } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';
import type { ApiEvent } from '../../shared/http/api-event.ts';
import { toVerifiedContext } from '../../shared/http/authorize-caller.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';
import { matchPath } from '../../shared/http/match-route.ts';
import type { Route } from '../../shared/http/route.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import type { StoreFixture } from '../store/contract/store-fixture.ts';
import { makeSqliteStore } from '../store/sqlite-fixture.ts';
import { type CapturedLog, captureLog } from './captured-log.ts';
import { checkAnswer } from './check-answer.ts';
import { watchStore } from './watch-store.ts';

/** When the clock of every test API starts. */
export const START = Date.UTC(2026, 0, 1, 12);
const TOLERANCE_MS = 1000;

export const admin: Caller = { clientId: 'client_admin', role: 'admin' };
export const worker: Caller = { clientId: 'client_worker', role: 'client' };
export const otherWorker: Caller = { clientId: 'client_other', role: 'client' };
export const viewer: Caller = { clientId: 'client_viewer', role: 'viewer' };

export interface CallOptions {
  /** Whom the authorizer found; an admin without limits unless told. `nobody`: no authorizer context at all. */
  as?: Caller | 'nobody' | 'unverified';
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  rawBody?: string;
  base64?: boolean;
  /** Lower-case names; `content-type` is JSON where there is a body. */
  headers?: Record<string, string>;
  /** What is left of the function's time, in milliseconds. */
  remainingMs?: number;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed; undefined when the answer has none. */
  readonly body: Body;
}

/** Every function's real handler on one SQLite database, with a clock that stands still until it is set. */
export class TestApi {
  now = START;
  /** What every verb of the store does first, by the path of its name: throw, or wait, as a database that fails or hangs. */
  fault: ((verb: string) => unknown) | undefined;
  readonly store: Store;
  readonly functions: Functions;
  readonly metrics: PrometheusMetrics;
  /** By the name of the function. */
  readonly endpoints: ReadonlyMap<string, AnyEndpoint>;
  readonly #secrets = new Set<string>();
  readonly #log: CapturedLog;
  readonly #database: StoreFixture;

  static async open(): Promise<TestApi> {
    const endpoints = new Map<string, AnyEndpoint>();
    for (const route of Object.values(routes)) {
      const { endpoint } = (await import(`../../functions/${route.function}.ts`)) as {
        endpoint: AnyEndpoint;
      };
      endpoints.set(route.function, endpoint);
    }
    const database = await makeSqliteStore(START);
    const watched = watchStore(database.store, () => api.fault && { before: api.fault });
    const metrics = createPrometheusMetrics();
    const runtime = createRuntime(watched, {
      metrics: metrics.publish,
      clock: () => api.now,
      clockSkewToleranceMs: TOLERANCE_MS,
      vaultKeys: [{ id: 'test', secret: 'x'.repeat(32) }],
    });
    const api: TestApi = new TestApi(
      database,
      endpoints,
      await loadFunctions(async () => runtime, metrics.publish),
      metrics,
    );
    return api;
  }

  private constructor(
    database: StoreFixture,
    endpoints: ReadonlyMap<string, AnyEndpoint>,
    functions: Functions,
    metrics: PrometheusMetrics,
  ) {
    this.metrics = metrics;
    this.#database = database;
    this.store = database.store;
    this.functions = functions;
    this.endpoints = endpoints;
    this.#log = captureLog();
  }

  /**
   * Invokes the function of `target` (a path, with or without a query) as the gateway would. Whatever it answers is
   * checked against the contract first.
   */
  async call<Body = Problem>(
    method: string,
    target: string,
    options: CallOptions = {},
  ): Promise<Answer<Body>> {
    const { route, event } = makeEvent(method, target, options);
    this.#noteSecrets(event);
    const handler = this.functions.handlers.get(route.function);
    if (handler === undefined) throw new Error(`No function named ${route.function}`);
    const remainingMs = options.remainingMs ?? 10_000;
    const context = { getRemainingTimeInMillis: () => remainingMs } as LambdaContext;
    const result = await handler(event, context);
    const answer = checkAnswer(result, event, this.endpoints.get(route.function));
    for (const secret of secretsIn(answer.body)) this.#secrets.add(secret);
    return answer as Answer<Body>;
  }

  /** The pages of a list, to its end; `between` runs after each but the last. */
  async pages<Item>(
    target: string,
    { as = admin, between = async () => undefined }: { as?: Caller; between?: () => Promise<unknown> } = {},
  ): Promise<Item[][]> {
    const pages: Item[][] = [];
    for (let cursor = ''; ; ) {
      const answer = await this.call<{ nextCursor?: string }>('GET', target + cursor, { as });
      expect(answer).toMatchObject({ status: 200 });
      const { nextCursor, ...list } = answer.body;
      pages.push(...(Object.values(list) as Item[][]));
      if (nextCursor === undefined) return pages;
      cursor = `${target.includes('?') ? '&' : '?'}cursor=${nextCursor}`;
      await between();
    }
  }

  async createKeys(count = 1, pool = 'default'): Promise<Key[]> {
    const { body } = await this.call<CreateKeysResponse>('POST', '/v1/keys', { body: { pool, count } });
    return body.keys;
  }

  async putPool(pool: string, policy: PutPoolRequest = {}): Promise<void> {
    await this.call('PUT', `/v1/pools/${pool}`, { body: policy });
  }

  /** A lease, which must be granted; the worker's unless told. */
  async acquire(request: AcquireLeaseRequest = {}, as: Caller = worker): Promise<HeldLease> {
    const answer = await this.call<HeldLease>('POST', '/v1/leases', { as, body: request });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  }

  async getKey(keyId: string): Promise<Key> {
    return (await this.call<Key>('GET', `/v1/keys/${keyId}`)).body;
  }

  /** Everything in the store that can be reached now: two equal dumps mean that nothing was written between. */
  async dump(): Promise<string> {
    const { now, store } = this;
    const limit = 100_000;
    const [pools, cleared] = [await store.pools.list({ limit }), await store.pools.listCleared()];
    const lists = pools.map((pool) => store.keys.list({ pool: poolReference(pool), now, limit }));
    const [keys, clients] = [await Promise.all(lists), await store.clients.list({ limit })];
    return JSON.stringify({ pools, cleared, keys, clients });
  }

  /** What was printed and logged so far. */
  logged(): string {
    return this.#log.text();
  }

  /** Nothing secret that went in or came out may stand in the log. */
  expectNothingSecretLogged(): void {
    const log = this.logged();
    for (const secret of this.#secrets) expect(log).not.toContain(secret);
  }

  async close(): Promise<void> {
    this.#log.stop();
    await this.#database.dispose();
  }

  #noteSecrets(event: ApiEvent): void {
    const { authorization } = event.headers;
    if (authorization !== undefined) this.#secrets.add(authorization);
    // A bare text or number may be the name of a pool as well.
    if (/^[{[].{4}/s.test(event.body ?? '')) this.#secrets.add(event.body?.slice(0, 200) as string);
    const { leaseId = '' } = event.pathParameters ?? {};
    if (leaseId.length > 20) this.#secrets.add(leaseId);
  }
}

/** A test API for each test of the `describe` it is called in; each test also proves that no secret was logged. */
export function useTestApi(): TestApi {
  let current: TestApi;
  beforeEach(async () => {
    current = await TestApi.open();
  });
  afterEach(async () => {
    await current.close();
    current.expectNothingSecretLogged();
  });
  return new Proxy({} as TestApi, {
    get: (_, name) => {
      const member: unknown = Reflect.get(current, name);
      return typeof member === 'function' ? member.bind(current) : member;
    },
    set: (_, name, value) => Reflect.set(current, name, value),
  });
}

function makeEvent(method: string, target: string, options: CallOptions): { route: Route; event: ApiEvent } {
  const [path, rawQuery = ''] = target.split(/\?(.*)/s) as [string, string?];
  const { route, parameters } = findRoute(method, path);
  const body = options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const requestId = randomUUID();
  const { as = admin } = options;
  const lambda =
    as === 'unverified' ? { unverified: 'true' as const } : as !== 'nobody' && toVerifiedContext(as);
  const routeKey = route === unmatchedRoute ? '$default' : `${method} ${route.path}`;
  const event = {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: rawQuery,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
    ...(rawQuery !== '' && { queryStringParameters: Object.fromEntries(new URLSearchParams(rawQuery)) }),
    ...(parameters !== undefined && { pathParameters: parameters }),
    ...(body !== undefined && {
      body: options.base64 ? Buffer.from(body, 'utf8').toString('base64') : body,
    }),
    isBase64Encoded: options.base64 ?? false,
    requestContext: {
      requestId,
      routeKey,
      http: { method, path, sourceIp: '203.0.113.9' },
      ...(lambda !== false && { authorizer: { lambda } }),
    },
  };
  return { route, event: event as ApiEvent };
}

function findRoute(method: string, path: string): { route: Route; parameters?: Record<string, string> } {
  for (const route of Object.values<Route>(routes)) {
    const parameters = matchPath(route.path, path);
    if (parameters === undefined || !(route.methods as readonly string[]).includes(method)) continue;
    const decoded = Object.entries(parameters).map(([name, text]) => [name, decodeURIComponent(text)]);
    return { route, parameters: Object.fromEntries(decoded) };
  }
  return { route: unmatchedRoute };
}

/** The lease as lists and keep-alives tell it. */
export function withoutValue({ value: _, labels: __, ...lease }: HeldLease): Lease {
  return lease;
}

/** Lease ids, credentials and imported values, wherever in a body they stand; a key without a value is its own. */
function secretsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const { keyId } = body as { keyId?: unknown };
  return Object.entries(body).flatMap(([name, member]) => {
    if (['leaseId', 'credential'].includes(name)) return [String(member)];
    if (name === 'value') return member === keyId ? [] : [String(member)];
    return secretsIn(member);
  });
}

import type { Caller } from '../../shared/contract/clients.ts';
import { type AcquireOptions, acquireLease, acquireLeases } from './acquire-lease.ts';
import { type ClientsApi, createClientsApi, readMe } from './clients.ts';
import { type Clock, systemClock } from './clock.ts';
import { type CallOptions, type Context, checkDuration } from './context.ts';
import { createEventsApi, type EventsApi } from './events.ts';
import { type HeldLease, HeldLeases, type KeptLease } from './held-lease.ts';
import { createHoldersApi, type HoldersApi } from './holders.ts';
import { createKeysApi, type KeysApi } from './keys.ts';
import {
  createLeasesApi,
  keepAliveLease,
  type LeasesApi,
  type ReleaseOptions,
  releaseLease,
} from './leases.ts';
import { createPoolsApi, type PoolsApi } from './pools.ts';
import type { Traceparent } from './trace-header.ts';
import { createTransport, type Fetch } from './transport.ts';
import { acquireOptionsOf, type WithLeaseOptions, withLeases } from './with-lease.ts';

export interface ClientOptions {
  /** Where the service is, for example `https://leases.example.com`. */
  readonly url: string;
  /** `<clientId>.<secret>`. */
  readonly credential: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** How long one request and its response may take, in milliseconds; 10 s by default. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * The trace (W3C `traceparent`) that requests belong to, or what tells the one of the moment; it is in the service's
   * log. By default that of OpenTelemetry's active span, where the program uses OpenTelemetry.
   */
  readonly traceparent?: Traceparent | undefined;
}

/** The service, as the client that the credential names sees it. */
export interface OrchestratorClient {
  /**
   * Acquires a key, runs `work` with it, keeps the lease alive meanwhile, and releases it whatever happens.
   *
   * The work's signal is aborted before anybody else can hold the key: stop then. The call rejects in that case, with a
   * `LeaseEndedError` or a `LeaseLostError`, whatever the work did.
   *
   * @example
   * await client.withLease({ pool: 'licences', waitMs: 30_000 }, async (lease, signal) => {
   *   await render({ licence: lease.value, signal });
   * });
   */
  withLease<Result>(
    options: WithLeaseOptions,
    work: (lease: HeldLease, signal: AbortSignal) => Result | PromiseLike<Result>,
  ): Promise<Result>;
  /** As `withLease`, with `count` keys (1 to 16), all or none: the work ends when one of their leases is lost. */
  withLeases<Result>(
    options: WithLeaseOptions & { readonly count: number },
    work: (leases: readonly HeldLease[], signal: AbortSignal) => Result | PromiseLike<Result>,
  ): Promise<Result>;
  /**
   * Acquires a key, for those who keep the lease alive themselves: every `keepAliveEveryMs`, while
   * `lease.remainingMs()` says that there is time. @throws NoKeyAvailableError, PoolPausedError,
   * LeaseLimitReachedError
   */
  acquire(options?: AcquireOptions): Promise<HeldLease>;
  /** Sends one keep-alive, once; repeat it yourself while there is time. @throws LeaseEndedError */
  keepAlive(leaseId: string, options?: CallOptions): Promise<KeptLease>;
  /** Ends the lease. @throws LeaseEndedError when it was over before */
  release(leaseId: string, options?: ReleaseOptions): Promise<void>;
  /** Whom the credential names, and what it may do. */
  me(options?: CallOptions): Promise<Caller>;
  readonly leases: LeasesApi;
  readonly holders: HoldersApi;
  readonly keys: KeysApi;
  readonly pools: PoolsApi;
  readonly clients: ClientsApi;
  readonly events: EventsApi;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** @throws TypeError when an option is malformed; the message has neither url nor credential */
export function createClient(options: ClientOptions): OrchestratorClient {
  return createClientWith(options, { clock: systemClock, random: Math.random });
}

/** As {@link createClient}, on other clocks and another source of randomness. */
export function createClientWith(
  { url, credential, fetch, traceparent, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ClientOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): OrchestratorClient {
  checkDuration('requestTimeoutMs', requestTimeoutMs);
  const send = createTransport({ url, credential, fetch, clock, traceparent });
  const held = new HeldLeases();
  const context: Context = { send, clock, random, requestTimeoutMs, held };
  const keys = createKeysApi(context);
  return {
    withLease: (leaseOptions, work) =>
      withLeases(
        context,
        leaseOptions,
        async () => [await acquireLease(context, acquireOptionsOf(leaseOptions))],
        ([lease], signal) => work(lease as HeldLease, signal),
      ),
    withLeases: ({ count, ...leaseOptions }, work) =>
      withLeases(
        context,
        leaseOptions,
        () => acquireLeases(context, { ...acquireOptionsOf(leaseOptions), count }),
        work,
      ),
    acquire: async (acquireOptions) => (await acquireLease(context, acquireOptions)).toHeldLease(),
    keepAlive: async (leaseId, callOptions) => {
      const { lease, deadline } = await keepAliveLease(context, leaseId, callOptions);
      return { ...lease, ...held.hold(lease, deadline).time() };
    },
    release: (leaseId, callOptions) => releaseLease(context, leaseId, callOptions),
    me: (callOptions) => readMe(context, callOptions),
    leases: createLeasesApi(context),
    holders: createHoldersApi(context, keys),
    keys,
    pools: createPoolsApi(context),
    clients: createClientsApi(context),
    events: createEventsApi(context),
  };
}

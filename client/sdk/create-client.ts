import type { Lease } from '../../shared/contract/leases.ts';
import { type AcquireOptions, acquireLease } from './acquire-lease.ts';
import { type ClientsApi, createClientsApi } from './clients-api.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Context } from './context.ts';
import { keepAliveLease } from './keep-alive-lease.ts';
import { createKeysApi, type KeysApi } from './keys-api.ts';
import { createLeasesApi, type LeasesApi } from './leases-api.ts';
import type { CallOptions } from './options.ts';
import { createPoolsApi, type PoolsApi } from './pools-api.ts';
import { releaseLease } from './release-lease.ts';
import { createTransport, type Fetch } from './transport.ts';
import { type HeldLease, type WithLeaseOptions, withLease } from './with-lease.ts';

export interface ClientOptions {
  /** Where the service is, for example `https://leases.example.com`. */
  readonly url: string;
  /** `<clientId>.<secret>`. */
  readonly credential: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** How long one request and its answer may take, in milliseconds; 10 s by default. */
  readonly requestTimeoutMs?: number | undefined;
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
  /**
   * Acquires a key, for those who keep the lease alive themselves: every `keepAliveEveryMs`, counted from before the
   * request was sent. @throws NoKeyAvailableError
   */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /** Sends one keep-alive, once: repeating it in time is the caller's. @throws LeaseEndedError */
  keepAlive(leaseId: string, options?: CallOptions): Promise<Lease>;
  /** Ends the lease. @throws LeaseEndedError when it was over before */
  release(leaseId: string, options?: CallOptions): Promise<void>;
  readonly leases: LeasesApi;
  readonly keys: KeysApi;
  readonly pools: PoolsApi;
  readonly clients: ClientsApi;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** @throws TypeError when url or credential are malformed; the message has neither */
export function createClient(options: ClientOptions): OrchestratorClient {
  return createClientWith(options, { clock: systemClock, random: Math.random });
}

/** As {@link createClient}, on other clocks and another source of randomness. */
export function createClientWith(
  options: ClientOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): OrchestratorClient {
  const {
    url,
    credential,
    // Called as a method of the global object: browsers refuse it otherwise.
    fetch = (target, init) => globalThis.fetch(target, init),
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
  } = options;
  const send = createTransport({ url, credential, fetch, clock });
  const context: Context = { send, clock, random, requestTimeoutMs };
  return {
    withLease: (leaseOptions, work) => withLease(context, leaseOptions, work),
    acquire: async (acquireOptions) => (await acquireLease(context, acquireOptions)).lease,
    keepAlive: async (leaseId, callOptions) => (await keepAliveLease(context, leaseId, callOptions)).lease,
    release: (leaseId, callOptions) => releaseLease(context, leaseId, callOptions),
    leases: createLeasesApi(context),
    keys: createKeysApi(context),
    pools: createPoolsApi(context),
    clients: createClientsApi(context),
  };
}

import type { ListEventsOptions } from '../../../client/sdk/events.ts';
import { type Page, readPages } from '../../../client/sdk/pages.ts';
import { type ApiRequest, createTransport, pathOf } from '../../../client/sdk/transport.ts';
import type {
  Caller,
  Client,
  CreateClientRequest,
  CreatedClient,
  RotateClientRequest,
} from '../../../shared/contract/clients.ts';
import type { ListEventsResponse } from '../../../shared/contract/events.ts';
import type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  ListKeysQuery,
  ListKeysResponse,
} from '../../../shared/contract/keys.ts';
import type {
  AcquireLeaseRequest,
  HeldLease,
  Lease,
  ListHoldersQuery,
  ListHoldersResponse,
  ListLeasesResponse,
} from '../../../shared/contract/leases.ts';
import type { PatchPoolRequest, Pool, PutPoolRequest } from '../../../shared/contract/pools.ts';
import type { Labels } from '../../../shared/contract/primitives.ts';
import type { ListTicketsResponse } from '../../../shared/contract/tickets.ts';
import type { ListUsageResponse, Usage } from '../../../shared/contract/usage.ts';

/** How long a request may take, in milliseconds. */
const TIMEOUT_MS = 15_000;
/** The most pools or clients on a page. Others can be reached by name. */
const MAX_LISTED = 1000;

/** A response, and when its request was sent, on the monotonic clock: the durations in the body count from there. */
export interface Answer<Body> {
  readonly body: Body;
  readonly sentAt: number;
}

export interface KeyPageRequest extends Pick<ListKeysQuery, 'pool' | 'state' | 'search'> {
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface HolderPageRequest extends Pick<ListHoldersQuery, 'pool' | 'client' | 'holder'> {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** The type is that of the address: the API refuses one that is none. */
export interface EventPageRequest extends Omit<ListEventsOptions, 'type' | 'signal'> {
  readonly type?: string | undefined;
}

/** Which lease an admin ends: the one that the key had when it was shown. */
export interface Ending {
  readonly force: boolean;
  readonly fencingToken: number;
}

export type Api = ReturnType<typeof createApi>;

/**
 * The operations that the dashboard uses, on the origin that served it. Each request is sent once: polling repeats its
 * own, and an action is for the person to repeat. All throw the SDK's OrchestratorError.
 * @throws TypeError when the credential is malformed
 */
export function createApi(credential: string) {
  const send = createTransport({ url: location.origin, credential });
  async function call<Body>(
    method: ApiRequest['method'],
    path: string,
    options: Pick<ApiRequest, 'query' | 'body' | 'headers' | 'signal'> = {},
  ): Promise<Answer<Body>> {
    const { body, sentAt } = await send<Body>({ method, path, timeoutMs: TIMEOUT_MS, ...options });
    return { body, sentAt: sentAt.monotonic };
  }

  /** A list from its first page to its last; as old as the first. */
  async function list<Name extends string, Item>(
    name: Name,
    signal: AbortSignal,
  ): Promise<Answer<readonly Item[]>> {
    let sentAt = Number.POSITIVE_INFINITY;
    const { [name]: items } = await readPages<Name, Item>(name, MAX_LISTED, async (query) => {
      const page = await call<Page<Name, Item>>('GET', `/${name}`, { query, signal });
      sentAt = Math.min(sentAt, page.sentAt);
      return page.body;
    });
    return { body: items, sentAt };
  }

  return {
    me: () => call<Caller>('GET', '/me'),

    listPools: (signal: AbortSignal) => list<'pools', Pool>('pools', signal),
    getPool: (pool: string) => call<Pool>('GET', `/pools${pathOf(pool)}`),
    putPool: (pool: string, body: PutPoolRequest) => call<Pool>('PUT', `/pools${pathOf(pool)}`, { body }),
    patchPool: (pool: string, body: PatchPoolRequest) =>
      call<Pool>('PATCH', `/pools${pathOf(pool)}`, { body }),
    deletePool: (pool: string) => call<void>('DELETE', `/pools${pathOf(pool)}`),
    listTickets: (pool: string, limit: number, signal: AbortSignal) =>
      call<ListTicketsResponse>('GET', `/pools${pathOf(pool, 'tickets')}`, { query: { limit }, signal }),

    getUsage: (pool: string, hours: number, signal: AbortSignal) =>
      call<Usage>('GET', `/pools${pathOf(pool, 'usage')}`, { query: { hours }, signal }),
    /** Of so many pools as are in one page. */
    listUsage: (hours: number, signal: AbortSignal) =>
      call<ListUsageResponse>('GET', '/usage', { query: { hours, limit: 200 }, signal }),

    listKeys: (page: KeyPageRequest, signal: AbortSignal) =>
      call<ListKeysResponse>('GET', '/keys', { query: { ...page }, signal }),
    getKey: (keyId: string, signal?: AbortSignal) => call<Key>('GET', `/keys${pathOf(keyId)}`, { signal }),
    /** Under the same idempotency key nothing is created twice. */
    createKeys: (body: CreateKeysRequest, idempotencyKey: string) =>
      call<CreateKeysResponse>('POST', '/keys', { body, headers: { 'idempotency-key': idempotencyKey } }),
    labelKey: (keyId: string, labels: Labels) =>
      call<Key>('PATCH', `/keys${pathOf(keyId)}`, { body: { labels } }),
    refreshKey: (keyId: string) => call<Key>('POST', `/keys${pathOf(keyId, 'refresh')}`),
    pauseKey: (keyId: string, reason?: string) =>
      call<Key>('POST', `/keys${pathOf(keyId, 'pause')}`, { body: { reason } }),
    resumeKey: (keyId: string) => call<Key>('POST', `/keys${pathOf(keyId, 'resume')}`),
    unblockKey: (keyId: string, ending: Ending) =>
      call<Key>('POST', `/keys${pathOf(keyId, 'unblock')}`, { query: { ...ending } }),
    deleteKey: (keyId: string, ending: Ending) =>
      call<void>('DELETE', `/keys${pathOf(keyId)}`, { query: { ...ending } }),

    listHolders: (page: HolderPageRequest, signal: AbortSignal) =>
      call<ListHoldersResponse>('GET', '/holders', { query: { ...page }, signal }),

    listLeases: (limit: number, signal: AbortSignal) =>
      call<ListLeasesResponse>('GET', '/leases', { query: { limit }, signal }),
    acquireLease: (body: AcquireLeaseRequest) => call<HeldLease>('POST', '/leases', { body }),
    getLease: (leaseId: string) => call<HeldLease>('GET', `/leases${pathOf(leaseId)}`),
    keepAliveLease: (leaseId: string) => call<Lease>('POST', `/leases${pathOf(leaseId, 'keep-alive')}`),
    releaseLease: (leaseId: string) => call<void>('DELETE', `/leases${pathOf(leaseId)}`),

    listEvents: (query: EventPageRequest, signal: AbortSignal) =>
      call<ListEventsResponse>('GET', '/events', { query: { ...query }, signal }),

    listClients: (signal: AbortSignal) => list<'clients', Client>('clients', signal),
    createClient: (body: CreateClientRequest) => call<CreatedClient>('POST', '/clients', { body }),
    rotateClient: (clientId: string, body: RotateClientRequest) =>
      call<CreatedClient>('POST', `/clients${pathOf(clientId, 'secrets')}`, { body }),
    deleteClient: (clientId: string, force: boolean) =>
      call<void>('DELETE', `/clients${pathOf(clientId)}`, { query: { force } }),
  };
}

import { type ApiRequest, createTransport, pathOf } from '../../../client/sdk/transport.ts';
import type {
  Caller,
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
} from '../../../shared/contract/clients.ts';
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
  ListLeasesResponse,
} from '../../../shared/contract/leases.ts';
import type {
  ListPoolsResponse,
  PatchPoolRequest,
  Pool,
  PutPoolRequest,
} from '../../../shared/contract/pools.ts';

/** An answer that takes longer is counted as none, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** A response, and when its request was sent, on the monotonic clock: durations in it count from there. */
export interface Answer<Body> {
  readonly body: Body;
  readonly sentAt: number;
}

export interface PageRequest {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface KeyPageRequest extends PageRequest, Pick<ListKeysQuery, 'pool' | 'state' | 'search'> {}

/** Which lease an admin ends: the one that the key had when it was shown. */
export interface Ending {
  readonly force: boolean;
  readonly fencingToken: number;
}

export type Api = ReturnType<typeof createApi>;

/**
 * Every operation of the API that the dashboard uses, on the origin that served it, each sent once: what polls asks
 * again by itself, and what a person asks for is theirs to repeat. Each throws an OrchestratorError of the SDK.
 * @throws TypeError when the credential is none
 */
export function createApi(credential: string) {
  const send = createTransport({ url: location.origin, credential });
  async function call<Body>(
    method: ApiRequest['method'],
    path: string,
    options: Pick<ApiRequest, 'query' | 'body' | 'signal'> = {},
  ): Promise<Answer<Body>> {
    const { body, sentAt } = await send<Body>({ method, path, timeoutMs: TIMEOUT_MS, ...options });
    return { body, sentAt: sentAt.monotonic };
  }

  return {
    me: () => call<Caller>('GET', '/me'),

    listPools: (page: PageRequest, signal?: AbortSignal) =>
      call<ListPoolsResponse>('GET', '/pools', { query: { ...page }, signal }),
    getPool: (pool: string) => call<Pool>('GET', `/pools${pathOf(pool)}`),
    putPool: (pool: string, body: PutPoolRequest) => call<Pool>('PUT', `/pools${pathOf(pool)}`, { body }),
    patchPool: (pool: string, body: PatchPoolRequest) =>
      call<Pool>('PATCH', `/pools${pathOf(pool)}`, { body }),
    deletePool: (pool: string) => call<void>('DELETE', `/pools${pathOf(pool)}`),

    listKeys: (page: KeyPageRequest, signal?: AbortSignal) =>
      call<ListKeysResponse>('GET', '/keys', { query: { ...page }, signal }),
    createKeys: (body: CreateKeysRequest) => call<CreateKeysResponse>('POST', '/keys', { body }),
    refreshKey: (keyId: string) => call<Key>('POST', `/keys${pathOf(keyId, 'refresh')}`),
    unblockKey: (keyId: string, ending: Ending) =>
      call<Key>('POST', `/keys${pathOf(keyId, 'unblock')}`, { query: { ...ending } }),
    deleteKey: (keyId: string, ending: Ending) =>
      call<void>('DELETE', `/keys${pathOf(keyId)}`, { query: { ...ending } }),

    listLeases: (page: PageRequest, signal?: AbortSignal) =>
      call<ListLeasesResponse>('GET', '/leases', { query: { ...page }, signal }),
    acquireLease: (body: AcquireLeaseRequest) => call<HeldLease>('POST', '/leases', { body }),
    getLease: (leaseId: string) => call<HeldLease>('GET', `/leases${pathOf(leaseId)}`),
    keepAliveLease: (leaseId: string) => call<Lease>('POST', `/leases${pathOf(leaseId, 'keep-alive')}`),
    releaseLease: (leaseId: string) => call<void>('DELETE', `/leases${pathOf(leaseId)}`),

    listClients: (page: PageRequest, signal?: AbortSignal) =>
      call<ListClientsResponse>('GET', '/clients', { query: { ...page }, signal }),
    createClient: (body: CreateClientRequest) => call<CreatedClient>('POST', '/clients', { body }),
    deleteClient: (clientId: string, force: boolean) =>
      call<void>('DELETE', `/clients${pathOf(clientId)}`, { query: { force } }),
  };
}

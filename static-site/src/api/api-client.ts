import type {
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
} from '../../../shared/contract/clients.ts';
import type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  KeyState,
  ListKeysResponse,
} from '../../../shared/contract/keys.ts';
import type { AcquireLeaseRequest, Lease, ListLeasesResponse } from '../../../shared/contract/leases.ts';
import type { ListPoolsResponse, Pool, PutPoolRequest } from '../../../shared/contract/pools.ts';
import { ApiError, readApiError } from './api-error.ts';

/** An answer that takes longer is counted as none, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** An answer, and when its request was sent, on the monotonic clock: durations in it count from there. */
export interface Answer<Body> {
  readonly body: Body;
  readonly sentAt: number;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Call {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

export interface KeyPageRequest extends PageRequest {
  readonly pool: string;
  readonly state?: KeyState | undefined;
  readonly search?: string | undefined;
}

export type Api = ReturnType<typeof createApi>;

/** Every operation of the API that the dashboard uses, on the origin that served it. Each throws {@link ApiError}. */
export function createApi(credential: string) {
  async function call<Body>(method: string, path: string, options: Call = {}): Promise<Answer<Body>> {
    const { query, body, signal } = options;
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const sentAt = performance.now();
    const response = await send(`/v1${path}${toQueryString(query)}`, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      cache: 'no-store',
    });
    if (!response.ok) throw await readApiError(response);
    const text = await readText(response);
    return { body: (text === '' ? undefined : JSON.parse(text)) as Body, sentAt };
  }

  const key = (keyId: string) => `/keys/${encodeURIComponent(keyId)}`;
  const lease = (leaseId: string) => `/leases/${encodeURIComponent(leaseId)}`;
  const pool = (name: string) => `/pools/${encodeURIComponent(name)}`;

  return {
    listPools: (page: PageRequest, signal?: AbortSignal) =>
      call<ListPoolsResponse>('GET', '/pools', { query: { ...page }, signal }),
    putPool: (name: string, policy: PutPoolRequest) => call<Pool>('PUT', pool(name), { body: policy }),
    deletePool: (name: string) => call<void>('DELETE', pool(name)),

    listKeys: (page: KeyPageRequest, signal?: AbortSignal) =>
      call<ListKeysResponse>('GET', '/keys', { query: { ...page }, signal }),
    createKeys: (request: CreateKeysRequest) => call<CreateKeysResponse>('POST', '/keys', { body: request }),
    refreshKey: (keyId: string) => call<Key>('POST', `${key(keyId)}/refresh`),
    unblockKey: (keyId: string, force: boolean) =>
      call<Key>('POST', `${key(keyId)}/unblock`, { query: { force: force || undefined } }),
    deleteKey: (keyId: string, force: boolean) =>
      call<void>('DELETE', key(keyId), { query: { force: force || undefined } }),

    listLeases: (page: PageRequest, signal?: AbortSignal) =>
      call<ListLeasesResponse>('GET', '/leases', { query: { ...page }, signal }),
    acquireLease: (request: AcquireLeaseRequest) => call<Lease>('POST', '/leases', { body: request }),
    getLease: (leaseId: string) => call<Lease>('GET', lease(leaseId)),
    keepAliveLease: (leaseId: string) => call<Lease>('POST', `${lease(leaseId)}/keep-alive`),
    releaseLease: (leaseId: string) => call<void>('DELETE', lease(leaseId)),

    listClients: (page: PageRequest, signal?: AbortSignal) =>
      call<ListClientsResponse>('GET', '/clients', { query: { ...page }, signal }),
    createClient: (request: CreateClientRequest) =>
      call<CreatedClient>('POST', '/clients', { body: request }),
    deleteClient: (clientId: string) => call<void>('DELETE', `/clients/${encodeURIComponent(clientId)}`),
  };
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw new ApiError('network', 0, 'No answer', undefined, { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw new ApiError('network', 0, 'The answer broke off', undefined, { cause: error });
  }
}

function toQueryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

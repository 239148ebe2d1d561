// biome-ignore-all lint/performance/noBarrelFile: what the package exports is listed here, once
export type {
  Client,
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
  Role,
} from '../../shared/contract/clients.ts';
export type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  KeyState,
  ListKeysResponse,
} from '../../shared/contract/keys.ts';
export type { AcquireLeaseRequest, Lease, ListLeasesResponse } from '../../shared/contract/leases.ts';
export type { ListPoolsResponse, Pool, PutPoolRequest } from '../../shared/contract/pools.ts';
export type { LeaseEndReason } from '../../shared/contract/problems.ts';
export type { AcquireOptions } from './acquire-lease.ts';
export type { ClientsApi } from './clients-api.ts';
export { type ClientOptions, createClient, type OrchestratorClient } from './create-client.ts';
export {
  type ErrorCode,
  ForbiddenError,
  InvalidRequestError,
  KeyNotLeasedError,
  LeaseEndedError,
  LeaseLostError,
  NoKeyAvailableError,
  NotFoundError,
  OrchestratorError,
  PoolFullError,
  PoolPausedError,
  ServiceUnavailableError,
  ThrottledError,
  UnauthenticatedError,
  UnexpectedAnswerError,
  UnreachableError,
} from './errors.ts';
export type { EndLeaseOptions, KeysApi, ListKeysOptions } from './keys-api.ts';
export type { LeasesApi } from './leases-api.ts';
export type { CallOptions, PageOptions } from './options.ts';
export type { PoolsApi } from './pools-api.ts';
export type { Fetch } from './transport.ts';
export type { HeldLease, WithLeaseOptions } from './with-lease.ts';

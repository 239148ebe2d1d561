// biome-ignore-all lint/performance/noBarrelFile: what the package exports is listed here, once
export type {
  Caller,
  Client,
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
  Role,
  RotateClientRequest,
} from '../../shared/contract/clients.ts';
export type { Event, EventType, ListEventsResponse } from '../../shared/contract/events.ts';
export type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  KeyState,
  ListKeysResponse,
} from '../../shared/contract/keys.ts';
export type {
  AcquireLeaseRequest,
  Holder,
  Lease,
  ListHoldersResponse,
  ListLeasesResponse,
} from '../../shared/contract/leases.ts';
export type {
  ListPoolsResponse,
  PatchPoolRequest,
  Pool,
  PutPoolRequest,
} from '../../shared/contract/pools.ts';
export type { Labels } from '../../shared/contract/primitives.ts';
export type { LeaseEndReason } from '../../shared/contract/problems.ts';
export type { ListTicketsResponse, QueueEntry } from '../../shared/contract/tickets.ts';
export type { ListUsageResponse, Usage, UsagePoint, UsageTotals } from '../../shared/contract/usage.ts';
export type { AcquireOptions } from './acquire-lease.ts';
export type { ClientsApi, DeleteClientOptions } from './clients.ts';
export type { CallOptions, PageOptions } from './context.ts';
export { type ClientOptions, createClient, type OrchestratorClient } from './create-client.ts';
export {
  type ErrorCode,
  ForbiddenError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  KeyNotLeasedError,
  LastAdminError,
  LeaseChangedError,
  LeaseEndedError,
  LeaseLimitReachedError,
  LeaseLostError,
  NoKeyAvailableError,
  NotFoundError,
  OrchestratorError,
  OwnCredentialError,
  PoolChangedError,
  PoolFullError,
  PoolPausedError,
  ServiceUnavailableError,
  ThrottledError,
  TicketEndedError,
  UnauthenticatedError,
  UnexpectedAnswerError,
  UnreachableError,
  ValueExistsError,
} from './errors.ts';
export type {
  EventFilter,
  EventsApi,
  FollowEventsOptions,
  FollowedEvent,
  ListEventsOptions,
} from './events.ts';
export type { HeldLease, KeptLease, LeaseTime } from './held-lease.ts';
export type { HolderFilter, HoldersApi, ListHoldersOptions } from './holders.ts';
export type { EndLeaseOptions, KeyAsRead, KeysApi, ListKeysOptions, PauseKeyOptions } from './keys.ts';
export type { LeasesApi, Outcome, ReleaseOptions } from './leases.ts';
export type { ListUsageOptions, PoolsApi, UsageOptions, WritePoolOptions } from './pools.ts';
export type { Traceparent } from './trace-header.ts';
export type { Fetch } from './transport.ts';
export type { WithLeaseOptions } from './with-lease.ts';

import type {
  ListPoolsResponse,
  PatchPoolRequest,
  Pool,
  PutPoolRequest,
} from '../../shared/contract/pools.ts';
import type { ListTicketsResponse } from '../../shared/contract/tickets.ts';
import type { ListUsageResponse, Usage } from '../../shared/contract/usage.ts';
import type { CallOptions, Context, PageOptions } from './context.ts';
import { sendOnce, sendRepeatedly, withUnknownOutcome } from './repeat.ts';
import { pathOf } from './transport.ts';

export interface WritePoolOptions extends CallOptions {
  /**
   * `updatedAt` of the pool as it was read: nothing is written if it was changed since. Such a request is not repeated
   * when its outcome is unknown, since the repeat would find its own change.
   */
  readonly expectedUpdatedAt?: string | undefined;
}

export interface UsageOptions extends CallOptions {
  /** How far back; 24 by default, up to 9600 (400 days). */
  readonly hours?: number | undefined;
  /** Minutes of a point; such that there are at most 500 of them by default. For more than 168 hours, whole hours. */
  readonly step?: number | undefined;
}

export interface ListUsageOptions extends PageOptions {
  /** How far back; 24 by default, up to 168. */
  readonly hours?: number | undefined;
}

/** Calls for admins; viewers may read. */
export interface PoolsApi {
  /** Creates a pool, or replaces its whole policy: what is left out gets its default. @throws PoolChangedError */
  put(
    pool: string,
    policy?: Omit<PutPoolRequest, 'expectedUpdatedAt'>,
    options?: WritePoolOptions,
  ): Promise<Pool>;
  /** Changes what is named of a pool's policy, and nothing else. @throws NotFoundError, PoolChangedError */
  update(
    pool: string,
    changes: Omit<PatchPoolRequest, 'expectedUpdatedAt'>,
    options?: WritePoolOptions,
  ): Promise<Pool>;
  list(options?: PageOptions): Promise<ListPoolsResponse>;
  /** @throws NotFoundError */
  get(pool: string, options?: CallOptions): Promise<Pool>;
  /** Who waits for a key of a fair pool, in the order in which they will be served. @throws NotFoundError */
  listTickets(pool: string, options?: PageOptions): Promise<ListTicketsResponse>;
  /** How many keys of a pool were needed: points in time, peaks and percentiles. @throws NotFoundError */
  usage(pool: string, options?: UsageOptions): Promise<Usage>;
  /** The same of all pools, each with a few points. */
  listUsage(options?: ListUsageOptions): Promise<ListUsageResponse>;
  /** Refreshes all keys of the pool: restarts their hard-expiration clocks. @throws NotFoundError */
  refresh(pool: string, options?: CallOptions): Promise<void>;
  /**
   * Deletes a pool with its keys and ends their leases; `default` becomes empty. Sent once, and not again when its
   * outcome is unknown: the repeat might delete a pool that was created in between. @throws NotFoundError
   */
  delete(pool: string, options?: CallOptions): Promise<void>;
}

export function createPoolsApi(context: Context): PoolsApi {
  const write = (
    method: 'PUT' | 'PATCH',
    pool: string,
    policy: object,
    { expectedUpdatedAt, signal }: WritePoolOptions,
  ): Promise<Pool> => {
    const send = expectedUpdatedAt === undefined ? sendRepeatedly : sendOnce;
    return send(context, {
      method,
      path: `/pools${pathOf(pool)}`,
      body: { ...policy, expectedUpdatedAt },
      signal,
    });
  };

  return {
    put: (pool, policy = {}, options = {}) => write('PUT', pool, policy, options),
    update: (pool, changes, options = {}) => write('PATCH', pool, changes, options),
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/pools', query, signal }),
    get: (pool, { signal } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/pools${pathOf(pool)}`, signal }),
    listTickets: (pool, { signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/pools${pathOf(pool, 'tickets')}`, query, signal }),
    usage: (pool, { signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/pools${pathOf(pool, 'usage')}`, query, signal }),
    listUsage: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/usage', query, signal }),
    refresh: (pool, { signal } = {}) =>
      sendRepeatedly(context, { method: 'POST', path: `/pools${pathOf(pool, 'refresh')}`, signal }),
    delete: async (pool, { signal } = {}) => {
      const path = `/pools${pathOf(pool)}`;
      try {
        await context.send({ method: 'DELETE', path, timeoutMs: context.requestTimeoutMs, signal });
      } catch (error) {
        throw withUnknownOutcome(error);
      }
      context.held.endMatching((lease) => lease.pool === pool, 'deleted');
    },
  };
}

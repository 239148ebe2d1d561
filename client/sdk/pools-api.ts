import type { ListPoolsResponse, Pool, PutPoolRequest } from '../../shared/contract/pools.ts';
import type { Context } from './context.ts';
import type { CallOptions, PageOptions } from './options.ts';
import { sendDeletion, sendRepeatedly } from './send-repeatedly.ts';
import { pathOf } from './transport.ts';

/** What admins, and viewers as far as they read, do with pools. */
export interface PoolsApi {
  /** Creates a pool or replaces its policy; what is left out has its default. */
  put(pool: string, policy?: PutPoolRequest, options?: CallOptions): Promise<Pool>;
  list(options?: PageOptions): Promise<ListPoolsResponse>;
  /** @throws NotFoundError */
  get(pool: string, options?: CallOptions): Promise<Pool>;
  /** Deletes a pool with its keys and ends their leases; `default` becomes empty. @throws NotFoundError */
  delete(pool: string, options?: CallOptions): Promise<void>;
}

export function createPoolsApi(context: Context): PoolsApi {
  return {
    put: (pool, body = {}, { signal } = {}) =>
      sendRepeatedly(context, {
        method: 'PUT',
        path: `/pools${pathOf(pool)}`,
        body,
        signal,
      }) as Promise<Pool>,
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/pools', query, signal }) as Promise<ListPoolsResponse>,
    get: (pool, { signal } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/pools${pathOf(pool)}`, signal }) as Promise<Pool>,
    delete: (pool, { signal } = {}) => sendDeletion(context, { path: `/pools${pathOf(pool)}`, signal }),
  };
}

import type { Lease, ListLeasesResponse } from '../../shared/contract/leases.ts';
import type { Context } from './context.ts';
import type { CallOptions, PageOptions } from './options.ts';
import { sendRepeatedly } from './send-repeatedly.ts';
import { pathOf } from './transport.ts';

/** The client's own live leases. */
export interface LeasesApi {
  list(options?: PageOptions): Promise<ListLeasesResponse>;
  /** @throws LeaseEndedError */
  get(leaseId: string, options?: CallOptions): Promise<Lease>;
}

export function createLeasesApi(context: Context): LeasesApi {
  return {
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, {
        method: 'GET',
        path: '/leases',
        query,
        signal,
      }) as Promise<ListLeasesResponse>,
    get: (leaseId, { signal } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/leases${pathOf(leaseId)}`, signal }) as Promise<Lease>,
  };
}

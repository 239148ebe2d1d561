import type { Holder, ListHoldersQuery, ListHoldersResponse } from '../../shared/contract/leases.ts';
import type { Context, PageOptions } from './context.ts';
import { KeyNotLeasedError, LeaseChangedError, NotFoundError } from './errors.ts';
import type { EndLeaseOptions, KeysApi } from './keys.ts';
import { readPages } from './pages.ts';
import { sendRepeatedly } from './repeat.ts';

export type HolderFilter = Pick<ListHoldersQuery, 'pool' | 'client' | 'holder'>;

export interface ListHoldersOptions extends HolderFilter, PageOptions {}

/** Who holds what. Calls for admins; viewers may list. */
export interface HoldersApi {
  /**
   * A page of the live leases of all pools, the oldest first (a hundred clients at a time). It may be short, even empty: go
   * on while it has a `nextCursor`.
   */
  list(options?: ListHoldersOptions): Promise<ListHoldersResponse>;
  /**
   * Ends these leases, one after the other; each key cools until its holder's own deadline. Those that end by themselves
   * meanwhile, and whatever the keys are leased to then, are left alone. Returns which it ended.
   */
  end(filter: HolderFilter & { readonly client: string }, options?: EndLeaseOptions): Promise<Holder[]>;
}

export function createHoldersApi(context: Context, keys: KeysApi): HoldersApi {
  const list: HoldersApi['list'] = ({ signal, ...query } = {}) =>
    sendRepeatedly(context, { method: 'GET', path: '/holders', query, signal });

  return {
    list,
    end: async (filter, options = {}) => {
      const readPage = (page: PageOptions) => list({ ...filter, ...page, signal: options.signal });
      const { holders } = await readPages('holders', Number.POSITIVE_INFINITY, readPage);
      const ended: Holder[] = [];
      for (const held of holders) {
        try {
          await keys.unblock(held, options);
          ended.push(held);
        } catch (error) {
          if (!isOver(error)) throw error;
        }
      }
      return ended;
    },
  };
}

function isOver(error: unknown): boolean {
  return (
    error instanceof LeaseChangedError || error instanceof KeyNotLeasedError || error instanceof NotFoundError
  );
}

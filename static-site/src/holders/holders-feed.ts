import type { Key } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';

/** The most leases of a pool that are asked for: a page of the API. */
export const MOST_OF_A_POOL = 200;
/** Pools that are asked at once. */
const AT_ONCE = 4;

/** A key with its lease. */
export interface HeldKey {
  readonly key: Key & { readonly lease: NonNullable<Key['lease']> };
  /** When the request was sent, on the monotonic clock. */
  readonly sentAt: number;
}

export interface Holders {
  /** The oldest lease first. */
  readonly held: readonly HeldKey[];
  /** Whether a pool has more leases than were asked for. */
  readonly isPartial: boolean;
}

/** The leases of all pools: one request for each pool that has any, however large it is. */
export function createHoldersFeed(
  api: Api,
  pools: { readonly value: readonly Pool[] | undefined },
): Feed<Holders> {
  const leasedPools = (): readonly Pool[] =>
    pools.value?.filter(({ counts }) => counts.leased.count > 0) ?? [];
  return createFeed<Holders>({
    everyMs: () => 3000 + leasedPools().length * 500,
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const asked = pools.value === undefined ? (await api.listPools(abort)).body : leasedPools();
      const left = asked.filter(({ counts }) => counts.leased.count > 0);
      const held: HeldKey[] = [];
      let isPartial = false;
      let sentAt = performance.now();
      const work = async (): Promise<void> => {
        for (let pool = left.shift(); pool !== undefined; pool = left.shift()) {
          const page = {
            pool: pool.pool,
            state: 'leased',
            limit: MOST_OF_A_POOL,
            cursor: undefined,
          } as const;
          const answer = await api.listKeys(page, abort);
          sentAt = Math.min(sentAt, answer.sentAt);
          isPartial ||= answer.body.nextCursor !== undefined;
          for (const key of answer.body.keys)
            if (key.lease !== undefined)
              held.push({ key: { ...key, lease: key.lease }, sentAt: answer.sentAt });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      held.sort((a, b) => a.key.lease.acquiredAt.localeCompare(b.key.lease.acquiredAt));
      return { body: { held, isPartial }, sentAt };
    },
  });
}

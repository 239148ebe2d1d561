import { type Signal, signal } from '@preact/signals';
import type { Holder } from '../../../shared/contract/leases.ts';
import type { Api, HolderPageRequest } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';

/** The most leases of a page. */
const PAGE = 100;

/** A lease, and when the request that told of it was sent, on the monotonic clock. */
export interface HeldKey extends Holder {
  readonly sentAt: number;
}

export interface Holders {
  /** The oldest lease first. */
  readonly held: readonly HeldKey[];
  /** Whether more may follow. */
  readonly isPartial: boolean;
}

export interface HoldersFeed extends Feed<Holders> {
  /** So many pages are read, each of which costs a bounded look. */
  readonly pages: Signal<number>;
}

/** The live leases that match, in all pools. */
export function createHoldersFeed(
  api: Api,
  filter: Omit<HolderPageRequest, 'limit' | 'cursor'>,
): HoldersFeed {
  const pages = signal(1);
  const feed = createFeed<Holders>({
    everyMs: () => 3000 * pages.peek(),
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const held = new Map<string, HeldKey>();
      let sentAt = Number.POSITIVE_INFINITY;
      let cursor: string | undefined;
      for (let page = 0; page < pages.peek() && (page === 0 || cursor !== undefined); page += 1) {
        const answer = await api.listHolders({ ...filter, limit: PAGE, cursor }, abort);
        sentAt = Math.min(sentAt, answer.sentAt);
        // A key that was acquired again meanwhile may be on two pages: the later one holds.
        for (const each of answer.body.holders) held.set(each.keyId, { ...each, sentAt: answer.sentAt });
        cursor = answer.body.nextCursor;
      }
      const oldestFirst = [...held.values()].sort((a, b) => a.acquiredAt.localeCompare(b.acquiredAt));
      return { body: { held: oldestFirst, isPartial: cursor !== undefined }, sentAt };
    },
  });
  return { ...feed, pages };
}

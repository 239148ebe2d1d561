import { signal } from '@preact/signals';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { addSample, isOld, noHistory, recordedHistory, type UsageHistory } from './usage-history.ts';

export interface PoolsFeed extends Feed<readonly Pool[]> {
  readonly history: { readonly value: UsageHistory };
}

/** All pools that the caller may see, and their use in the last hour. */
export function createPoolsFeed(api: Api): PoolsFeed {
  const history = signal(noHistory);
  const feed = createFeed<readonly Pool[]>({
    // The service counts the keys of each pool.
    everyMs: (pools) => Math.min(15_000, 3000 + (pools?.length ?? 0) * 50),
    onError: endSessionIfRejected,
    ask: async (abort) => {
      // At the start, and after a tab was hidden, the service knows what happened before.
      const [answer, recorded] = await Promise.all([
        api.listPools(abort),
        isOld(history.peek()) ? api.listUsage(1, abort).catch(() => undefined) : undefined,
      ]);
      const before = recorded === undefined ? history.peek() : recordedHistory(recorded.body);
      history.value = addSample(before, answer.body);
      return answer;
    },
  });
  return { ...feed, history };
}

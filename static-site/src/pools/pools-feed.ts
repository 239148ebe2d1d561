import { signal } from '@preact/signals';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Answer, Api } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { addSample, type Sample } from './usage-history.ts';

const PAGE = 200;
/** More than this is not for one page; the rest is reached by name. */
const MAX_PAGES = 5;

export interface PoolsFeed extends Feed<readonly Pool[]> {
  readonly history: { readonly value: readonly Sample[] };
}

/** Every pool that the caller may see, now and in the last minutes. */
export function createPoolsFeed(api: Api): PoolsFeed {
  const history = signal<readonly Sample[]>([]);
  const feed = createFeed<readonly Pool[]>({
    // Counting costs the service something for each pool.
    everyMs: (pools) => Math.min(15_000, 3000 + (pools?.length ?? 0) * 50),
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const answer = await listAllPools(api, abort);
      history.value = addSample(history.peek(), answer.body);
      return answer;
    },
  });
  return { ...feed, history };
}

async function listAllPools(api: Api, abort: AbortSignal): Promise<Answer<readonly Pool[]>> {
  const pools: Pool[] = [];
  let cursor: string | undefined;
  let sentAt: number | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await api.listPools({ limit: PAGE, cursor }, abort);
    sentAt ??= answer.sentAt;
    pools.push(...answer.body.pools);
    cursor = answer.body.nextCursor;
    if (cursor === undefined) break;
  }
  return { body: pools, sentAt: sentAt ?? performance.now() };
}

import type { Client } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';

const PAGE = 200;
const MAX_PAGES = 10;
/** Clients change by hand: seldom. */
const EVERY_MS = 15_000;

export function createClientsFeed(api: Api): Feed<readonly Client[]> {
  return createFeed<readonly Client[]>({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const clients: Client[] = [];
      let cursor: string | undefined;
      let sentAt = performance.now();
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const answer = await api.listClients({ limit: PAGE, cursor }, abort);
        if (page === 0) sentAt = answer.sentAt;
        clients.push(...answer.body.clients);
        cursor = answer.body.nextCursor;
        if (cursor === undefined) break;
      }
      return { body: clients.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)), sentAt };
    },
  });
}

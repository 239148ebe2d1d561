import type { Event } from '../../../shared/contract/events.ts';
import type { Api } from '../api/api.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import type { EventFilter } from '../router.ts';
import { endSessionIfRejected } from '../session/session.ts';

/** How often new events are asked for, in milliseconds. */
const EVERY_MS = 3000;
/** The newest so many are loaded at first: the most that the API gives at once. */
export const TAIL = 200;
/** The most that are kept here while new ones come. */
const MOST = 1000;

/** The newest events that match, newest first. */
export function createEventsFeed(api: Api, filter: EventFilter): Feed<readonly Event[]> {
  let events: readonly Event[] = [];
  let next: string | undefined;
  return createFeed<readonly Event[]>({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: async (abort) => {
      let answer = await api.listEvents(
        next === undefined ? { ...filter, tail: TAIL } : { ...filter, after: next, limit: TAIL },
        abort,
      );
      let added = answer.body.events;
      // So much happened while nobody looked that the newest ones are not in this page.
      if (next !== undefined && added.length === TAIL) {
        answer = await api.listEvents({ ...filter, tail: TAIL }, abort);
        added = answer.body.events;
        events = [];
      }
      next = answer.body.next;
      if (added.length > 0) events = [...added.toReversed(), ...events].slice(0, MOST);
      return { body: events, sentAt: answer.sentAt };
    },
  });
}

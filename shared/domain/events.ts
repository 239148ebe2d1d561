import { createHash, randomBytes } from 'node:crypto';
import type { Event as EventBody } from '../contract/events.ts';

/** Something that happened, as a caller may read it later. `at`: milliseconds since the epoch. */
export type Event = Omit<EventBody, 'at'> & { readonly at: number };

/**
 * An event. `seed`: what happens once alone, so that the event has the same id whoever notes it; absent: a random id. A
 * seed may be secret (the id of a lease): the event's id does not tell it.
 */
export function makeEvent(event: Omit<Event, 'eventId'>, seed?: string): Event {
  const id =
    seed === undefined
      ? randomBytes(16)
      : createHash('sha256').update(`${event.type}\n${seed}`).digest().subarray(0, 16);
  return { eventId: `event_${id.toString('base64url')}`, ...event };
}

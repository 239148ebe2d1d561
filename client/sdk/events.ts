import type { Event, ListEventsQuery, ListEventsResponse } from '../../shared/contract/events.ts';
import { retryMs } from './back-off.ts';
import { pause } from './clock.ts';
import { type CallOptions, type Context, checkDuration } from './context.ts';
import { isTransient, type OrchestratorError, UnexpectedAnswerError } from './errors.ts';
import { askedToWaitMs, sendRepeatedly } from './repeat.ts';

/** Which events: all that match every field that is given. */
export type EventFilter = Pick<ListEventsQuery, 'pool' | 'type' | 'key' | 'client' | 'holder'>;

export interface ListEventsOptions extends EventFilter, CallOptions {
  /** Where to go on: `next` of the page before; the oldest event that is kept by default. */
  readonly after?: string | undefined;
  /** From 1 to 200; 50 by default. */
  readonly limit?: number | undefined;
  /** The newest so many, 1 to 200, instead of those after a place. */
  readonly tail?: number | undefined;
}

export interface FollowEventsOptions extends EventFilter {
  /** Where to go on; the oldest event that is kept by default. For what happens from now on: `next` of a list with `tail`. */
  readonly after?: string | undefined;
  /** Ends the following: the loop ends as if there were no more events. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait before asking for more, in milliseconds; 2 s by default. */
  readonly pollMs?: number | undefined;
  /** Called when the service begins to fail, with the error, and when it responds again, with none. */
  readonly onOutage?: ((error: OrchestratorError | undefined) => void) | undefined;
}

/** An event, and the place behind it. */
export type FollowedEvent = Event & {
  /**
   * Give it as `after` to go on behind this event, once you have dealt with it. Some events of the same page may come
   * again, under the same `eventId`; none is left out. Undefined in the first page of all, before its last event.
   */
  readonly after: string | undefined;
};

/** Calls for admins and viewers. */
export interface EventsApi {
  /** A page of what happened, oldest first. It may be short, even empty, although more follow: go on with its `next`. */
  list(options?: ListEventsOptions): Promise<ListEventsResponse>;
  /**
   * What happened and what happens, oldest first, until the signal is aborted. Failures that may pass end nothing: it asks
   * again, in the place where it was. @throws ForbiddenError, InvalidRequestError and others that no repeat would mend
   *
   * @example
   * for await (const { type, keyId, after } of client.events.follow({ pool: 'licences', after: saved })) {
   *   console.log(type, keyId);
   *   await save(after);
   * }
   */
  follow(options?: FollowEventsOptions): AsyncGenerator<FollowedEvent, void, void>;
}

const POLL_MS = 2000;
const PAGE = 200;

export function createEventsApi(context: Context): EventsApi {
  return {
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/events', query, signal }),
    follow: (options = {}) => {
      checkDuration('pollMs', options.pollMs);
      return follow(context, options);
    },
  };
}

async function* follow(
  context: Context,
  { after: from, signal, pollMs = POLL_MS, onOutage, ...filter }: FollowEventsOptions,
): AsyncGenerator<FollowedEvent, void, void> {
  const { clock, random, requestTimeoutMs: timeoutMs } = context;
  let after = from;
  let hasBegun = false;
  let failures = 0;
  while (!signal?.aborted) {
    let page: ListEventsResponse;
    try {
      const query = { ...filter, after, limit: PAGE };
      const request = { method: 'GET', path: '/events', query, timeoutMs, signal } as const;
      page = (await context.send<ListEventsResponse>(request)).body;
    } catch (error) {
      if (signal?.aborted) return;
      if (!mayPass(error, hasBegun)) throw error;
      if (failures === 0) onOutage?.(error);
      await pause(clock, retryMs(failures++, askedToWaitMs(error), random), signal).catch(() => undefined);
      continue;
    }
    if (failures > 0) onOutage?.(undefined);
    failures = 0;
    hasBegun = true;
    for (const [index, event] of page.events.entries()) {
      if (signal?.aborted) return;
      yield { ...event, after: index === page.events.length - 1 ? page.next : after };
    }
    const pauseMs = pauseAfter(page, after, pollMs);
    after = page.next;
    if (pauseMs > 0) await pause(clock, pauseMs, signal).catch(() => undefined);
  }
}

/**
 * Behind a full page there are more. Behind another one that led further there may be (events that do not match fill pages
 * too): a share of the pause, so that a busy service is not asked without end.
 */
function pauseAfter({ events, next }: ListEventsResponse, after: string | undefined, pollMs: number): number {
  if (events.length === PAGE) return 0;
  return next === after ? pollMs : pollMs / 8;
}

/** The page of a firewall passes as well, in front of a service that has responded before. */
function mayPass(error: unknown, hasBegun: boolean): error is OrchestratorError {
  return isTransient(error) || (hasBegun && error instanceof UnexpectedAnswerError);
}

/** The first pause lasts at most this long, in milliseconds; each further one up to twice as long. */
const FIRST_MS = 100;
/** No pause is longer, in milliseconds: a key may be released long before its lease would have lapsed. */
const LONGEST_PAUSE_MS = 3000;
/** No pause is shorter, in milliseconds. */
const SHORTEST_PAUSE_MS = 20;
/** How much of the time that was waited so far the next pause may last. */
const PAUSE_SHARE = 0.1;
/** How far callers that were told the same moment are spread, in milliseconds. */
const SPREAD_MS = 250;

/**
 * Milliseconds to pause before try number `retry` (from 0) is repeated: full jitter, that is anything between nothing
 * and a bound that doubles. Half of the callers of a fixed or an equally jittered pause would meet again.
 */
export function backOffMs(retry: number, random: () => number): number {
  return Math.max(SHORTEST_PAUSE_MS, random() * boundMs(retry));
}

function boundMs(retry: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_MS * 2 ** Math.min(retry, 16));
}

/**
 * Milliseconds to pause before asking again for a key, after `waitedMs` of waiting. `retryAfterMs` is when one is free at
 * the latest unless its lease is kept alive: waiting longer than that is of no use, but a release may free one sooner.
 * Full jitter below a share of the time that was waited so far: whoever waits long waits for long leases, or among many.
 * So the time between a release and the next question stays a small share of a lease, whatever the lease's length and
 * the number of those who wait.
 */
export function waitForKeyMs(waitedMs: number, retryAfterMs: number, random: () => number): number {
  const boundMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_MS, waitedMs * PAUSE_SHARE));
  return retryAfterMs <= boundMs
    ? retryAfterMs + Math.round(random() * SPREAD_MS)
    : Math.max(SHORTEST_PAUSE_MS, Math.round(random() * boundMs));
}

/** Milliseconds to pause after a failure that may pass; `retryAfterMs`, where the service gave it, is the least. */
export function retryMs(retry: number, retryAfterMs: number | undefined, random: () => number): number {
  return Math.min(retryAfterMs ?? 0, LONGEST_PAUSE_MS) + backOffMs(retry, random);
}

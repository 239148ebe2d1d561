/**
 * How much of a pool's time is lost while callers wait for it without a queue: between a release and the next acquire.
 * The SDK itself, on clocks that are moved, before a pool of one key (`node bench/waiting.ts`). Nothing here is timed:
 * the same run gives the same figures.
 */
import { createClientWith } from '../client/sdk/create-client.ts';
import type { Fetch } from '../client/sdk/transport.ts';
import { ManualClock } from '../test/client/support/manual-clock.ts';

const WAITERS = 20;
/** Between the sending of a request and the pool, and back, in milliseconds. */
const WAY_MS = 5;
const LEASE_MS = 60_000;

export interface Waited {
  /** The share of the time in which the key was free although somebody waited for it. */
  readonly lost: number;
  readonly requestsPerSecond: number;
}

/** All come at once, and each works once for `workMs`. */
export async function waitTogether(workMs: number, seed: number): Promise<Waited> {
  const clock = new ManualClock();
  let holder: string | undefined;
  let requests = 0;
  let working = WAITERS;
  const startedAt = clock.monotonicNow();
  let freeSince = startedAt;
  let freeMs = 0;
  const pass = (ms: number): Promise<void> => new Promise((resolve) => void clock.schedule(resolve, ms));

  const respond = (path: string, body: string): { status: number; body: object } => {
    if (path.endsWith('/keep-alive')) return { status: 200, body: leaseOf(holder) };
    if (holder !== undefined) return { status: 409, body: NO_KEY };
    freeMs += clock.monotonicNow() - freeSince;
    ({ holder } = JSON.parse(body));
    return { status: 201, body: leaseOf(holder) };
  };
  const fetch: Fetch = async (url, { method, body = '' }) => {
    requests += 1;
    await pass(WAY_MS);
    if (method === 'DELETE') {
      holder = undefined;
      freeSince = clock.monotonicNow();
    }
    const response = method === 'DELETE' ? undefined : respond(url, body);
    await pass(WAY_MS);
    if (response === undefined) return new Response(null, { status: 204 });
    return Response.json(response.body, { status: response.status });
  };
  const options = { url: 'https://service.test', credential: 'a.b', fetch };
  const client = createClientWith(options, { clock, random: randomFrom(seed) });

  let endedAt = startedAt;
  for (let waiter = 0; waiter < WAITERS; waiter++) {
    const work = async (): Promise<void> => {
      await pass(workMs);
      endedAt = clock.monotonicNow();
      working -= 1;
    };
    void client.withLease({ holder: `waiter-${waiter}`, waitMs: 1e9 }, work);
  }
  while (working > 0) await clock.advance(1000);
  const elapsedMs = endedAt - startedAt;
  return { lost: freeMs / elapsedMs, requestsPerSecond: requests / (elapsedMs / 1000) };
}

const NO_KEY = {
  type: 'about:blank',
  title: 'Conflict',
  status: 409,
  code: 'no_key_available',
  detail: 'No key is free',
  requestId: 'r',
  // As of a lease that was just kept alive: the pool cannot know when the work ends.
  retryAfterMs: LEASE_MS,
};

function leaseOf(holder: string | undefined): object {
  return { leaseId: holder, expiresInMs: LEASE_MS, keepAliveEveryMs: LEASE_MS / 3 };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  for (const workMs of [200, 1000, 5000, 30_000]) {
    const runs = await Promise.all([1, 2, 3, 4, 5].map((seed) => waitTogether(workMs, seed)));
    const mean = (pick: (run: Waited) => number): number =>
      runs.reduce((sum, run) => sum + pick(run), 0) / runs.length;
    const most = Math.max(...runs.map(({ lost }) => lost));
    console.log(
      `${WAITERS} waiters, ${workMs} ms of work each: ${(100 * mean(({ lost }) => lost)).toFixed(1)} % of the time lost ` +
        `(at most ${(100 * most).toFixed(1)} %), ${mean(({ requestsPerSecond }) => requestsPerSecond).toFixed(1)} requests a second`,
    );
  }
}

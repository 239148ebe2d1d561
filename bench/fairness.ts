/**
 * What a fair pool is worth to those who wait in it: 200 waiters for 5 keys, each by the SDK, over HTTP, before the local
 * host on SQLite, or two of them on one file (`npm run bench:fairness`). Every tenth goes away without a word: its network
 * is cut at some moment, and its ticket has to lapse.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createProgressBar, formatTable } from '../client/cli/print.ts';
import { createClient } from '../client/sdk/create-client.ts';
import type { HeldLease } from '../client/sdk/held-lease.ts';
import type { Fetch } from '../client/sdk/transport.ts';
import { HostProcess } from '../test/support/host-process.ts';

const WAITERS = 200;
const KEYS = 5;
/** One waiter of so many goes away, at some moment before half of them can have been served. */
const ONE_GOES_OF = 10;

/** What a waiter was given. `from` and `to` by the monotonic clock of this process, around its work. */
interface Served {
  readonly waiter: number;
  readonly keyId: string;
  /** By the host's clock: the order in which keys were given. */
  readonly acquiredAt: string;
  readonly from: number;
  readonly to: number;
}

/** All wait before the first key is free; each then works once, for half to one and a half times `workMs`. */
async function serveAll(hosts: readonly HostProcess[], workMs: number): Promise<string[]> {
  const [first] = hosts as [HostProcess];
  const pool = `pool-${workMs}`;
  const admin = first.client();
  await admin.pools.put(pool, { fair: true, keyTtlSeconds: null, leaseSeconds: 600 });
  await admin.keys.create({ pool, count: KEYS });
  const held = await Promise.all(Array.from({ length: KEYS }, () => admin.acquire({ pool })));

  const served: Served[] = [];
  const gone = new Set<number>();
  const begun = new Set<number>();
  const end = new AbortController();
  const bar = createProgressBar(WAITERS - WAITERS / ONE_GOES_OF);
  let requests = 0;
  const wait = async (waiter: number): Promise<void> => {
    const cut: Fetch = (url, init) => {
      requests += 1;
      if (!gone.has(waiter)) return fetch(url, init);
      return new Promise((_, reject) =>
        init.signal.addEventListener('abort', () => reject(init.signal.reason)),
      );
    };
    const { url } = hosts[waiter % hosts.length] as HostProcess;
    const client = createClient({ url, credential: first.credential, fetch: cut });
    const work = async ({ keyId, acquiredAt }: HeldLease): Promise<void> => {
      const from = performance.now();
      begun.add(waiter);
      gone.delete(waiter); // It was just being served when it was to go away.
      await pause(workMs * (0.5 + Math.random()));
      served.push({ waiter, keyId, acquiredAt, from, to: performance.now() });
      if (served.length % (WAITERS / 10) === 0) bar.show(served.length);
    };
    await client.withLease({ pool, holder: String(waiter), waitMs: 3_600_000, signal: end.signal }, work);
  };
  const ended = Promise.allSettled(Array.from({ length: WAITERS }, (_, waiter) => wait(waiter)));

  let queue: number[] = [];
  while (queue.length < WAITERS) {
    await pause(100);
    const { tickets } = await admin.pools.listTickets(pool, { limit: WAITERS });
    queue = tickets.map(({ holder }) => Number(holder));
  }
  requests = 0;
  const startedAt = performance.now();
  for (const { leaseId } of held) await admin.release(leaseId);
  for (let waiter = 0; waiter < WAITERS; waiter += ONE_GOES_OF) {
    setTimeout(() => begun.has(waiter) || gone.add(waiter), (Math.random() * workMs * WAITERS) / KEYS / 2);
  }
  // Whoever has not gone away is served in the end.
  while (served.length + gone.size < WAITERS) await pause(20);
  end.abort();
  await ended;

  served.sort((one, other) => one.acquiredAt.localeCompare(other.acquiredAt) || one.from - other.from);
  const lastAt = Math.max(...served.map(({ from }) => from));
  const idle = idleTimes(served, startedAt, lastAt);
  const lost = idle.reduce((sum, ms) => sum + ms, 0) / (KEYS * (lastAt - startedAt));
  const { inversions, furthest } = compareOrders(queue, served);
  return [
    `${hosts.length}`,
    `${workMs / 1000} s`,
    `${served.length}`,
    `${gone.size}`,
    `${WAITERS - served.length - gone.size}`,
    `${inversions}`,
    `${furthest}`,
    `${(Math.max(...idle) / 1000).toFixed(2)} s`,
    `${(100 * lost).toFixed(1)} %`,
    `${Math.round((1000 * requests) / (lastAt - startedAt))}`,
  ];
}

const HEADINGS = [
  'hosts',
  'work',
  'served',
  'went away',
  'starved',
  'pairs out of order',
  'places apart',
  'longest idle key',
  'time lost',
  'requests a second',
];

/** Each time that a key was free while somebody waited. */
function idleTimes(served: readonly Served[], startedAt: number, lastAt: number): number[] {
  return Object.values(Object.groupBy(served, ({ keyId }) => keyId)).flatMap((uses = []) => {
    const inOrder = uses.toSorted((one, other) => one.from - other.from);
    const freeAt = [startedAt, ...inOrder.map(({ to }) => to)];
    return freeAt.map((at, index) => Math.max(0, (inOrder[index]?.from ?? lastAt) - at));
  });
}

/** Pairs of which the later in the queue was served first, and how far they were apart among those who were served. */
function compareOrders(
  queue: readonly number[],
  served: readonly Served[],
): { inversions: number; furthest: number } {
  const order = served.map(({ waiter }) => waiter);
  const places = queue.filter((waiter) => order.includes(waiter));
  const ranks = order.map((waiter) => places.indexOf(waiter));
  let inversions = 0;
  let furthest = 0;
  for (const [index, rank] of ranks.entries()) {
    for (const later of ranks.slice(index + 1)) {
      if (later > rank) continue;
      inversions += 1;
      furthest = Math.max(furthest, rank - later);
    }
  }
  return { inversions, furthest };
}

async function measure(hostCount: number, worksMs: readonly number[]): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-'));
  const environment = {
    BOOTSTRAP_CREDENTIAL: `client_bench.${randomBytes(32).toString('base64url')}`,
    LOG_LEVEL: 'ERROR',
  };
  const hosts = Array.from({ length: hostCount }, () => new HostProcess(folder, environment));
  try {
    for (const host of hosts) await host.start();
    const rows: string[][] = [];
    for (const workMs of worksMs) rows.push(await serveAll(hosts, workMs));
    return rows;
  } finally {
    for (const host of hosts) await host.remove();
  }
}

const rows = [...(await measure(1, [200, 1000, 3000])), ...(await measure(2, [1000]))];
console.log(formatTable(HEADINGS, rows));

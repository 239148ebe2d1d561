import { writeSync } from 'node:fs';
import type { HeldLease, Lease } from '../../shared/contract/leases.ts';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../shared/domain/client.ts';
import type { Context } from '../../shared/domain/context.ts';
import { NoKeyAvailableError } from '../../shared/domain/errors.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { DEFAULT_POOL } from '../../shared/domain/pool.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';
import { makeKey, makeSeats, TOLERANCE_MS } from './contract/scene.ts';

// A process of its own, for the tests that need more than one: `node sqlite-process.ts JOB FILE NOW`.

const [, , job = '', path = '', now = ''] = process.argv;
const NOW = Number(now);
const CALLER: Caller = { clientId: `process-${process.pid}`, role: 'client' };

function connect(): Context {
  const options = { clock: () => NOW, clockSkewToleranceMs: TOLERANCE_MS };
  return createRuntime(createSqliteStore({ path }), options).context;
}

async function acquire(context: Context): Promise<HeldLease> {
  const acquired = await acquireLease(context, CALLER, { pool: DEFAULT_POOL });
  if ('waiting' in acquired) throw new Error('Nobody waits in this pool');
  return acquired.lease;
}

const JOBS: Record<string, () => Promise<unknown>> = {
  /** Opens and prepares a database that does not exist yet. */
  async prepare() {
    const { store } = connect();
    await store.prepare(NOW);
    await store.close();
  },
  /** As many acquires as 32 callers would send at once; returns the keys. */
  async acquire() {
    const context = connect();
    const acquired = await Promise.allSettled(Array.from({ length: 32 }, () => acquire(context)));
    return acquired.map((result) =>
      result.status === 'fulfilled' ? result.value.keyId : result.reason.code,
    );
  },
  /** 100 creates of two keys each in a pool that holds 101; returns how many were carried out. */
  async create() {
    const { store } = connect();
    let created = 0;
    for (let i = 0; i < 100; i++) {
      const keys = ['a', 'b'].map((name) => makeKey({ keyId: `${process.pid}-${i}-${name}` }));
      if ((await store.keys.create(keys, makeSeats(101, NOW))) === 'created') created += 1;
    }
    return created;
  },
  /** 32 callers, each of which acquires and releases again and again; returns every lease and how often none was free. */
  async takeTurns() {
    const context = connect();
    const leases: { keyId: string; fencingToken: number }[] = [];
    let refused = 0;
    const caller = async () => {
      for (let turn = 0; turn < 20; turn++) {
        try {
          const lease = await acquire(context);
          leases.push({ keyId: lease.keyId, fencingToken: lease.fencingToken });
          await keepAliveLease(context, CALLER, lease.leaseId);
          await releaseLease(context, CALLER, lease.leaseId);
        } catch (error) {
          if (!(error instanceof NoKeyAvailableError)) throw error;
          refused += 1;
        }
      }
    };
    await Promise.all(Array.from({ length: 32 }, caller));
    return { leases, refused };
  },
  /** Acquires and keeps alive until it is killed; prints each lease once it has been answered. */
  async hold() {
    const context = connect();
    const print = ({ keyId, fencingToken, expiresAt }: Lease) =>
      writeSync(1, `${JSON.stringify({ keyId, fencingToken, expiresAt })}\n`);
    for (let time = NOW; ; time += 1) {
      const lease = await acquire({ ...context, clock: () => time });
      print(lease);
      print(await keepAliveLease({ ...context, clock: () => time + 1 }, CALLER, lease.leaseId));
    }
  },
};

process.once('message', async () => {
  const result = await JOBS[job]?.();
  process.send?.(result ?? null, () => process.disconnect());
});
process.send?.('ready');

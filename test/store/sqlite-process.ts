import { writeSync } from 'node:fs';
import type { Caller } from '../../shared/domain/client.ts';
import type { Context } from '../../shared/domain/context.ts';
import { NoKeyAvailableError } from '../../shared/domain/errors.ts';
import type { Key } from '../../shared/domain/key.ts';
import { acquireLease } from '../../shared/domain/leases/acquire-lease.ts';
import { keepAliveLease } from '../../shared/domain/leases/keep-alive-lease.ts';
import type { LeaseView } from '../../shared/domain/leases/lease-view.ts';
import { releaseLease } from '../../shared/domain/leases/release-lease.ts';
import { DEFAULT_POOL } from '../../shared/domain/pool.ts';
import { PoolDirectory } from '../../shared/domain/pools/pool-directory.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';

// A process of its own, for the tests that need more than one: `node sqlite-process.ts JOB FILE NOW`.

const [, , job = '', path = '', now = ''] = process.argv;
const NOW = Number(now);
const CALLER: Caller = { clientId: `process-${process.pid}`, role: 'client' };

function connect(): Context {
  const store = createSqliteStore({ path });
  const pools = new PoolDirectory(store.pools);
  return { store, pools, clock: () => NOW, clockSkewToleranceMs: 1000 };
}

function makeKey(keyId: string): Key {
  const expiresAt = NOW + 300_000;
  return {
    keyId,
    pool: 'shared',
    state: 'free',
    slot: Math.random(),
    fencingToken: NOW,
    createdAt: NOW,
    expiresAt,
    freeAt: NOW,
  };
}

const JOBS: Record<string, () => Promise<unknown>> = {
  /** Opens and prepares a database that does not exist yet. */
  async prepare() {
    const { store } = connect();
    await store.prepare(NOW);
    await store.close();
  },
  /** As many acquires as 32 callers would send at once; answers the keys. */
  async acquire() {
    const context = connect();
    const acquired = await Promise.allSettled(
      Array.from({ length: 32 }, () => acquireLease(context, CALLER, { pool: DEFAULT_POOL })),
    );
    return acquired.map((result) =>
      result.status === 'fulfilled' ? result.value.lease.keyId : result.reason.code,
    );
  },
  /** 100 creates of two keys each in a pool that holds 101; answers how many were carried out. */
  async create() {
    const { store } = connect();
    let created = 0;
    for (let i = 0; i < 100; i++) {
      const keys = [makeKey(`${process.pid}-${i}-a`), makeKey(`${process.pid}-${i}-b`)];
      if (await store.keys.create(keys, { maxKeys: 101, now: NOW })) created += 1;
    }
    return created;
  },
  /** 32 callers, each of which acquires and releases again and again; answers every lease and how often none was free. */
  async takeTurns() {
    const context = connect();
    const leases: { keyId: string; fencingToken: number }[] = [];
    let refused = 0;
    const caller = async () => {
      for (let turn = 0; turn < 20; turn++) {
        try {
          const { lease } = await acquireLease(context, CALLER, { pool: DEFAULT_POOL });
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
    const print = ({ keyId, fencingToken, expiresAt }: LeaseView) =>
      writeSync(1, `${JSON.stringify({ keyId, fencingToken, expiresAt })}\n`);
    for (let time = NOW; ; time += 1) {
      const { lease } = await acquireLease({ ...context, clock: () => time }, CALLER, { pool: DEFAULT_POOL });
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

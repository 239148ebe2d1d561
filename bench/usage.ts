/**
 * What the samples of usage add to a sweep: 200 pools of 10,000 keys, half of them leased, in one SQLite file
 * (`npm run bench:usage`). The figures are of the function that the sweep calls, and of what a dashboard asks then.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER_EXPIRES } from '../shared/domain/key.ts';
import { DEFAULT_POLICY, poolReference } from '../shared/domain/pool.ts';
import { recordUsage } from '../shared/domain/record-usage.ts';
import { getUsage, listUsage } from '../shared/domain/usage.ts';
import { MINUTE_MS } from '../shared/domain/usage-units.ts';
import { createRuntime } from '../shared/runtime/runtime.ts';
import { SqliteConnection } from '../shared/store/sqlite/connection.ts';
import { storeOn } from '../shared/store/sqlite/sqlite-store.ts';

const POOLS = 200;
const KEYS = 10_000;
const SWEEPS = 10;
const ADMIN = { clientId: 'admin', role: 'admin' } as const;

const INSERT = `
  WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ${KEYS})
  INSERT INTO keys (
    key_id, pool, state, slot, fencing_token, created_at, expires_at, free_at,
    lease_id, lease_client, lease_acquired_at, lease_expires_at
  )
  SELECT
    :pool || '-' || number, :pool, iif(number % 2, 'leased', 'free'), random() / 1.8e19 + 0.5, :now, :now,
    ${NEVER_EXPIRES}, iif(number % 2, :end + 1000, :now),
    iif(number % 2, 'lease', NULL), iif(number % 2, 'client', NULL), iif(number % 2, :now, NULL),
    iif(number % 2, :end, NULL)
  FROM numbers`;

const folder = mkdtempSync(join(tmpdir(), 'usage-bench-'));
let now = Date.now();
try {
  const connection = new SqliteConnection(join(folder, 'bench.db'));
  const store = storeOn(connection);
  await store.prepare(now);
  for (let index = 0; index < POOLS; index += 1) {
    const pool = await store.pools.create(`pool-${index}`, { ...DEFAULT_POLICY, keyTtlSeconds: null }, now);
    if (pool === null) throw new Error('The pool stands already');
    await connection.together(async () =>
      connection.run(INSERT, { pool: poolReference(pool), now, end: now + 86_400_000 }),
    );
  }

  const process = createRuntime(store, { clock: () => now, clockSkewToleranceMs: 1000 });
  const time = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await work();
    return Math.round(performance.now() - startedAt);
  };
  const sweeps: number[] = [];
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    now += MINUTE_MS;
    sweeps.push(await time(() => recordUsage(process.context, () => true)));
  }
  console.log(`samples of ${POOLS} pools of ${KEYS} keys, ms: ${sweeps.sort((one, other) => one - other)}`);

  const week = Array.from({ length: 7 * 24 * 60 }, (_, minute) => ({
    pool: 'pool-0',
    at: now - minute * MINUTE_MS,
    figures: {
      leased: minute % 9,
      free: 1,
      cooling: 0,
      waiting: 0,
      taken: minute % 9,
      keys: 9,
      atLeast: false,
    },
    refused: false,
  }));
  await store.usage.record(week);
  const asked = await time(() => getUsage(process.context, ADMIN, 'pool-0', { hours: 168 }));
  const listed = await time(() => listUsage(process.context, ADMIN, { hours: 24, limit: POOLS }));
  console.log(`usage of a pool over 7 days: ${asked} ms; of ${POOLS} pools over 24 hours: ${listed} ms`);
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}

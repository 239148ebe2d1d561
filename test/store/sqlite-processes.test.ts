import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Key } from '../../shared/domain/key.ts';
import { DEFAULT_POOL, type Pool, poolReference } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';
import { addKeys, listAll, makeKey, NOW, POOL, stored } from './contract/scene.ts';
import { makeFolder } from './sqlite-fixture.ts';

/** What callers got who took turns. */
interface Turns {
  readonly leases: readonly Pick<Key, 'keyId' | 'fencingToken'>[];
  readonly refused: number;
}

const PROGRAM = fileURLToPath(new URL('sqlite-process.ts', import.meta.url));

describe('several processes on one SQLite file', () => {
  let folder: ReturnType<typeof makeFolder>;
  let children: ChildProcess[];
  const file = () => join(folder.path, 'test.db');

  beforeEach(() => {
    folder = makeFolder();
    children = [];
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    folder.remove();
  });

  /** A process that waits for {@link run} to begin its job. */
  async function start(job: string): Promise<ChildProcess> {
    const child = fork(PROGRAM, [job, file(), String(NOW)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    children.push(child);
    await nextMessage(child);
    return child;
  }

  /** Lets a process begin; its result. */
  async function run(child: ChildProcess): Promise<unknown> {
    const message = nextMessage(child);
    child.send('begin');
    return message;
  }

  async function nextMessage(child: ChildProcess): Promise<unknown> {
    const abort = new AbortController();
    const died = once(child, 'exit', { signal: abort.signal }).then(([code]) => {
      throw new Error(`The process ended with ${code}`);
    });
    try {
      const [message] = await Promise.race([once(child, 'message', { signal: abort.signal }), died]);
      return message;
    } finally {
      abort.abort();
    }
  }

  async function openWithKeys(count: number): Promise<Store> {
    const store = createSqliteStore({ path: file() });
    await store.prepare(NOW);
    const pool = poolReference((await store.pools.get(DEFAULT_POOL)) as Pool);
    await addKeys(
      store,
      Array.from({ length: count }, () => makeKey({ pool, slot: Math.random() })),
    );
    return store;
  }

  it('make and prepare it, all at once', async () => {
    const processes = await Promise.all(Array.from({ length: 4 }, () => start('prepare')));
    expect(await Promise.all(processes.map(run))).toEqual([null, null, null, null]);
    const store = createSqliteStore({ path: file() });
    expect(await store.pools.get(DEFAULT_POOL)).toMatchObject({ createdAt: NOW });
    await store.close();
  });

  it('never fill a pool beyond maxKeys', async () => {
    const store = await openWithKeys(0);
    const processes = await Promise.all([start('create'), start('create')]);
    const created = (await Promise.all(processes.map(run))) as number[];
    expect(created.reduce((sum, count) => sum + count)).toBe(50);
    expect(await listAll(store, { pool: POOL, now: NOW })).toHaveLength(100);
    await store.close();
  });

  it('give each key to one of 64 acquirers, and every key to somebody', async () => {
    const store = await openWithKeys(40);
    const processes = await Promise.all([start('acquire'), start('acquire')]);
    const results = (await Promise.all(processes.map(run))).flat() as string[];
    const keyIds = results.filter((result) => result !== 'no_key_available');
    expect(results).toHaveLength(64);
    expect(new Set(keyIds).size).toBe(40);
    expect(keyIds).toHaveLength(40);
    for (const keyId of keyIds)
      expect(await stored(store, { keyId })).toMatchObject({ fencingToken: NOW + 1 });
    await store.close();
  });

  it('never give a key to two of 64 callers who take turns', async () => {
    const store = await openWithKeys(20);
    const processes = await Promise.all([start('takeTurns'), start('takeTurns')]);
    const results = (await Promise.all(processes.map(run))) as Turns[];
    const leases = results.flatMap((result) => result.leases);
    expect(leases.length + results.reduce((sum, { refused }) => sum + refused, 0)).toBe(64 * 20);
    const distinct = new Set(leases.map(({ keyId, fencingToken }) => `${keyId} ${fencingToken}`));
    expect(distinct.size).toBe(leases.length);
    // Every lease raised one token by one, so that none was given, or taken back, unseen.
    const pool = poolReference((await store.pools.get(DEFAULT_POOL)) as Pool);
    const keys = await listAll(store, { pool, now: NOW, state: 'free' });
    const raised = keys.reduce((sum, key) => sum + key.fencingToken - NOW, 0);
    expect(raised).toBe(leases.length);
    expect(keys).toHaveLength(20);
    await store.close();
  });

  it('lose no lease that was answered when one of them is killed at a random moment', async () => {
    await (await openWithKeys(5000)).close();
    for (let round = 0; round < 3; round++) {
      const child = await start('hold');
      const killAfterBytes = randomInt(1, 50_000);
      let printed = '';
      child.stdout?.on('data', (chunk) => {
        printed += chunk;
        if (printed.length >= killAfterBytes) child.kill('SIGKILL');
      });
      child.send('begin');
      const [, signal] = await once(child, 'close');
      expect(signal).toBe('SIGKILL');

      const store = createSqliteStore({ path: file() });
      const lines = printed.split('\n').slice(0, -1);
      expect(lines).not.toHaveLength(0);
      for (const line of lines) {
        const { keyId, fencingToken, expiresAt } = JSON.parse(line);
        const key = await stored(store, { keyId });
        expect(key).toMatchObject({ state: 'leased', fencingToken });
        expect(key.lease?.expiresAt).toBeGreaterThanOrEqual(Date.parse(expiresAt));
      }
      await store.close();
    }
  });
});

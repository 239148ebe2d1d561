import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_POOL, type Pool, poolReference } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';
import {
  ALL_SLOTS,
  addKeys,
  expectKey,
  listAll,
  makeClaim,
  makeKey,
  NOW,
  stored,
} from '../store/contract/scene.ts';
import { makeFolder } from '../store/sqlite-fixture.ts';
import type { Answer } from './leasing-process.ts';

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The files of the database that count; SQLite makes `-shm` anew. */
const FILES = ['test.db', 'test.db-wal'];

/** What a disk writes whole, or not at all. */
const SECTOR = 512;

describe('a SQLite database on a disk that fails', () => {
  let folder: ReturnType<typeof makeFolder>;
  const inFolder = (...names: string[]) => join(folder.path, ...names);

  beforeEach(async () => {
    folder = makeFolder();
    for (const name of ['live', 'disk', 'after']) mkdirSync(inFolder(name));
    execFileSync('cc', ['-shared', '-fPIC', '-o', inFolder('disk.so'), source('disk.c'), '-ldl']);
    const store = createSqliteStore({ path: inFolder('live', 'test.db') });
    await store.prepare(NOW);
    const pool = await poolOf(store);
    // Few, so that each is leased again and again.
    const keys = Array.from({ length: 600 }, () =>
      makeKey({ pool, slot: Math.random(), expiresAt: 2 * NOW }),
    );
    await addKeys(store, keys);
    await store.close();
    copyFileSync(inFolder('live', 'test.db'), inFolder('disk', 'test.db'));
  });
  afterEach(() => folder.remove());

  async function poolOf(store: Store): Promise<string> {
    return poolReference((await store.pools.get(DEFAULT_POOL)) as Pool);
  }

  /** Lets the process lease until it has written so often, then ends it; what it had answered. */
  async function run(job: string, killBeforeOperation = 0): Promise<Answer[]> {
    const script = [source('leasing-process.ts'), job, inFolder('live', 'test.db'), inFolder('disk')];
    const printed = openSync(inFolder('printed'), 'w');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...script], {
      stdio: ['ignore', printed, 'inherit'],
      env: {
        LD_PRELOAD: inFolder('disk.so'),
        DISK_FOLDER: inFolder('disk'),
        DISK_OPERATIONS: String(killBeforeOperation),
      },
    });
    const [code, signal] = await once(child, 'close');
    closeSync(printed);
    expect(code ?? signal).toBe(killBeforeOperation === 0 ? 0 : 'SIGKILL');
    const lines = readFileSync(inFolder('printed'), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Answer);
  }

  /**
   * The files as a power cut leaves them: as they were at their last fsync, and of what was written since then any
   * sectors, in any order.
   */
  function cutPower(): void {
    for (const name of FILES) {
      const kept = existsSync(inFolder('disk', name))
        ? readFileSync(inFolder('disk', name))
        : Buffer.alloc(0);
      const written = readFileSync(inFolder('live', name));
      const size = Math.max(kept.length, randomInt(2) * written.length);
      const left = Buffer.alloc(size, kept);
      left.fill(0, kept.length);
      for (let at = 0; at < Math.min(size, written.length); at += SECTOR) {
        if (randomInt(2) === 0) written.copy(left, at, at, Math.min(at + SECTOR, size));
      }
      writeFileSync(inFolder('after', name), left);
    }
  }

  /** No lease that was answered is missing, and the next holder of a key has a greater token than all before. */
  async function expectAll(answers: readonly Answer[], store: Store): Promise<void> {
    const newest = new Map<string, Answer>();
    for (const answer of answers.filter(({ did }) => did !== 'fail')) {
      const before = newest.get(answer.keyId);
      if (before === undefined || before.fencingToken <= answer.fencingToken)
        newest.set(answer.keyId, answer);
    }
    for (const { did, keyId, fencingToken, until } of newest.values()) {
      const key = await stored(store, { keyId });
      expect(key.fencingToken).toBeGreaterThanOrEqual(fencingToken);
      if (did === 'release' || key.fencingToken > fencingToken) continue;
      expect(key.state).toBe('leased');
      expect(key.lease?.expiresAt).toBeGreaterThanOrEqual(until);
    }
    const pool = await poolOf(store);
    const rest = Array.from({ length: 600 }, () => store.keys.claim(makeClaim(NOW, { pool }), ALL_SLOTS));
    for (const claimed of await Promise.all(rest)) {
      if (claimed === null) continue;
      const { keyId, fencingToken } = expectKey(claimed);
      expect(fencingToken).toBeGreaterThan(newest.get(keyId)?.fencingToken ?? 0);
    }
  }

  it.each(Array.from({ length: 8 }, (_, round) => round))(
    'loses no answered lease when the power is cut at a random moment (%i)',
    async () => {
      const answers = await run('lease', randomInt(1, 5000));
      cutPower();
      const store = createSqliteStore({ path: inFolder('after', 'test.db') });
      await expectAll(answers, store);
      await store.close();
    },
  );

  it.each(['full', 'broken'])(
    'gives no lease while the disk is %s, and goes on when it is not',
    async (fault) => {
      const answers = await run(fault);
      const failed = answers.filter(({ did }) => did === 'fail');
      expect(failed).toHaveLength(12);
      expect(answers.filter(({ did }) => did === 'acquire')).toHaveLength(12 * 6);
      const store = createSqliteStore({ path: inFolder('live', 'test.db') });
      // Each lease raised one token by one: what failed raised none.
      const keys = await listAll(store, { pool: await poolOf(store), now: NOW });
      expect(keys.reduce((sum, key) => sum + key.fencingToken - NOW, 0)).toBe(12 * 6);
      await expectAll(answers, store);
      await store.close();
    },
  );
});

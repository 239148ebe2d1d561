import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { problemCodes } from '../../../shared/contract/problems.ts';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { listEvents, makeEvent } from '../../../shared/domain/events.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { putPool } from '../../../shared/domain/pools.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { createRuntime } from '../../../shared/runtime/runtime.ts';
import { createMongoStore } from '../../../shared/store/mongo/mongo-store.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';
import { ADMIN, ALICE, BOB } from '../../domain/support/world.ts';
import { makeFolder } from '../../store/sqlite-fixture.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';

const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');

/** The one block of the runbook in this language. */
function blockOf(language: string): string {
  const blocks = [...runbook.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)].filter(
    ([, name]) => name === language,
  );
  expect(blocks).toHaveLength(1);
  return blocks[0]?.[2] as string;
}

it('the runbook has a row for each code', () => {
  const rows = [...runbook.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap(([, names = '']) =>
    names.split(', '),
  );
  for (const code of problemCodes) expect(rows).toContain(`\`${code}\``);
});

it('each link of the runbook within itself leads to a heading', () => {
  const anchors = [...runbook.matchAll(/^##+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const [, anchor] of runbook.matchAll(/\]\(#([^)]*)\)/g)) expect(anchors).toContain(anchor);
});

/** A database of one kind, its backup, and what the runbook has for it after a restore. */
interface Restorable {
  open(): Promise<Store>;
  backUp(): Promise<void>;
  restore(): Promise<void>;
  mend(): Promise<void>;
}

function describeRestore(name: string, database: Restorable): void {
  describe(`a restore of ${name}`, () => {
    // Behind the clock that raises the tokens, by more than the leases last and acquires.
    let now = Date.now() - 3_600_000;
    let store: Store;

    async function start(): Promise<Context> {
      store = await database.open();
      await store.prepare(now);
      return createRuntime(store, { clock: () => now, clockSkewToleranceMs: 1000 }).context;
    }
    const acquire = async (context: Context, pool: string, caller = ALICE) => {
      const acquired = await acquireLease(context, caller, { pool });
      return 'lease' in acquired ? acquired.lease : expect.fail('no lease');
    };
    const follow = (context: Context, after?: number) =>
      listEvents(context, ADMIN, { limit: 100, ...(after !== undefined && { after }) });
    const record = (context: Context, fields: string[]) =>
      context.events.record(
        [makeEvent({ type: 'pool.changed', at: now, pool: 'default', change: 'updated', fields })],
        now,
      );

    it.each([
      ['repeats tokens and positions of events by itself', 'as-it-is', false],
      ['repeats neither after what the runbook has done', 'mended', true],
    ])('%s', async (_is, pool, isMended) => {
      const before = await start();
      await putPool(before, ADMIN, pool, { policy: {} });
      await createKeys(before, ADMIN, { pool, count: 1 });
      await store.close();
      await database.backUp();

      const after = await start();
      for (let times = 0; times < 3; times += 1) {
        await releaseLease(after, ALICE, (await acquire(after, pool)).leaseId);
      }
      const last = await acquire(after, pool);
      await record(after, ['leaseSeconds']);
      await record(after, ['maxKeys']);
      const { next } = await follow(after);
      await store.close();

      await database.restore();
      if (isMended) await database.mend();
      now += 61_000;
      const restored = await start();
      await expect(keepAliveLease(restored, ALICE, last.leaseId)).rejects.toMatchObject({
        code: 'lease_ended',
      });
      const lease = await acquire(restored, pool, BOB);
      expect(lease.keyId).toBe(last.keyId);
      expect(lease.fencingToken > last.fencingToken).toBe(isMended);
      await record(restored, ['paused']);
      const seen = (await follow(restored, next)).events.map((event) => event.fields);
      expect(seen).toEqual(isMended ? [['paused']] : []);
      await store.close();
    });
  });
}

const folder = makeFolder();
afterAll(() => folder.remove());
const file = join(folder.path, 'orchestrator.db');
const copy = join(folder.path, 'copy.db');

describeRestore('SQLite', {
  open: async () => createSqliteStore({ path: file }),
  async backUp() {
    rmSync(copy, { force: true });
    const connection = new DatabaseSync(file);
    connection.exec(`VACUUM INTO '${copy}'`);
    connection.close();
  },
  async restore() {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    copyFileSync(copy, file);
  },
  async mend() {
    const connection = new DatabaseSync(file);
    connection.exec(blockOf('sql'));
    connection.close();
  },
});

describeWithMongoDb('MongoDB and the runbook', ({ uri, db }) => {
  const copies = new Map<string, object[]>();
  describeRestore('MongoDB', {
    open: async () => createMongoStore({ uri, timeoutMs: 20_000 }),
    async backUp() {
      for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
        copies.set(name, await db.collection(name).find().toArray());
      }
    },
    async restore() {
      for (const [name, documents] of copies) {
        await db.collection(name).deleteMany({});
        if (documents.length > 0) await db.collection(name).insertMany(documents);
      }
    },
    async mend() {
      const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
      const shell = { getCollection: (name: string) => db.collection(name) };
      await new AsyncFunction('db', blockOf('js'))(shell);
    },
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import type { Store } from '../../../shared/domain/store.ts';
import { createMongoStore } from '../../../shared/store/mongo/mongo-store.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';
import type { StoreFixture } from '../../store/contract/store-fixture.ts';
import { describeWithMongoDb, type MongoTestDatabase } from '../../support/mongodb.ts';
import { START, useWorld, type World } from './world.ts';

/** Runs one suite on SQLite, and on MongoDB where this run has one: the rules hold whatever the database is. */
export function describeOnEveryStore(suite: (world: World) => void): void {
  describe('on SQLite', () => {
    suite(useWorld(makeSqliteStore));
  });
  describeWithMongoDb('on MongoDB', (database) => {
    suite(useWorld(() => makeMongoStore(database)));
  });
}

async function makeSqliteStore(): Promise<StoreFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-'));
  const open = async () => createSqliteStore({ path: join(folder, 'test.db') });
  return makeFixture(open, () => rm(folder, { recursive: true }));
}

async function makeMongoStore({ db, uri }: MongoTestDatabase): Promise<StoreFixture> {
  const open = async () => createMongoStore({ uri });
  return makeFixture(open, async () => {
    for (const collection of await db.collections()) await collection.deleteMany({});
  });
}

async function makeFixture(open: () => Promise<Store>, remove: () => Promise<void>): Promise<StoreFixture> {
  const store = await open();
  const stores = [store];
  await store.prepare(START);
  return {
    store,
    async another() {
      const other = await open();
      stores.push(other);
      return other;
    },
    async dispose() {
      for (const opened of stores) await opened.close();
      await remove();
    },
  };
}

import { describe } from 'vitest';
import { makeMongoStore } from '../../store/mongo-fixture.ts';
import { makeSqliteStore } from '../../store/sqlite-fixture.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';
import { useWorld, type World } from './world.ts';

/** Runs one suite on SQLite, and on MongoDB where this run has one: the rules hold whatever the database is. */
export function describeOnEveryStore(suite: (world: World) => void): void {
  describe('on SQLite', () => {
    suite(useWorld(makeSqliteStore));
  });
  describeWithMongoDb('on MongoDB', (database) => {
    suite(useWorld(makeMongoStore(database)));
  });
}

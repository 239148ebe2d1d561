import { describe } from 'vitest';
import { makeMongoStore } from '../../store/mongo-fixture.ts';
import { makeSqliteStore } from '../../store/sqlite-fixture.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';
import { useWorld, type World } from './world.ts';

/**
 * Runs one suite on SQLite, and on MongoDB where this run has one: the rules hold whatever the database is. `share`: how
 * much of a long random run is worth its time there, where each command goes over the wire.
 */
export function describeOnEveryStore(suite: (world: World, share: number) => void): void {
  describe('on SQLite', () => {
    suite(useWorld(makeSqliteStore), 1);
  });
  describeWithMongoDb('on MongoDB', (database) => {
    suite(useWorld(makeMongoStore(database)), 0.15);
  });
}

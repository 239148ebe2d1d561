import { randomUUID } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, describe, inject } from 'vitest';

/** A database that one suite has to itself. */
export interface MongoTestDatabase {
  readonly name: string;
  /** The connection string with the database in it, for a program under test that makes its own client. */
  readonly uri: string;
  readonly client: MongoClient;
  readonly db: Db;
}

/** Whether this run has a MongoDB; the reason why not was printed when the run began. */
const isMongoDbAvailable = inject('mongodbUri') !== null;

/**
 * A `describe` whose suite needs MongoDB, and is skipped where there is none. The database is new and empty, has a
 * random name, and is dropped after the last test.
 *
 * @example
 * describeWithMongoDb('the MongoDB store', (database) => {
 *   it('claims a free key', async () => {
 *     await database.db.collection('keys').insertOne({ state: 'free' });
 *   });
 * });
 */
export function describeWithMongoDb(name: string, suite: (database: MongoTestDatabase) => void): void {
  describe.skipIf(!isMongoDbAvailable)(name, () => {
    const database = nameDatabase();
    // Not run when the suite is skipped; nothing has connected then.
    afterAll(async () => {
      await database.db.dropDatabase();
      await database.client.close();
    });
    suite(database);
  });
}

function nameDatabase(): MongoTestDatabase {
  const server = inject('mongodbUri') ?? 'mongodb://skipped.invalid';
  const name = `test-${randomUUID()}`;
  const uri = withDatabase(server, name);
  // The driver connects with the first command, so a skipped suite never does.
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
  return { name, uri, client, db: client.db(name) };
}

/**
 * The connection string with this database. It may list several hosts, which `URL` refuses. A user would be looked for
 * in the database that the string names; `mongodb+srv` asks the DNS where to look.
 */
function withDatabase(uri: string, name: string): string {
  const named = uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${name}`);
  if (!/^mongodb:\/\/[^/?]*@/.test(uri) || /[?&]authSource=/i.test(uri)) return named;
  return `${named}${named.includes('?') ? '&' : '?'}authSource=admin`;
}

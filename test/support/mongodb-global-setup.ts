import { MongoMemoryReplSet } from 'mongodb-memory-server';
import type { TestProject } from 'vitest/node';
import { findMongod } from './find-mongod.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the MongoDB of this run listens; null: there is none, and the suites that need it are skipped. */
    mongodbUri: string | null;
  }
}

const HOW_TO_RUN =
  'To run them: `npm run test:mongodb` (downloads a mongod once), or set MONGODB_TEST_URI to a MongoDB of your own.';

/** Runs once before all suites: finds or starts the MongoDB that they share, each with a database of its own. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.MONGODB_TEST_URI;
  if (given) {
    project.provide('mongodbUri', given);
    return undefined;
  }

  const mongod = await findMongod();
  if (mongod === undefined) {
    if (isCi()) throw new Error(`CI must not skip the MongoDB suites, but found no MongoDB. ${HOW_TO_RUN}`);
    console.warn(`MongoDB suites are skipped: no MongoDB here. ${HOW_TO_RUN}`);
    project.provide('mongodbUri', null);
    return undefined;
  }

  const replicaSet = await startReplicaSet(mongod);
  project.provide('mongodbUri', replicaSet.getUri());
  return async () => {
    await replicaSet.stop();
  };
}

function isCi(): boolean {
  return !['', '0', 'false'].includes(process.env.CI ?? '');
}

/** One member is enough for what needs a replica set: majority writes, and retryable ones. */
async function startReplicaSet(mongod: string): Promise<MongoMemoryReplSet> {
  // The version found is the version used: a mongod on the PATH is not what mongodb-memory-server would download.
  process.env.MONGOMS_SYSTEM_BINARY_VERSION_CHECK ??= 'false';
  return MongoMemoryReplSet.create({
    binary: { systemBinary: mongod },
    replSet: { count: 1, storageEngine: 'wiredTiger' },
  });
}

import { generateClient } from '../../shared/domain/clients.ts';
import type { Store } from '../../shared/domain/store.ts';
import { loadEnvFile, readRuntimeConfig } from '../../shared/runtime/config.ts';
import { openStore } from '../../shared/runtime/open-store.ts';
import { ForeseeableMistake, failWith } from './foreseeable-mistake.ts';
import { prepareStore } from './prepare-store.ts';

const DROP = '--drop-old-indexes';

/** What it is about to do, by how the database was prepared. Functions that run go on meanwhile. */
const INTENTIONS = {
  ok: 'The database has been prepared by this version: making indexes only where one is missing.',
  older:
    'The database is new, or of an older version: making the indexes that this one needs. Those that are there stay.',
  newer: 'A newer version has prepared the database: its indexes stay, and this version works with them.',
} as const;

/**
 * Makes the indexes and, where the database has no lasting admin, the first one, straight in the database. Says which indexes
 * only earlier versions needed, and removes them where it is told to.
 * Prints the credential once; safe to repeat.
 */
async function setUp(): Promise<void> {
  const config = readRuntimeConfig();
  if (config.MONGODB_URI === undefined && config.MONGODB_SECRET_ARN === undefined) {
    throw new ForeseeableMistake(
      'neither MONGODB_URI nor MONGODB_SECRET_ARN is set: set it to the database that the functions use',
    );
  }
  const store = await openStore(config);
  try {
    console.log(INTENTIONS[await store.schemaState()]);
    await prepareStore(store);
    console.log('Indexes and the default pool are in place.');
    await endOldIndexes(store);
    if (await hasAdmin(store)) {
      console.log('There is an admin already: no credential was made. --new-admin makes one more.');
      return;
    }
    const { client, credential } = generateClient({ role: 'admin', description: 'First admin' }, Date.now());
    await store.clients.put(client);
    console.log(`Admin credential, shown this once: ${credential}`);
  } finally {
    await store.close();
  }
}

/** They cost every acquire a write; functions of an earlier version that still run would do without, slower. */
async function endOldIndexes(store: Store): Promise<void> {
  const old = await store.oldIndexes({ drop: false });
  if (old.length === 0) return;
  const names = old.join(', ');
  if (!process.argv.includes(DROP)) {
    console.log(
      `Only earlier versions need: ${names}. Once none of them runs any more, ${DROP} removes them.`,
    );
    return;
  }
  console.log(`Removing what only earlier versions need: ${names}`);
  await store.oldIndexes({ drop: true });
}

async function hasAdmin(store: Store): Promise<boolean> {
  if (process.argv.includes('--new-admin')) return false;
  for (let after: string | undefined; ; ) {
    const clients = await store.clients.list({ limit: 200, after });
    if (clients.some(({ role, pools, expiresAt }) => role === 'admin' && !pools && !expiresAt)) return true;
    if (clients.length < 200) return false;
    after = clients.at(-1)?.clientId;
  }
}

try {
  loadEnvFile();
  await setUp();
} catch (error) {
  failWith(error);
}

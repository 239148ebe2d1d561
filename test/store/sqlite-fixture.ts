import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { migrate } from '../../shared/store/sqlite/schema.ts';
import { storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { NOW } from './contract/scene.ts';
import type { StoreFixture } from './store-contract.ts';

/** An empty folder of its own for each caller. */
export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'token-orchestrator-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

let migrated: Buffer | undefined;

/** A database file with nothing but the schema. To copy it costs a tenth of what its migrations do. */
function migratedFile(): Buffer {
  const folder = makeFolder();
  const path = join(folder.path, 'migrated.db');
  const connection = new SqliteConnection(path);
  migrate(connection);
  connection.close();
  const file = readFileSync(path);
  folder.remove();
  return file;
}

/** A new database file, so that two stores can share it. */
export async function makeSqliteStore(now = NOW): Promise<StoreFixture> {
  const folder = makeFolder();
  const path = join(folder.path, 'test.db');
  migrated ??= migratedFile();
  writeFileSync(path, migrated);
  const connections: SqliteConnection[] = [];
  const open = () => {
    const connection = new SqliteConnection(path);
    // No test cuts the power, and to wait for the disk takes most of the time.
    connection.execute('PRAGMA synchronous = OFF');
    connections.push(connection);
    return storeOn(connection);
  };
  const store = open();
  await store.prepare(now);
  return {
    store,
    another: async () => open(),
    async dispose() {
      for (const connection of connections) connection.close();
      folder.remove();
    },
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { NOW } from './contract/scene.ts';
import type { StoreFixture } from './store-contract.ts';

/** An empty folder of its own for each caller. */
export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'token-orchestrator-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** A new database file, so that two stores can share it. */
export async function makeSqliteStore(): Promise<StoreFixture> {
  const folder = makeFolder();
  const connections: SqliteConnection[] = [];
  const open = () => {
    const connection = new SqliteConnection(join(folder.path, 'test.db'));
    // No test cuts the power, and to wait for the disk takes most of the time.
    connection.execute('PRAGMA synchronous = OFF');
    connections.push(connection);
    return storeOn(connection);
  };
  const store = open();
  await store.prepare(NOW);
  return {
    store,
    another: async () => open(),
    async dispose() {
      for (const connection of connections) connection.close();
      folder.remove();
    },
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../shared/domain/store.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';
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
  const stores: Store[] = [];
  const open = (): Store => {
    const store = createSqliteStore({ path: join(folder.path, 'test.db') });
    stores.push(store);
    return store;
  };
  const store = open();
  await store.prepare(NOW);
  return {
    store,
    another: async () => open(),
    async dispose() {
      for (const opened of stores) await opened.close();
      folder.remove();
    },
  };
}

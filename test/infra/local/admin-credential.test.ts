import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureAdminCredential, putAdmin } from '../../../infra/local/admin-credential.ts';
import { authenticate } from '../../../shared/domain/clients.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('the admin credential of the local host', () => {
  let folder: string;
  let file: string;
  let store: Store;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'credential-'));
    file = join(folder, '.data/admin-credential');
    store = createSqliteStore({ path: ':memory:' });
    await store.prepare(NOW);
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const isAdmin = async (credential: string): Promise<boolean> => {
    const caller = await authenticate(store.clients, credential);
    return caller?.role === 'admin' && caller.pools === undefined;
  };

  it('is made once, kept readable by its owner only, and stays the same', async () => {
    const credential = await ensureAdminCredential(store, NOW, file);
    expect(await isAdmin(credential)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await ensureAdminCredential(store, NOW + 1, file)).toBe(credential);
    expect(await store.clients.list({ limit: 10 })).toHaveLength(1);
  });

  it('is put into a database that does not have it', async () => {
    const credential = await ensureAdminCredential(store, NOW, file);
    await store.close();
    store = createSqliteStore({ path: ':memory:' });
    await store.prepare(NOW);
    expect(await ensureAdminCredential(store, NOW, file)).toBe(credential);
    expect(await isAdmin(credential)).toBe(true);
  });

  it.each(['', 'garbage', 'a.b', '\0'])('is made anew where the file holds %j', async (content) => {
    await mkdir(join(folder, '.data'));
    await writeFile(file, content, { mode: 0o600 });
    const credential = await ensureAdminCredential(store, NOW, file);
    expect(await isAdmin(credential)).toBe(true);
    expect(await readFile(file, 'utf8')).toBe(`${credential}\n`);
  });

  it('makes an admin without limits of a client that was less', async () => {
    const secret = 'x'.repeat(32);
    const client = {
      clientId: 'ci',
      role: 'viewer',
      pools: ['a'],
      secretHash: 'old',
      createdAt: NOW,
    } as const;
    await store.clients.put(client);
    await putAdmin(store, `ci.${secret}`, NOW);
    expect(await isAdmin(`ci.${secret}`)).toBe(true);
    await expect(putAdmin(store, 'no credential', NOW)).rejects.toThrow(/<clientId>\.<secret>/);
  });
});

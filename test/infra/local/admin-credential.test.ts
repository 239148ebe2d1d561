import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureAdminCredential, putAdmin } from '../../../infra/local/admin-credential.ts';
import { authenticate, rotateTo } from '../../../shared/domain/clients.ts';
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

  const isAdmin = async (credential: string, now = NOW): Promise<boolean> => {
    const caller = await authenticate(store.clients, credential, now);
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

  it('is another one after a rotation has ended it, and what the rotation gave stays good', async () => {
    const first = await ensureAdminCredential(store, NOW, file);
    const [clientId = ''] = first.split('.');
    const rotated = { clientId, secret: 'r'.repeat(32) };
    await rotateTo(store.clients, rotated, { keepOldSeconds: 60 }, NOW);
    expect(await ensureAdminCredential(store, NOW + 59_999, file)).toBe(first);
    const later = NOW + 60_000;
    const second = await ensureAdminCredential(store, later, file);
    expect(await isAdmin(second, later)).toBe(true);
    expect(await isAdmin(`${clientId}.${rotated.secret}`, later)).toBe(true);
    expect(await isAdmin(first, later)).toBe(false);
    expect(await readFile(file, 'utf8')).toBe(`${second}\n`);
    expect(await ensureAdminCredential(store, later, file)).toBe(second);
  });

  it('that is configured is there after each start, and leaves what a rotation gave for a day', async () => {
    const configured = `root.${'c'.repeat(32)}`;
    await putAdmin(store, configured, NOW);
    await store.clients.noteUse('root', NOW);
    const asPut = await store.clients.get('root');
    await putAdmin(store, configured, NOW + 1);
    expect(await store.clients.get('root')).toEqual(asPut);

    const rotated = { clientId: 'root', secret: 'r'.repeat(32) };
    await rotateTo(store.clients, rotated, { keepOldSeconds: 0 }, NOW);
    expect(await isAdmin(configured)).toBe(false);
    await putAdmin(store, configured, NOW + 1);
    const end = NOW + 1 + 86_400_000;
    const good = (now: number) =>
      Promise.all([configured, `root.${rotated.secret}`].map((credential) => isAdmin(credential, now)));
    expect(await good(end - 1)).toEqual([true, true]);
    expect(await good(end)).toEqual([true, false]);
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

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashSecret, parseCredential } from '../../shared/domain/client.ts';
import { generateClient } from '../../shared/domain/clients.ts';
import type { Store } from '../../shared/domain/store.ts';

/** Where the local host keeps the admin credential that it made, readable by its owner only. */
export const CREDENTIAL_FILE = '.data/admin-credential';

/** Makes the client of this credential an admin without limits. */
export async function putAdmin(store: Store, credential: string, now: number): Promise<void> {
  const parsed = parseCredential(credential);
  if (parsed === undefined) throw new Error('The admin credential is not of the form <clientId>.<secret>');
  const { clientId, secret } = parsed;
  await store.clients.put({
    clientId,
    role: 'admin',
    description: 'First admin',
    secretHash: hashSecret(secret),
    createdAt: now,
  });
}

/**
 * The admin credential of this host: made and kept in `file` at the first start, and put into the database when that
 * does not have it (a new database under an old folder).
 */
export async function ensureAdminCredential(
  store: Store,
  now: number,
  file = CREDENTIAL_FILE,
): Promise<string> {
  const kept = await readCredential(file);
  if (kept !== undefined) {
    const known = await store.clients.get(kept.clientId);
    if (known === null) await putAdmin(store, kept.credential, now);
    return kept.credential;
  }
  const { client, credential } = generateClient({ role: 'admin', description: 'First admin' }, now);
  await store.clients.put(client);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${credential}\n`, { mode: 0o600 });
  return credential;
}

async function readCredential(file: string): Promise<{ clientId: string; credential: string } | undefined> {
  try {
    const credential = (await readFile(file, 'utf8')).trim();
    const parsed = parseCredential(credential);
    return parsed === undefined ? undefined : { clientId: parsed.clientId, credential };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw Object.assign(error as Error, { path: file }); // Node leaves it out where the file is a folder.
  }
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Credential, hashSecret, parseCredential, secretIsGood } from '../../shared/domain/client.ts';
import { generateClient, rotateTo } from '../../shared/domain/clients.ts';
import type { Store } from '../../shared/domain/store.ts';

/** Where the local host keeps the admin credential that it made, readable by its owner only. */
export const CREDENTIAL_FILE = '.data/admin-credential';

/** How long a secret stays good that a rotation gave the admin of a configured credential, which is put back. */
const KEEP_ROTATED_SECONDS = 86_400;

/** Makes the client of this credential an admin without limits, and this its newest secret. */
export async function putAdmin(store: Store, credential: string, now: number): Promise<void> {
  const parsed = parseCredential(credential);
  if (parsed === undefined) throw new Error('The admin credential is not of the form <clientId>.<secret>');
  const { clientId, secret } = parsed;
  const secretHash = hashSecret(secret);
  const known = await store.clients.get(clientId);
  if (known?.role !== 'admin' || known.pools !== undefined) {
    await store.clients.put({
      clientId,
      role: 'admin',
      description: 'First admin',
      secretHash,
      createdAt: now,
    });
  } else if (known.secretHash !== secretHash) {
    const request = { keepOldSeconds: KEEP_ROTATED_SECONDS, expiresInSeconds: null };
    await rotateTo(store.clients, parsed, request, now);
  }
}

/**
 * The admin credential of this host: made and kept in `file` at the first start, and put into the database when that
 * does not have it (a new database under an old folder). Where a rotation has ended its secret, another admin is made:
 * to put it back would bring back what somebody wanted to be rid of, and end what they were given for it.
 */
export async function ensureAdminCredential(
  store: Store,
  now: number,
  file = CREDENTIAL_FILE,
): Promise<string> {
  const kept = await readCredential(file);
  if (kept !== undefined) {
    const credential = `${kept.clientId}.${kept.secret}`;
    const known = await store.clients.get(kept.clientId);
    if (known === null) await putAdmin(store, credential, now);
    if (known === null || secretIsGood(kept.secret, known, now)) return credential;
  }
  const { client, credential } = generateClient({ role: 'admin', description: 'First admin' }, now);
  await store.clients.put(client);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${credential}\n`, { mode: 0o600 });
  return credential;
}

async function readCredential(file: string): Promise<Credential | undefined> {
  try {
    return parseCredential((await readFile(file, 'utf8')).trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw Object.assign(error as Error, { path: file }); // Node leaves it out where the file is a folder.
  }
}

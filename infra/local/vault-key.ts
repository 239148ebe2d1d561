import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where the local host keeps the key that it made to seal values with, readable by its owner only. */
const VAULT_KEY_FILE = '.data/value-encryption-key';

/** The key in `file`, made at the first start. */
export async function ensureVaultKey(file = VAULT_KEY_FILE): Promise<string> {
  return (await readKey(file)) ?? makeKey(file);
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw Object.assign(error as Error, { path: file }); // Node leaves it out where the file is a folder.
  }
}

/** `wx`: of two hosts that start at once the second takes the first one's. */
async function makeKey(file: string): Promise<string> {
  const key = `local:${randomBytes(32).toString('base64url')}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch (error) {
    const kept = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKey(file) : undefined;
    if (kept === undefined) throw error;
    return kept;
  }
}

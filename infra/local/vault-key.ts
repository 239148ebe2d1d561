import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isVaultKey } from '../../shared/runtime/config.ts';
import { ForeseeableMistake } from './foreseeable-mistake.ts';

/** Where the local host keeps the key that it made to seal values with, readable by its owner only. */
const VAULT_KEY_FILE = '.data/value-encryption-key';

/**
 * The key in `file`, made at the first start. Never made anew where `keepsValues`: nobody could read them any more.
 * @throws ForeseeableMistake
 */
export async function ensureVaultKey(keepsValues: () => boolean, file = VAULT_KEY_FILE): Promise<string> {
  const kept = await readKey(file);
  if (kept !== undefined) return kept;
  if (keepsValues()) {
    throw new ForeseeableMistake(
      `the database keeps values, but the key in ${file} is gone: put it back, or set VALUE_ENCRYPTION_KEY to it`,
    );
  }
  return makeKey(file);
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    const key = (await readFile(file, 'utf8')).trim();
    if (isVaultKey(key)) return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw Object.assign(error as Error, { path: file }); // Node leaves it out where the file is a folder.
  }
  throw new ForeseeableMistake(
    `${file} must hold <id>:<secret>: put the key back, or delete the file where no values were imported`,
  );
}

/**
 * The link fails where there is a file: of two hosts that start at once the second takes the first one's, which is
 * whole as soon as it is there. The id tells the keys of two folders apart.
 */
async function makeKey(file: string): Promise<string> {
  const id = `local-${randomBytes(4).toString('hex')}`;
  const draft = `${file}.${id}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(draft, `${id}:${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft);
  }
  return (await readKey(file)) as string;
}

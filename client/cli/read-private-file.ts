import { open } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

const GROUP_AND_OTHERS = 0o077;

/**
 * A file that may hold a credential; undefined when there is none.
 * @throws CliError when anybody but its owner may read or write it
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new CliError(`${path} cannot be read: ${error.message}`, exitCodes.configuration, { cause: error });
  });
  if (file === undefined) return undefined;
  try {
    // Of the open file, so that it cannot be exchanged between the check and the reading. Windows has no such bits.
    const { mode } = await file.stat();
    if (process.platform !== 'win32' && (mode & GROUP_AND_OTHERS) !== 0) {
      throw new CliError(`${path} can be read by others: run chmod 600 on it`, exitCodes.configuration);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

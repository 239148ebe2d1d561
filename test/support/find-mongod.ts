import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { DryMongoBinary } from 'mongodb-memory-server';

/**
 * The path of a `mongod` that is already on this machine: on the PATH, or in the cache of mongodb-memory-server.
 * Looks only, and downloads nothing.
 */
export async function findMongod(): Promise<string | undefined> {
  return (await findOnPath()) ?? (await DryMongoBinary.locateBinary(DryMongoBinary.getEnsuredOptions()));
}

async function findOnPath(): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'mongod.exe' : 'mongod';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, name);
    const usable = folder !== '' && (await isExecutable(candidate));
    if (usable) return candidate;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

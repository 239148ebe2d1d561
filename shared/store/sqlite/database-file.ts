import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The file is no database, a damaged one, or one that a newer version made. One line for whoever starts the program. */
export class DatabaseFileError extends Error {
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`The SQLite database ${path} cannot be used: ${problem}`, options);
    this.name = 'DatabaseFileError';
    this.path = path;
  }
}

/**
 * Makes sure that the file and its folder exist, and answers the absolute path. Where it makes them, only their owner
 * may read them, since the database holds imported secrets; SQLite gives the files that it puts beside (`-wal`,
 * `-shm`) the same mode.
 * @throws the file system's error (`EACCES`, `ENOTDIR`, `EISDIR`, ...), with the path in it
 */
export function ensureDatabaseFile(path: string): string {
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  return file;
}

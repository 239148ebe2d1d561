import { DatabaseUnavailableError } from '../../domain/errors.ts';

/** The file is no database, a damaged one, or one that a newer version made. One line for whoever starts the program. */
export class DatabaseFileError extends Error {
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`The SQLite database ${path} cannot be used: ${problem}`, options);
    this.name = 'DatabaseFileError';
    this.path = path;
  }
}

/** What node:sqlite throws when SQLite refuses. */
interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** SQLite's extended result code; the low byte is the primary one. */
  readonly errcode: number;
}

/** Primary result codes that say nothing about the statement, only that the database could not carry it out. */
const UNAVAILABLE = new Set([
  5, // BUSY: another process held the write lock for longer than the busy timeout
  6, // LOCKED
  7, // NOMEM
  8, // READONLY
  9, // INTERRUPT
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL: the same as BUSY, for the lock files of WAL
  26, // NOTADB
]);

/** UNIQUE and PRIMARY KEY: `UNIQUE constraint failed: keys.seat_pool, keys.seat`. */
const CONSTRAINTS = new Set([2067, 1555]);

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && primaryCode(error) === 5;
}

/** The last column of the unique index, or the primary key, that refused the statement; undefined for any other error. */
export function refusedColumn(error: unknown): string | undefined {
  if (!isSqliteError(error) || !CONSTRAINTS.has(error.errcode)) return undefined;
  return /\.(\w+)$/.exec(error.message)?.[1];
}

/** {@link DatabaseUnavailableError} where the database could not answer; any other error as it is. */
export function translateSqliteError(error: unknown, isOpen: boolean): unknown {
  const unavailable = !isOpen || (isSqliteError(error) && UNAVAILABLE.has(primaryCode(error)));
  return unavailable ? new DatabaseUnavailableError({ cause: error }) : error;
}

function primaryCode(error: SqliteError): number {
  return error.errcode & 0xff;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

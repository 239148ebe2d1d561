import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { DatabaseFileError, isBusy, translateSqliteError } from './errors.ts';

export type Parameters = Record<string, SQLInputValue>;

/** Far longer than any write takes: who waits longer is told that the database does not answer. */
const BUSY_TIMEOUT_MS = 5000;

/** One connection with its prepared statements. Everything is synchronous: nothing of this process comes between two calls. */
export class SqliteConnection {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param path a file, or `:memory:`
   * @param busyTimeoutMs how long a statement waits for another process to finish its write
   * @throws DatabaseFileError, DatabaseUnavailableError, or the file system's error
   */
  constructor(path: string, busyTimeoutMs = BUSY_TIMEOUT_MS) {
    this.path = path === ':memory:' ? path : ensureFile(path);
    this.#database = open(this.path, busyTimeoutMs);
  }

  /**
   * The rows that a statement returns. Never `StatementSync.get()`, not even for one row: it stops before the
   * statement commits and drops the error of the commit, so that on a full disk a lease would be given that nobody
   * stored.
   */
  all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    return this.#attempt(() => this.#prepared(sql).all(parameters)) as Row[];
  }

  /** The row of a statement that returns one or none. */
  row<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.all<Row>(sql, parameters)[0];
  }

  /** Carries out a statement; returns how many rows it changed. */
  run(sql: string, parameters: Parameters = {}): number {
    return this.#attempt(() => Number(this.#prepared(sql).run(parameters).changes));
  }

  /** Carries out statements that have no parameters and no result. */
  execute(sql: string): void {
    this.#attempt(() => this.#database.exec(sql));
  }

  /**
   * Carries out `work` as one transaction that holds the write lock from its start: one that reads first and asks
   * for the lock later would be refused as soon as somebody else wrote in between.
   */
  immediately<T>(work: () => T): T {
    this.run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Safe to repeat. */
  close(): void {
    if (this.#database.isOpen) this.#attempt(() => this.#database.close());
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translateSqliteError(error, this.#database.isOpen);
    }
  }
}

/**
 * Makes sure that the file and its folder exist, and returns the absolute path. Where it makes them, only their owner
 * may read them, since the database holds imported secrets; SQLite gives the files that it puts beside (`-wal`,
 * `-shm`) the same mode.
 * @throws the file system's error (`EACCES`, `ENOTDIR`, `EISDIR`, ...), with the path in it
 */
function ensureFile(path: string): string {
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  return file;
}

function open(path: string, timeout: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout, enableForeignKeyConstraints: false });
    // Readers and the writer do not wait for each other, and a commit is an append without an fsync: what is
    // committed outlives the process, and the last moments before a power cut may be lost.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw translateSqliteError(error, true);
    throw new DatabaseFileError(path, (error as Error).message, { cause: error });
  }
}

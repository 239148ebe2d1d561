import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { DatabaseUnavailableError } from '../../domain/errors.ts';
import { DatabaseFileError, isBusy, translateSqliteError } from './errors.ts';

export type Parameters = Record<string, SQLInputValue>;

export interface ConnectionOptions {
  /** `full`: a commit waits for the disk, and outlives a power cut. `normal`: it outlives the process alone. */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** How long a statement waits for another process to finish its write, in milliseconds. */
  readonly busyTimeoutMs?: number | undefined;
}

/** Far longer than any write takes: who waits longer is told that the database does not answer. */
const BUSY_TIMEOUT_MS = 5000;

/** So many calls are carried out together without waiting for more: others never stop coming, and the first wants its result. */
const FULL_GROUP = 100;

/** In capitals, as all statements are written. One that is taken for a read would commit by itself, and be as safe. */
const WRITES = /\b(INSERT|UPDATE|DELETE)\b/;

/**
 * A parameter that stands alone behind LIMIT is part of SQLite's plan: it would plan the statement anew, in up to 100 us,
 * each time that it is bound. Into an expression it does not look.
 */
const LONE_LIMIT = /\bLIMIT (:\w+)/g;

interface Prepared {
  readonly statement: StatementSync;
  readonly writes: boolean;
}

/** A verb that waits for the end of the turn, and who waits for its result. */
interface Call {
  readonly verb: () => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One connection with its prepared statements. Statements are synchronous, and verbs are carried out in groups, see
 * {@link together}: between two of its callbacks no transaction is open.
 */
export class SqliteConnection {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();
  #calls: Call[] = [];
  #isGroupRunning = false;
  /** Why the running group does not get the write lock: one of its verbs has waited for it, the others need not. */
  #lockRefusal: unknown;

  /**
   * @param path a file, or `:memory:`
   * @throws DatabaseFileError, DatabaseUnavailableError, or the file system's error
   */
  constructor(path: string, options: ConnectionOptions = {}) {
    this.path = path === ':memory:' ? path : ensureFile(path);
    this.#database = open(this.path, options);
  }

  /**
   * Carries out a verb at the end of this turn of the event loop, in one transaction with what else has arrived in it: a
   * commit waits for the disk, and 64 callers wait for one. Where several have arrived, what the next turn brings joins
   * them, until one brings nothing or the group is full: a turn takes much less than a commit. Nobody gets a result, or an error, before the transaction it
   * came about in is committed. A verb that fails does so alone; a commit that fails, fails all of its verbs.
   * @param verb does all its work before it first awaits anything
   * @throws DatabaseUnavailableError when the commit fails: nothing of the group stays
   */
  together<T>(verb: () => Promise<T>): Promise<T> {
    if (this.#calls.length === 0) setImmediate(() => this.#endTurn(0));
    return new Promise((resolve, reject) => {
      this.#calls.push({ verb, resolve: resolve as Call['resolve'], reject });
    });
  }

  /**
   * The rows that a statement returns. Never `StatementSync.get()`, not even for one row: it stops before the
   * statement commits and drops the error of the commit, so that on a full disk a lease would be given that nobody
   * stored.
   */
  all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    return this.#attempt(() => this.#ready(sql).all(parameters)) as Row[];
  }

  /** The row of a statement that returns one or none. */
  row<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.all<Row>(sql, parameters)[0];
  }

  /** Carries out a statement; returns how many rows it changed. */
  run(sql: string, parameters: Parameters = {}): number {
    return this.#attempt(() => Number(this.#ready(sql).run(parameters).changes));
  }

  /** Carries out statements that have no parameters and no result. */
  execute(sql: string): void {
    this.#attempt(() => this.#database.exec(sql));
  }

  /**
   * Carries out `work`, part of a verb, all or nothing. The write lock is held from its start, so that what it reads
   * stays true until it is committed.
   */
  immediately<T>(work: () => T): T {
    this.#attempt(() => this.#lock());
    this.run('SAVEPOINT work');
    try {
      const result = work();
      this.run('RELEASE work');
      return result;
    } catch (error) {
      if (this.#isInTransaction()) this.#database.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }

  /** Carries out what has arrived, first. Safe to repeat. */
  close(): void {
    this.#carryOutGroup();
    if (this.#database.isOpen) this.#attempt(() => this.#database.close());
  }

  /** @param before how many had arrived when the turn began */
  #endTurn(before: number): void {
    const { length } = this.#calls;
    if (length > 1 && length > before && length < FULL_GROUP) setImmediate(() => this.#endTurn(length));
    else this.#carryOutGroup();
  }

  #carryOutGroup(): void {
    const calls = this.#calls;
    this.#calls = [];
    let group: (Call & { readonly result: Promise<unknown> })[] = [];
    const failGroup = (cause: unknown): void => {
      for (const { result, reject } of group) {
        result.catch(() => undefined); // The reason it gives may not be true any more.
        reject(new DatabaseUnavailableError({ cause }));
      }
      group = [];
    };

    this.#isGroupRunning = true;
    for (const call of calls) {
      const result = call.verb();
      if (this.#isInTransaction()) {
        group.push({ ...call, result });
        continue;
      }
      // A look before the first write. Or SQLite has rolled everything back, as it may when the disk is full.
      failGroup(new Error('The transaction was rolled back by another statement'));
      call.resolve(result);
    }
    this.#isGroupRunning = false;
    this.#lockRefusal = undefined;

    try {
      if (this.#isInTransaction()) this.run('COMMIT');
    } catch (error) {
      if (this.#isInTransaction()) this.#database.exec('ROLLBACK');
      failGroup((error as Error).cause ?? error);
    }
    for (const { resolve, result } of group) resolve(result);
  }

  /**
   * Begins the group's transaction at its first write, with the write lock: one that reads first and asks for the lock
   * later would be refused as soon as another process wrote in between. Reads before it need no lock.
   */
  #lock(): void {
    if (!this.#isGroupRunning || this.#isInTransaction()) return;
    if (this.#lockRefusal !== undefined) throw this.#lockRefusal;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      this.#lockRefusal = error;
      throw error;
    }
  }

  #isInTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction;
  }

  /** The prepared statement, where it may write with the write lock. */
  #ready(sql: string): StatementSync {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      const statement = this.#database.prepare(sql.replaceAll(LONE_LIMIT, 'LIMIT ($1 + 0)'));
      prepared = { statement, writes: WRITES.test(sql) };
      this.#statements.set(sql, prepared);
    }
    if (prepared.writes) this.#lock();
    return prepared.statement;
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

function open(
  path: string,
  { synchronous = 'full', busyTimeoutMs = BUSY_TIMEOUT_MS }: ConnectionOptions,
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false });
    // Readers and the writer do not wait for each other, and a commit is an append: with an fsync, unless `normal`. The
    // log is copied into the file each 16 MB, by which time many of its pages have changed again.
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 4000;
        PRAGMA cache_size = -16000`,
    );
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw translateSqliteError(error, true);
    throw new DatabaseFileError(path, (error as Error).message, { cause: error });
  }
}

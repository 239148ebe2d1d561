import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoSystemError,
  MongoTopologyClosedError,
  MongoUnexpectedServerResponseError,
  MongoWriteConcernError,
} from 'mongodb';
import { DatabaseUnavailableError } from '../../domain/errors.ts';

/** The database did not reply, or not for sure: the call may work a moment later. */
const UNAVAILABLE_CLASSES = [
  MongoNetworkError, // Also its time-outs, and a connection pool that was cleared.
  MongoSystemError, // No server could be selected.
  MongoWriteConcernError, // Carried out on the primary, not confirmed by a majority.
  MongoClientClosedError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoTopologyClosedError,
  MongoUnexpectedServerResponseError, // A retry met a server in the middle of a failover.
];

/** The driver exports no classes for these. */
const UNAVAILABLE_NAMES = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClosedError']);

/**
 * What a server returns that is going down, not the primary, cut off from the others, overloaded or out of time; and what
 * one returns that does not let the service's user in, which works again once an operator has seen to it.
 */
const UNAVAILABLE_CODES = new Set<unknown>([
  6, // HostUnreachable
  7, // HostNotFound
  13, // Unauthorized: the user has no right to this
  18, // AuthenticationFailed
  24, // LockTimeout: a lock, of an index build for example, was not to be had in time
  43, // CursorNotFound: the server that had it is no longer the primary
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict: the server itself tried again, and gave up
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  175, // QueryPlanKilled: an index that the query was using was dropped
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit: between the servers of a cluster
  239, // SnapshotTooOld: the count of a creation took longer than the server keeps its moment
  246, // SnapshotUnavailable
  262, // ExceededTimeLimit
  365, // TemporarilyUnavailable: the write did not fit into the server's cache
  462, // IngressRequestRateLimitExceeded: the server limits what it lets in
  8000, // AtlasError: Atlas itself knows no such user, or refuses what it asks
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  50463173, // PostgreSQL's 57P03 (cannot_connect_now), as engines on PostgreSQL pass it on: starting, or recovering
]);

const UNAVAILABLE_LABELS = [MongoErrorLabel.RetryableWriteError, MongoErrorLabel.SystemOverloadedError];

const DUPLICATE_KEY = 11000;

/** The fields of a key that have a unique index. */
const UNIQUE_FIELDS = ['requestHash', 'clientSeat', 'seatId', 'valueHash'] as const;

/** The server's code for a hint that names no index (BadValue); other mistakes have it too. */
const BAD_VALUE = 2;

/** {@link DatabaseUnavailableError} where the database did not reply; any other error as it is. */
export function translateDriverError(error: unknown): unknown {
  return isUnavailable(error) ? new DatabaseUnavailableError({ cause: error }) : error;
}

/** A unique index, or the primary key, refused the write. */
export function isDuplicateKeyError(error: unknown): error is MongoError {
  return error instanceof MongoError && error.code === DUPLICATE_KEY;
}

/**
 * The field of a key whose unique index, or `_id`, refused the write; undefined for any other error. A server names it in
 * `keyPattern`, every engine in its message: there the values of that one field follow, of which none looks like a name.
 */
export function refusedField(error: unknown): (typeof UNIQUE_FIELDS)[number] | '_id' | undefined {
  if (!isDuplicateKeyError(error)) return undefined;
  const { keyPattern } = error as { keyPattern?: object };
  const told = keyPattern === undefined ? error.message : Object.keys(keyPattern).join();
  return UNIQUE_FIELDS.find((field) => told.includes(field)) ?? '_id';
}

/** Which of many writes a unique index refused. @throws the error itself where anything else went wrong */
export function refusedWrites(error: unknown): number[] {
  const refused = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (refused.length === 0 || refused.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  return refused.map(({ index }) => index);
}

/** The hint of a command names an index that is not there. */
export function isMissingIndexError(error: unknown): boolean {
  return error instanceof MongoError && error.code === BAD_VALUE && error.message.includes('hint');
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return isNetworkFailure(error);
  // A bulk write wraps whatever went wrong, a lost connection too, in an error of its own.
  if (error instanceof MongoBulkWriteError && isUnavailable(error.errorResponse)) return true;
  return (
    UNAVAILABLE_CLASSES.some((unavailable) => error instanceof unavailable) ||
    UNAVAILABLE_NAMES.has(error.name) ||
    UNAVAILABLE_CODES.has(error.code) ||
    UNAVAILABLE_LABELS.some((label) => error.hasErrorLabel(label))
  );
}

/**
 * The resolver's errors (`querySrv ETIMEOUT`) pass through the driver as they are, and right after a server died so does
 * now and then a socket's (`write EPIPE`).
 */
function isNetworkFailure(error: unknown): boolean {
  const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return typeof syscall === 'string' && /^(query|getaddrinfo|connect|read|write)/.test(syscall);
}

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

/** The database did not answer, or not for sure: the call may work a moment later. */
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

/** What a server answers that is going down, not the primary, cut off from the others or out of time. */
const UNAVAILABLE_CODES = new Set<unknown>([
  6, // HostUnreachable
  7, // HostNotFound
  43, // CursorNotFound: the server that had it is no longer the primary
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // CannotSatisfyWriteConcern
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  246, // SnapshotUnavailable
  262, // ExceededTimeLimit
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
]);

const UNAVAILABLE_LABELS = [MongoErrorLabel.RetryableWriteError, MongoErrorLabel.SystemOverloadedError];

/** {@link DatabaseUnavailableError} where the database did not answer; any other error as it is. */
export function translateDriverError(error: unknown): unknown {
  return isUnavailable(error) ? new DatabaseUnavailableError({ cause: error }) : error;
}

/** The unique index on `requestHash`, or a primary key, refused the write. */
export function isDuplicateKeyError(error: unknown): boolean {
  return error instanceof MongoError && error.code === 11000;
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

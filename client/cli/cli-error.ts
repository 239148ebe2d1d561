import { InvalidArgumentError } from 'commander';
import {
  ForbiddenError,
  InvalidRequestError,
  LeaseEndedError,
  LeaseLimitReachedError,
  LeaseLostError,
  NoKeyAvailableError,
  OrchestratorError,
  PoolPausedError,
  ServiceUnavailableError,
  ThrottledError,
  UnauthenticatedError,
  UnexpectedAnswerError,
  UnreachableError,
  ValueExistsError,
} from '../sdk/errors.ts';

/**
 * What the exit code says. Those of `sysexits.h` where one fits; a command under `run` may use the same ones, so what
 * happened is on standard error as well.
 */
export const exitCodes = {
  /** The service refused the request, or something unforeseen happened. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The service cannot be reached, or fails (EX_UNAVAILABLE). */
  unreachable: 69,
  /** No key was free in time (EX_TEMPFAIL). */
  noKey: 75,
  /** The lease is over, or was lost while the command ran (EX_PROTOCOL). */
  leaseLost: 76,
  /** The credential is missing, wrong, revoked, or not allowed to do this (EX_NOPERM). */
  notAllowed: 77,
  /** A setting or a file of settings is missing or unfit (EX_CONFIG). */
  configuration: 78,
  /** The command under `run` cannot be executed, as in a shell. */
  notExecutable: 126,
  /** The command under `run` was not found, as in a shell. */
  notFound: 127,
} as const;

/** As a shell has it, when a signal ended a command. */
export const SIGNAL_BASE = 128;

/** Something that the person at the command line can put right; the message says how. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code that tells what went wrong. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof InvalidArgumentError) return exitCodes.usage;
  if (
    error instanceof NoKeyAvailableError ||
    error instanceof PoolPausedError ||
    error instanceof LeaseLimitReachedError
  ) {
    return exitCodes.noKey;
  }
  if (error instanceof LeaseEndedError || error instanceof LeaseLostError) return exitCodes.leaseLost;
  if (error instanceof UnauthenticatedError || error instanceof ForbiddenError) return exitCodes.notAllowed;
  if (
    error instanceof UnreachableError ||
    error instanceof ServiceUnavailableError ||
    error instanceof ThrottledError ||
    error instanceof UnexpectedAnswerError
  ) {
    return exitCodes.unreachable;
  }
  return exitCodes.failed;
}

/** So many places of mistakes are named to people. */
const MOST_PLACES = 10;

/** What went wrong, and in which places of the request. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!hasPlaces(error) || error.errors.length === 0) return message;
  const places = error.errors.slice(0, MOST_PLACES).map(({ path, message }) => `${path}: ${message}`);
  const more = error.errors.length - places.length;
  return `${message} (${places.join('; ')}${more > 0 ? `; and ${more} more` : ''})`;
}

function hasPlaces(error: unknown): error is InvalidRequestError | ValueExistsError {
  return error instanceof InvalidRequestError || error instanceof ValueExistsError;
}

/** One line for people, or one JSON object for programs. */
export function describeError(error: unknown, json: boolean): string {
  const { code, status, requestId } =
    error instanceof OrchestratorError ? error : ({} as Record<string, undefined>);
  if (json) {
    return JSON.stringify({
      error: {
        ...(error instanceof OrchestratorError && { code, status, requestId }),
        ...(error instanceof LeaseEndedError && { reason: error.reason }),
        ...((error instanceof NoKeyAvailableError || error instanceof LeaseLimitReachedError) && {
          retryAfterMs: error.retryAfterMs,
        }),
        ...(hasPlaces(error) && { errors: error.errors }),
        message: error instanceof Error ? error.message : String(error),
      },
    });
  }
  const request = requestId === undefined ? '' : ` (request ${requestId})`;
  return `token-orchestrator: ${messageOf(error)}${request}`;
}

import {
  ForbiddenError,
  LeaseEndedError,
  LeaseLostError,
  NoKeyAvailableError,
  OrchestratorError,
  PoolPausedError,
  ServiceUnavailableError,
  ThrottledError,
  UnauthenticatedError,
  UnexpectedAnswerError,
  UnreachableError,
} from '../sdk/errors.ts';
import { exitCodes } from './exit-codes.ts';

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
  if (error instanceof NoKeyAvailableError || error instanceof PoolPausedError) return exitCodes.noKey;
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

/** One line for people, or one JSON object for programs. */
export function describeError(error: unknown, json: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const { code, status, requestId } =
    error instanceof OrchestratorError ? error : ({} as Record<string, undefined>);
  if (json) {
    return JSON.stringify({
      error: {
        ...(error instanceof OrchestratorError && { code, status, requestId }),
        ...(error instanceof LeaseEndedError && { reason: error.reason }),
        ...(error instanceof NoKeyAvailableError && { retryAfterMs: error.retryAfterMs }),
        message,
      },
    });
  }
  const request = requestId === undefined ? '' : ` (request ${requestId})`;
  return `token-orchestrator: ${message}${request}`;
}

import type { MiddlewareObj } from '@middy/core';
import type { Problem, ProblemCode } from '../contract/problems.ts';
import {
  DatabaseUnavailableError,
  InvalidRequestError,
  LeaseEndedError,
  LeaseLimitReachedError,
  NoKeyAvailableError,
  OrchestratorError,
  ValueExistsError,
} from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';

/** What a caller is told to wait when the database does not answer, in milliseconds. */
const DATABASE_RETRY_MS = 2000;

export interface ProblemResponse {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/** The one place where a code becomes an HTTP status; the compiler checks that none is missing. */
export function statusOf(code: ProblemCode): number {
  switch (code) {
    case 'invalid_request':
      return 400;
    case 'unauthenticated':
      return 401;
    case 'forbidden':
      return 403;
    case 'key_not_found':
    case 'pool_not_found':
    case 'client_not_found':
    case 'route_not_found':
      return 404;
    case 'method_not_allowed':
      return 405;
    case 'no_key_available':
    case 'key_not_leased':
    case 'lease_changed':
    case 'pool_full':
    case 'value_exists':
    case 'values_not_configured':
    case 'pool_paused':
    case 'pool_changed':
    case 'last_admin':
    case 'own_credential':
      return 409;
    case 'lease_ended':
    case 'ticket_ended':
      return 410;
    case 'body_too_large':
      return 413;
    case 'unsupported_media_type':
      return 415;
    case 'idempotency_key_reused':
      return 422;
    case 'lease_limit_reached':
      return 429;
    case 'internal':
      return 500;
    case 'database_unavailable':
      return 503;
  }
}

/** `no_key_available` to "No key available". */
function titleOf(code: ProblemCode): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * An error as the caller may see it. Of an error that is not one of the domain's nothing is told but that it happened:
 * no stack, no driver text.
 */
export function describeProblem(error: unknown, requestId: string): ProblemResponse {
  const known = error instanceof OrchestratorError;
  const code = known ? (error.code as ProblemCode) : 'internal';
  const retryAfterMs = retryAfter(error, code);
  return {
    problem: {
      type: 'about:blank',
      title: titleOf(code),
      status: statusOf(code),
      code,
      detail: known ? error.message : 'An unexpected error; quote the request id when you report it',
      requestId,
      ...((error instanceof InvalidRequestError || error instanceof ValueExistsError) && {
        errors: [...error.issues],
      }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(error instanceof LeaseEndedError && { reason: error.reason }),
    },
    headers: {
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
      ...(code === 'unauthenticated' && { 'www-authenticate': 'Bearer' }),
      ...(error instanceof MethodNotAllowedError && { allow: error.allow.join(', ') }),
    },
  };
}

function retryAfter(error: unknown, code: ProblemCode): number | undefined {
  if (error instanceof NoKeyAvailableError || error instanceof LeaseLimitReachedError)
    return Math.max(1, error.retryAfterMs);
  return code === 'database_unavailable' ? DATABASE_RETRY_MS : undefined;
}

/**
 * A failure as the log tells it. `causeCode`: the first code of what lies beneath (`ECONNREFUSED`, 10107), which a search
 * finds whatever the wording.
 */
export function describeFailure(error: unknown): { reason: string; causeCode?: unknown } | { error: Error } {
  if (!(error instanceof DatabaseUnavailableError)) return { error: error as Error };
  const { name, message } = (error.cause ?? {}) as Partial<Error>;
  let cause = error.cause as NodeJS.ErrnoException | undefined;
  while (cause !== undefined && cause.code === undefined) cause = cause.cause as typeof cause;
  return { reason: `${name}: ${message}`, ...(cause !== undefined && { causeCode: cause.code }) };
}

/** Logs a failure that is not the caller's; an alarm counts the lines about the database. */
export function logFailure(
  logger: Logger,
  error: unknown,
  ids: { requestId?: string | undefined } = {},
): void {
  const isDatabase = error instanceof DatabaseUnavailableError;
  logger.error(isDatabase ? 'database unavailable' : 'unexpected error', {
    ...ids,
    ...describeFailure(error),
  });
}

/** Sends every error as a problem document, and logs the ones that are not the caller's. */
export function sendProblems(logger: Logger): MiddlewareObj<ApiEvent, ApiResponse> {
  return {
    onError: (request) => {
      const { requestId } = request.event.requestContext;
      if (
        request.error instanceof DatabaseUnavailableError ||
        !(request.error instanceof OrchestratorError)
      ) {
        logFailure(logger, request.error, { requestId });
      }
      const { problem, headers } = describeProblem(request.error, requestId);
      request.response = {
        statusCode: problem.status,
        headers: { ...headers, 'content-type': 'application/problem+json' },
        body: JSON.stringify(problem),
      };
    },
  };
}

/** No route has this path. */
export class RouteNotFoundError extends OrchestratorError {
  readonly code = 'route_not_found';
}

/** The path exists, for other methods. */
export class MethodNotAllowedError extends OrchestratorError {
  readonly code = 'method_not_allowed';
  readonly allow: readonly string[];

  constructor(allow: readonly string[]) {
    super(`This path allows ${allow.join(', ')}`);
    this.allow = allow;
  }
}

/** The body exceeds the limit. */
export class BodyTooLargeError extends OrchestratorError {
  readonly code = 'body_too_large';
}

/** The body is not declared as JSON. */
export class UnsupportedMediaTypeError extends OrchestratorError {
  readonly code = 'unsupported_media_type';
}

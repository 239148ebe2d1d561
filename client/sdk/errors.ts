import type { LeaseEndReason, Problem, ProblemCode } from '../../shared/contract/problems.ts';

/** The API's codes, and those of what happens on this side. */
export type ErrorCode = ProblemCode | 'throttled' | 'unreachable' | 'unexpected_answer' | 'lease_lost';

/** Where an error comes from. */
export interface ErrorDetails {
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  /** Quote it when you report a problem. */
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Every error of this library. Never carries the credential. */
export class OrchestratorError extends Error {
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
  }
}

/** The request is malformed or contradicts itself. */
export class InvalidRequestError extends OrchestratorError {
  declare readonly code: 'invalid_request';
  /** What is wrong, and where. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor(message: string, errors: InvalidRequestError['errors'], details?: ErrorDetails) {
    super('invalid_request', message, details);
    this.errors = errors;
  }
}

/** The request carries no credential. */
export class UnauthenticatedError extends OrchestratorError {
  declare readonly code: 'unauthenticated';
}

/** The credential is wrong, revoked, or not allowed to do this. */
export class ForbiddenError extends OrchestratorError {
  declare readonly code: 'forbidden';
}

/** There is no such key, pool, client or path; `code` says which. */
export class NotFoundError extends OrchestratorError {
  declare readonly code: 'key_not_found' | 'pool_not_found' | 'client_not_found' | 'route_not_found';
}

/** No key of the pool is free. */
export class NoKeyAvailableError extends OrchestratorError {
  declare readonly code: 'no_key_available';
  /** Milliseconds until a key is free if nobody keeps it alive; a release may free one sooner. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, details?: ErrorDetails) {
    super('no_key_available', message, details);
    this.retryAfterMs = retryAfterMs;
  }
}

/** There is no lease to end: the key is free. */
export class KeyNotLeasedError extends OrchestratorError {
  declare readonly code: 'key_not_leased';
}

/** Another lease stands on the key than the one that was to be ended: nothing was done. */
export class LeaseChangedError extends OrchestratorError {
  declare readonly code: 'lease_changed';
}

/** The new keys would exceed the pool's `maxKeys`. */
export class PoolFullError extends OrchestratorError {
  declare readonly code: 'pool_full';
}

/** Some of the values are in the pool already: none was imported. */
export class ValueExistsError extends OrchestratorError {
  declare readonly code: 'value_exists';
  /** Which ones, by their place in the request. */
  readonly errors: InvalidRequestError['errors'];

  constructor(message: string, errors: InvalidRequestError['errors'], details?: ErrorDetails) {
    super('value_exists', message, details);
    this.errors = errors;
  }
}

/** Your client has as many live leases in the pool as its policy allows one client. */
export class LeaseLimitReachedError extends OrchestratorError {
  declare readonly code: 'lease_limit_reached';
  /** Milliseconds until one of them ends unless it is kept alive. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, details?: ErrorDetails) {
    super('lease_limit_reached', message, details);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The place in the queue is lost: it was not used in time. */
export class TicketEndedError extends OrchestratorError {
  declare readonly code: 'ticket_ended';
}

/** The pool gives no new leases at present. */
export class PoolPausedError extends OrchestratorError {
  declare readonly code: 'pool_paused';
}

/** The pool was changed since it was read: nothing was done. */
export class PoolChangedError extends OrchestratorError {
  declare readonly code: 'pool_changed';
}

/** Without this client nobody could manage clients any more. */
export class LastAdminError extends OrchestratorError {
  declare readonly code: 'last_admin';
}

/** The client to be revoked is the one that asks: `force` says that it is meant. */
export class OwnCredentialError extends OrchestratorError {
  declare readonly code: 'own_credential';
}

/** The `Idempotency-Key` was used for another request. */
export class IdempotencyKeyReusedError extends OrchestratorError {
  declare readonly code: 'idempotency_key_reused';
}

/** The service said that the lease is over. Final. */
export class LeaseEndedError extends OrchestratorError {
  declare readonly code: 'lease_ended';
  readonly reason: LeaseEndReason;

  constructor(message: string, reason: LeaseEndReason, details?: ErrorDetails) {
    super('lease_ended', message, details);
    this.reason = reason;
  }
}

/** No keep-alive got through in time, or this process was suspended: by its own clocks the lease may lapse. Final. */
export class LeaseLostError extends OrchestratorError {
  declare readonly code: 'lease_lost';
}

/** The service refused the request for its rate or number; it may be repeated later. */
export class ThrottledError extends OrchestratorError {
  declare readonly code: 'throttled';
}

/** The service failed or cannot reach its database; the outcome of a write is unknown. */
export class ServiceUnavailableError extends OrchestratorError {
  declare readonly code: 'internal' | 'database_unavailable';
  /** Milliseconds that the service asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ServiceUnavailableError['code'],
    message: string,
    retryAfterMs: number | undefined,
    details?: ErrorDetails,
  ) {
    super(code, message, details);
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer: no connection, or none in time. The outcome of a write is unknown. */
export class UnreachableError extends OrchestratorError {
  declare readonly code: 'unreachable';
}

/** What answered does not speak this API. */
export class UnexpectedAnswerError extends OrchestratorError {
  declare readonly code: 'unexpected_answer';
}

/** An error as the service described it. The compiler checks that no code is missing. */
export function errorOfProblem(problem: Problem, status: number, requestId?: string): OrchestratorError {
  const { code, detail } = problem;
  const details = { status, requestId: problem.requestId ?? requestId };
  switch (code) {
    case 'invalid_request':
      return new InvalidRequestError(detail, problem.errors ?? [], details);
    case 'unauthenticated':
      return new UnauthenticatedError(code, detail, details);
    case 'forbidden':
      return new ForbiddenError(code, detail, details);
    case 'key_not_found':
    case 'pool_not_found':
    case 'client_not_found':
    case 'route_not_found':
      return new NotFoundError(code, detail, details);
    case 'no_key_available':
      return new NoKeyAvailableError(detail, problem.retryAfterMs ?? 0, details);
    case 'key_not_leased':
      return new KeyNotLeasedError(code, detail, details);
    case 'lease_changed':
      return new LeaseChangedError(code, detail, details);
    case 'pool_full':
      return new PoolFullError(code, detail, details);
    case 'value_exists':
      return new ValueExistsError(detail, problem.errors ?? [], details);
    case 'lease_limit_reached':
      return new LeaseLimitReachedError(detail, problem.retryAfterMs ?? 0, details);
    case 'ticket_ended':
      return new TicketEndedError(code, detail, details);
    case 'pool_paused':
      return new PoolPausedError(code, detail, details);
    case 'pool_changed':
      return new PoolChangedError(code, detail, details);
    case 'last_admin':
      return new LastAdminError(code, detail, details);
    case 'own_credential':
      return new OwnCredentialError(code, detail, details);
    case 'idempotency_key_reused':
      return new IdempotencyKeyReusedError(code, detail, details);
    case 'lease_ended':
      return new LeaseEndedError(detail, problem.reason ?? 'unknown', details);
    case 'internal':
    case 'database_unavailable':
      return new ServiceUnavailableError(code, detail, problem.retryAfterMs, details);
    case 'values_not_configured':
    case 'method_not_allowed':
    case 'body_too_large':
    case 'unsupported_media_type':
      return new OrchestratorError(code, detail, details);
    default: {
      // A code that is younger than this library.
      const younger: never = code;
      return errorOfStatus(status, detail, requestId) ?? new OrchestratorError(younger, detail, details);
    }
  }
}

/** An answer of the gateway itself, which has no code: its status has to say what happened. */
export function errorOfStatus(
  status: number,
  message: string | undefined,
  requestId?: string,
): OrchestratorError | undefined {
  const details = { status, requestId };
  if (status === 401) {
    return new UnauthenticatedError('unauthenticated', 'The request carries no credential', details);
  }
  if (status === 403) {
    return new ForbiddenError('forbidden', message ?? 'The credential is wrong or was revoked', details);
  }
  if (status === 413) {
    return new OrchestratorError('body_too_large', 'The request is too large', details);
  }
  if (status === 429) {
    return new ThrottledError('throttled', message ?? 'Too many requests', details);
  }
  if (status >= 500) {
    return new ServiceUnavailableError(
      'internal',
      `The service failed: ${message ?? status}`,
      undefined,
      details,
    );
  }
  return undefined;
}

/** Whether the same request may succeed if it is sent again. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof UnreachableError ||
    error instanceof ServiceUnavailableError ||
    error instanceof ThrottledError
  );
}

/** The same failure, of a request that must not be sent again. */
export function withUnknownOutcome(error: unknown): unknown {
  const isUnknown = error instanceof UnreachableError || error instanceof ServiceUnavailableError;
  if (!isUnknown) return error;
  const message = `${error.message}; it is not known whether this was done: look before you send it again`;
  const { status, requestId } = error;
  const details = { status, requestId, cause: error };
  return error instanceof UnreachableError
    ? new UnreachableError(error.code, message, details)
    : new ServiceUnavailableError(error.code, message, error.retryAfterMs, details);
}

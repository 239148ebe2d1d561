import type { LeaseEndReason, Problem, ProblemCode } from '../../shared/contract/problems.ts';

/** The API's codes, and those of this library. */
export type ErrorCode = ProblemCode | 'throttled' | 'unreachable' | 'unexpected_answer' | 'lease_lost';

/** Where an error comes from. */
export interface ErrorDetails {
  /** The HTTP status; undefined when there was no response. */
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

/** The key has another lease than the one to be ended: nothing was done. */
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

/** It is the last client that can manage clients: not even `force` revokes it. */
export class LastAdminError extends OrchestratorError {
  declare readonly code: 'last_admin';
}

/** A client tried to revoke its own credential; `force` does it. */
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

/** No response: no connection, or none in time. The outcome of a write is unknown. */
export class UnreachableError extends OrchestratorError {
  declare readonly code: 'unreachable';
}

/** The response is not one of this API. */
export class UnexpectedAnswerError extends OrchestratorError {
  declare readonly code: 'unexpected_answer';
}

/** The class of each code that has nothing more to say. The compiler checks that no code is missing. */
const CLASSES: Record<
  Exclude<
    ProblemCode,
    | 'invalid_request'
    | 'no_key_available'
    | 'value_exists'
    | 'lease_limit_reached'
    | 'lease_ended'
    | 'internal'
    | 'database_unavailable'
  >,
  typeof OrchestratorError
> = {
  unauthenticated: UnauthenticatedError,
  forbidden: ForbiddenError,
  key_not_found: NotFoundError,
  pool_not_found: NotFoundError,
  client_not_found: NotFoundError,
  route_not_found: NotFoundError,
  method_not_allowed: OrchestratorError,
  key_not_leased: KeyNotLeasedError,
  lease_changed: LeaseChangedError,
  pool_full: PoolFullError,
  values_not_configured: OrchestratorError,
  ticket_ended: TicketEndedError,
  pool_paused: PoolPausedError,
  pool_changed: PoolChangedError,
  last_admin: LastAdminError,
  own_credential: OwnCredentialError,
  body_too_large: OrchestratorError,
  unsupported_media_type: OrchestratorError,
  idempotency_key_reused: IdempotencyKeyReusedError,
};

/** An error as the service described it. */
export function errorOfProblem(problem: Problem, status: number, requestId?: string): OrchestratorError {
  const { code, detail } = problem;
  const details = { status, requestId: problem.requestId ?? requestId };
  switch (code) {
    case 'invalid_request':
      return new InvalidRequestError(detail, problem.errors ?? [], details);
    case 'no_key_available':
      return new NoKeyAvailableError(detail, problem.retryAfterMs ?? 0, details);
    case 'value_exists':
      return new ValueExistsError(detail, problem.errors ?? [], details);
    case 'lease_limit_reached':
      return new LeaseLimitReachedError(detail, problem.retryAfterMs ?? 0, details);
    case 'lease_ended':
      return new LeaseEndedError(detail, problem.reason ?? 'unknown', details);
    case 'internal':
    case 'database_unavailable':
      return new ServiceUnavailableError(code, detail, problem.retryAfterMs, details);
    default:
      // A code that is younger than this library is told by its status.
      return Object.hasOwn(CLASSES, code)
        ? new CLASSES[code](code, detail, details)
        : (errorOfStatus(status, detail, requestId) ?? new OrchestratorError(code, detail, details));
  }
}

/** A response of the gateway itself has no code: its status says what happened. */
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
    return new ForbiddenError(
      'forbidden',
      message ?? 'The credential is wrong, has expired or was revoked',
      details,
    );
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

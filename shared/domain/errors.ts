/** Why a lease is over. `unknown`: the key no longer remembers it, or is gone. */
export type LeaseEndReason = 'released' | 'lapsed' | 'unblocked' | 'deleted' | 'unknown';

/** One thing wrong with a request: where, and what is expected there. */
export interface RequestIssue {
  readonly path: string;
  readonly message: string;
}

interface OrchestratorErrorOptions extends ErrorOptions {
  readonly about?: OrchestratorError['about'];
}

/**
 * Every error that a caller may see. `code` is one of a closed list; the HTTP status belongs to `shared/http`.
 */
export abstract class OrchestratorError extends Error {
  abstract readonly code: string;
  /**
   * For the log and what is counted: the pool and the key that this is about, where they are known to exist, never what a
   * caller made up; `waiting`: nobody is refused yet, the caller goes on asking.
   */
  about: { readonly pool?: string; readonly keyId?: string; readonly outcome?: 'waiting' };

  constructor(message: string, { about = {}, ...options }: OrchestratorErrorOptions = {}) {
    super(message, options);
    this.about = about;
  }

  /** Made of the code, since names of classes do not survive minification: `pool_full` is a `PoolFullError`. */
  override get name(): string {
    const words = this.code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return `${words}Error`;
  }
}

/** The request is malformed or contradicts itself. */
export class InvalidRequestError extends OrchestratorError {
  readonly code = 'invalid_request';
  readonly issues: readonly RequestIssue[];

  constructor(issues: readonly RequestIssue[], options?: ErrorOptions) {
    super(issues.map((issue) => `${issue.path}: ${issue.message}`).join('; '), options);
    this.issues = issues;
  }
}

/** No credential was passed on with the request. */
export class UnauthenticatedError extends OrchestratorError {
  readonly code = 'unauthenticated';
}

/** The credential is known, but not allowed to do this. */
export class ForbiddenError extends OrchestratorError {
  readonly code = 'forbidden';
}

/** No such key, or it is deleted or past its hard expiration. */
export class KeyNotFoundError extends OrchestratorError {
  readonly code = 'key_not_found';

  constructor() {
    super('There is no such key, or it has expired or was deleted');
  }
}

/** No such pool, or it was deleted. */
export class PoolNotFoundError extends OrchestratorError {
  readonly code = 'pool_not_found';

  constructor(pool: string) {
    super(`There is no pool named "${pool}"`);
  }
}

/** No such client, or it was revoked. */
export class ClientNotFoundError extends OrchestratorError {
  readonly code = 'client_not_found';

  constructor() {
    super('There is no such client, or it was revoked');
  }
}

/** Every key of the pool is leased or cooling, or the pool has none. */
export class NoKeyAvailableError extends OrchestratorError {
  readonly code = 'no_key_available';
  /** Milliseconds until a key is free if nobody keeps it alive; a release may free one sooner. */
  readonly retryAfterMs: number;

  constructor(pool: string, retryAfterMs: number) {
    super(`No key of pool "${pool}" is free`, { about: { pool } });
    this.retryAfterMs = retryAfterMs;
  }
}

/** There is no lease to end: the key is free. */
export class KeyNotLeasedError extends OrchestratorError {
  readonly code = 'key_not_leased';

  constructor() {
    super('The key is free: there is no lease to end');
  }
}

/** Another lease stands on the key than the one that was meant, so nothing was done. */
export class LeaseChangedError extends OrchestratorError {
  readonly code = 'lease_changed';

  constructor() {
    super('The key has another lease than the one that was meant; nothing was done');
  }
}

/** The new keys would exceed the pool's `maxKeys`. */
export class PoolFullError extends OrchestratorError {
  readonly code = 'pool_full';

  constructor(pool: string, maxKeys: number) {
    super(
      `Pool "${pool}" holds at most ${maxKeys} keys; one that was deleted, or whose pool was, counts until its holder has surely stopped`,
      { about: { pool } },
    );
  }
}

/** The pool makes its keys itself, so that none can be made by hand. */
export class PoolMakesKeysError extends OrchestratorError {
  readonly code = 'pool_full';

  constructor(pool: string, targetSize: number) {
    super(`Pool "${pool}" makes its ${targetSize} keys itself (targetSize)`, { about: { pool } });
  }
}

/** Some of the values are in the pool already; `issues` says which, never the values themselves. */
export class ValueExistsError extends OrchestratorError {
  readonly code = 'value_exists';
  readonly issues: readonly RequestIssue[];

  constructor(issues: readonly RequestIssue[]) {
    super(
      'Some of the values are in the pool already, or were until their holder has surely stopped; none was imported',
    );
    this.issues = issues;
  }
}

/** No key is configured to seal values with. */
export class ValuesNotConfiguredError extends OrchestratorError {
  readonly code = 'values_not_configured';

  constructor() {
    super('This service has no VALUE_ENCRYPTION_KEY, so it imports no values');
  }
}

/** The client has as many live leases as the pool's policy allows one client. */
export class LeaseLimitReachedError extends OrchestratorError {
  readonly code = 'lease_limit_reached';
  /** Milliseconds until one of them ends if it is not kept alive. */
  readonly retryAfterMs: number;

  constructor(pool: string, limit: number, retryAfterMs: number) {
    super(`A client may hold ${limit} leases in pool "${pool}"`, { about: { pool } });
    this.retryAfterMs = retryAfterMs;
  }
}

/** The ticket was not used in time, was used up, or never was. */
export class TicketEndedError extends OrchestratorError {
  readonly code = 'ticket_ended';

  constructor() {
    super('The ticket has ended: it was not used in time, has left the queue, or is not of this pool');
  }
}

/** The pool gives no new leases at present. */
export class PoolPausedError extends OrchestratorError {
  readonly code = 'pool_paused';

  constructor(pool: string) {
    super(`Pool "${pool}" is paused: it gives no new leases, live ones go on`, { about: { pool } });
  }
}

/** The pool was changed since it was read, so nothing was done. */
export class PoolChangedError extends OrchestratorError {
  readonly code = 'pool_changed';

  constructor(pool: string) {
    super(`Pool "${pool}" was changed since it was read; nothing was done`);
  }
}

/** Nobody would be left who may manage clients. */
export class LastAdminError extends OrchestratorError {
  readonly code = 'last_admin';

  constructor() {
    super('This is the last admin that neither is limited to some pools nor expires; make another one first');
  }
}

/** The credential would revoke itself. */
export class OwnCredentialError extends OrchestratorError {
  readonly code = 'own_credential';

  constructor() {
    super('This is the credential of the call itself; with force=true it is revoked all the same');
  }
}

/** The idempotency key was used for another request. */
export class IdempotencyKeyReusedError extends OrchestratorError {
  readonly code = 'idempotency_key_reused';

  constructor() {
    super('The idempotency key was used before, for a request with another body');
  }
}

/** The lease is over, for good. */
export class LeaseEndedError extends OrchestratorError {
  readonly code = 'lease_ended';
  readonly reason: LeaseEndReason;

  /** @param about the key that is known to have had the lease */
  constructor(reason: LeaseEndReason, about?: OrchestratorError['about']) {
    super(`The lease is over (${reason})`, about && { about });
    this.reason = reason;
  }
}

/** The database did not answer in time, or a write's outcome is unknown. */
export class DatabaseUnavailableError extends OrchestratorError {
  readonly code = 'database_unavailable';

  constructor(options?: ErrorOptions) {
    super('The database does not answer at present; the outcome of a write is unknown', options);
  }
}

import {
  ForbiddenError,
  InvalidRequestError,
  isTransient,
  LeaseEndedError,
  NoKeyAvailableError,
  OrchestratorError,
  ServiceUnavailableError,
  ThrottledError,
  UnauthenticatedError,
  UnreachableError,
} from '../../../client/sdk/errors.ts';
import type { LeaseEndReason } from '../../../shared/contract/problems.ts';

/** The service cannot be reached, or fails: the same request may succeed later. */
export const isOutage = isTransient;

/** The credential is not valid, or not allowed to do this; `GET /v1/me` tells which. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ForbiddenError || error instanceof UnauthenticatedError;
}

/** Tells a person why their action failed, and what they can do. */
export function explainError(error: unknown): string {
  if (!(error instanceof OrchestratorError))
    return 'Something unexpected went wrong in the dashboard. Reload the page.';
  if (error instanceof InvalidRequestError)
    return error.errors.map(({ message }) => message).join('. ') || error.message;
  if (error instanceof LeaseEndedError) return explainLeaseEnd(error.reason);
  if (error instanceof NoKeyAvailableError)
    return `Every key of the pool is taken. Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`;
  switch (error.code) {
    case 'unreachable':
      return `${navigator.onLine ? 'No answer came' : 'You are offline'}, so it is unknown whether this was done. Look before you try again.`;
    case 'throttled':
      return 'Too many requests at once. Wait a moment and try again.';
    case 'database_unavailable':
      return 'The database does not answer right now, so it is unknown whether this was done. Look before you try again.';
    case 'key_not_found':
      return 'This key is gone: it expired, or somebody deleted it.';
    case 'pool_not_found':
      return 'There is no pool of this name. Check the spelling, or create it first.';
    case 'client_not_found':
      return 'This client is gone: somebody else revoked it.';
    case 'key_not_leased':
      return 'Nobody holds this key any more, so there is nothing to unblock.';
    case 'lease_changed':
      return 'Somebody else holds it now, so nothing was done. Close this and look again.';
    case 'pool_full':
      return `${error.message}. Create fewer keys, or raise the limit in the pool's policy.`;
    case 'pool_paused':
      return 'The pool is paused: it gives no new leases until an admin resumes it.';
    case 'pool_changed':
      return 'Somebody else changed this policy since it was loaded. Nothing was saved: load it as it is now, and make your change again.';
    case 'last_admin':
      return 'This is the last admin for all pools: without it nobody could manage clients any more. Create another one first.';
    case 'own_credential':
      return 'This is your own credential. Confirm that you mean it.';
    case 'internal':
    case 'unexpected_answer':
      return `Something went wrong in the service. ${error.requestId === undefined ? `It answered ${error.status}` : `Quote request ${error.requestId} when you report it`}.`;
    default:
      return error.message.endsWith('.') ? error.message : `${error.message}.`;
  }
}

/** Tells a person why there is nothing to show, where the page keeps trying by itself. */
export function explainOutage(error: unknown): string {
  if (error instanceof UnreachableError) {
    return navigator.onLine
      ? 'The service does not answer. This page keeps trying.'
      : 'You are offline. This page goes on when the connection is back.';
  }
  if (error instanceof ThrottledError) return 'Too many requests at once. This page tries again in a moment.';
  if (error instanceof ServiceUnavailableError && error.code === 'database_unavailable')
    return 'The service cannot reach its database. This page keeps trying.';
  return explainError(error);
}

/** Tells a person why they are signed out. A TypeError: the text is no credential, and was not sent. */
export function explainSignOut(error: unknown): string {
  return isRefusal(error) || error instanceof TypeError
    ? 'This credential is wrong or was revoked.'
    : explainError(error);
}

export function explainLeaseEnd(reason: LeaseEndReason): string {
  switch (reason) {
    case 'released':
      return 'The lease was released.';
    case 'lapsed':
      return 'The lease lapsed: no keep-alive came in time.';
    case 'unblocked':
      return 'An admin unblocked the key, which ended the lease.';
    case 'deleted':
      return 'The key was deleted, which ended the lease.';
    case 'unknown':
      return 'The lease is over.';
  }
}

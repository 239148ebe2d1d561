import type { LeaseEndReason } from '../../../shared/contract/problems.ts';
import { ApiError } from './api-error.ts';

/** What a person is told when something they asked for failed: what happened, and what can be done. */
export function explainError(error: unknown): string {
  if (!(error instanceof ApiError))
    return 'Something unexpected went wrong in the dashboard. Reload the page.';
  switch (error.code) {
    case 'network':
      return `${navigator.onLine ? 'No answer came' : 'You are offline'}, so it is unknown whether this was done. Look before you try again.`;
    case 'credential_rejected':
      return 'This credential is wrong or was revoked.';
    case 'throttled':
      return 'Too many requests at once. Wait a moment and try again.';
    case 'database_unavailable':
      return 'The database does not answer right now, so it is unknown whether this was done. Look before you try again.';
    case 'forbidden':
    case 'unauthenticated':
      return error.message.endsWith('.') ? error.message : `${error.message}.`;
    case 'key_not_found':
      return 'This key is gone: it expired, or somebody deleted it.';
    case 'pool_not_found':
      return 'There is no pool of this name. Check the spelling, or create it first.';
    case 'client_not_found':
      return 'This client is gone: somebody else revoked it.';
    case 'no_key_available':
      return error.retryAfterMs === undefined
        ? 'Every key of the pool is taken.'
        : `Every key of the pool is taken. Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`;
    case 'key_not_leased':
      return 'Nobody holds this key any more, so there is nothing to unblock.';
    case 'pool_full':
      return `${error.message}. Create fewer keys, or raise the limit in the pool's policy.`;
    case 'pool_paused':
      return 'The pool is paused: it gives no new leases until an admin resumes it.';
    case 'lease_ended':
      return explainLeaseEnd(error.reason ?? 'unknown');
    case 'invalid_request':
      return error.issues.map((issue) => issue.message).join('. ') || error.message;
    default:
      return error.requestId === undefined
        ? `${error.message}.`
        : `Something went wrong in the service. Quote request ${error.requestId} when you report it.`;
  }
}

/** What a person is told when the page cannot get something to show: it goes on asking, and nothing was changed. */
export function explainOutage(error: unknown): string {
  if (!(error instanceof ApiError)) return explainError(error);
  switch (error.code) {
    case 'network':
      return navigator.onLine
        ? 'The service does not answer. This page keeps trying.'
        : 'You are offline. This page goes on when the connection is back.';
    case 'throttled':
      return 'Too many requests at once. This page tries again in a moment.';
    case 'database_unavailable':
      return 'The service cannot reach its database. This page keeps trying.';
    default:
      return explainError(error);
  }
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

import {
  type ErrorCode,
  ForbiddenError,
  InvalidRequestError,
  isTransient,
  LeaseEndedError,
  LeaseLimitReachedError,
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
  if (error instanceof InvalidRequestError && error.errors.length > 0)
    return error.errors.map(({ message }) => message).join('. ');
  if (error instanceof LeaseEndedError) return explainLeaseEnd(error.reason);
  if (error instanceof NoKeyAvailableError)
    return `Every key of the pool is taken. Try again in ${secondsOf(error)} s.`;
  if (error instanceof LeaseLimitReachedError)
    return `${error.message}. Release one, or wait ${secondsOf(error)} s until one may end.`;
  const { code } = error;
  // A code that is younger than this page has no words here.
  const words: Words = Object.hasOwn(WORDS, code) ? WORDS[code as keyof typeof WORDS] : asItSays;
  return typeof words === 'string' ? words : words(error);
}

function secondsOf({ retryAfterMs }: { readonly retryAfterMs: number }): number {
  return Math.ceil(retryAfterMs / 1000);
}

type Words = string | ((error: OrchestratorError) => string);

const asItSays: Words = ({ message }) => (message.endsWith('.') ? message : `${message}.`);
const wentWrong: Words = ({ status, requestId }) =>
  `Something went wrong in the service. ${requestId === undefined ? `It answered ${status}` : `Quote request ${requestId} when you report it`}.`;
const otherVersion = 'The service does not know this request: it may be of another version. Reload the page.';

/** The words for each code whose error has nothing more to say. It does not compile if one is missing. */
const WORDS: Record<Exclude<ErrorCode, 'lease_ended' | 'no_key_available' | 'lease_limit_reached'>, Words> = {
  invalid_request: asItSays,
  unauthenticated: 'This credential is wrong, has expired or was revoked. Sign in again.',
  forbidden: asItSays,
  key_not_found: 'This key is gone: it expired, or somebody deleted it.',
  pool_not_found: 'There is no pool of this name. Check the spelling, or create it first.',
  client_not_found: 'This client is gone: somebody else revoked it.',
  route_not_found: otherVersion,
  method_not_allowed: otherVersion,
  key_not_leased: 'Nobody holds this key any more, so there is nothing to unblock.',
  lease_changed: 'Somebody else holds it now, so nothing was done. Close this and look again.',
  pool_full: ({ message }) => `${message}. Create fewer keys, or change the limit in the pool's policy.`,
  value_exists: 'Some of these secrets are in the pool already, or were until just now. None was imported.',
  values_not_configured:
    'This service has no VALUE_ENCRYPTION_KEY, so it keeps no secrets. Whoever runs it has to configure one first.',
  pool_paused: 'The pool is paused: it gives no new leases until an admin resumes it.',
  pool_changed:
    'Somebody else changed this policy since it was loaded. Nothing was saved: load it as it is now, and make your change again.',
  last_admin:
    'This is the last admin for all pools that does not expire: without it nobody could manage clients any more. Create another one first.',
  own_credential: 'This is your own credential. Confirm that you mean it.',
  ticket_ended: 'The place in the queue is lost, since nobody asked for it in time. Ask for a new one.',
  body_too_large: 'This is too much for one request. Send less at a time.',
  unsupported_media_type: otherVersion,
  idempotency_key_reused: 'This was sent before with other contents. Close the dialog and start again.',
  internal: wentWrong,
  database_unavailable:
    'The database does not answer right now, so it is unknown whether this was done. Look before you try again.',
  throttled: 'Too many requests at once. Wait a moment and try again.',
  unreachable: () =>
    `${navigator.onLine ? 'No answer came' : 'You are offline'}, so it is unknown whether this was done. Look before you try again.`,
  unexpected_answer: wentWrong,
  lease_lost: 'No keep-alive got through in time, so the lease may have lapsed.',
};

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
    ? 'This credential is wrong, has expired or was revoked.'
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

import type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  ListKeysQuery,
  ListKeysResponse,
} from '../../shared/contract/keys.ts';
import type { Labels } from '../../shared/contract/primitives.ts';
import type { CallOptions, Context, PageOptions } from './context.ts';
import { KeyNotLeasedError, LeaseChangedError, NotFoundError } from './errors.ts';
import { randomId, sendEnding, sendRepeatedly } from './repeat.ts';
import { pathOf } from './transport.ts';

export interface ListKeysOptions extends Pick<ListKeysQuery, 'pool' | 'state' | 'search'>, PageOptions {}

/** A key as it was read, or its lease: the fencing token names the lease that is meant. */
export type KeyAsRead = Pick<Key, 'keyId' | 'fencingToken'>;

export interface EndLeaseOptions extends CallOptions {
  /** Frees the key at once, before the holder's own deadline: safe only behind a fencing token. */
  readonly force?: boolean | undefined;
}

export interface PauseKeyOptions extends CallOptions {
  /** Shown with the key; not secret. */
  readonly reason?: string | undefined;
}

/** Calls for admins; viewers may read. */
export interface KeysApi {
  /**
   * Adds free keys to a pool, or imports values, one key each; all of them or none, at most 1000 at once. Safe to repeat:
   * it carries an idempotency key. @throws PoolFullError, ValueExistsError
   */
  create(request?: CreateKeysRequest, options?: CallOptions): Promise<CreateKeysResponse>;
  /** A page of a pool's keys. With `state` or `search` it may be short, even empty: go on while it has a `nextCursor`. */
  list(options?: ListKeysOptions): Promise<ListKeysResponse>;
  /** @throws NotFoundError */
  get(keyId: string, options?: CallOptions): Promise<Key>;
  /** Replaces the key's labels. @throws NotFoundError */
  setLabels(keyId: string, labels: Labels, options?: CallOptions): Promise<Key>;
  /** Restarts the key's hard-expiration clock. @throws NotFoundError */
  refresh(keyId: string, options?: CallOptions): Promise<Key>;
  /**
   * Takes the key out of service: a lease on it goes on, and then nobody gets it. It keeps its seat and does not expire.
   * @throws NotFoundError
   */
  pause(keyId: string, options?: PauseKeyOptions): Promise<Key>;
  /** Puts the key back into service, with a whole life before it. @throws NotFoundError */
  resume(keyId: string, options?: CallOptions): Promise<Key>;
  /**
   * Ends somebody's lease, the one that the key had when it was read; the key cools until the holder's own deadline.
   * @throws LeaseChangedError when another lease stands there, KeyNotLeasedError, NotFoundError
   */
  unblock(key: KeyAsRead, options?: EndLeaseOptions): Promise<Key>;
  /** Deletes the key for good, and ends its lease. @throws LeaseChangedError when it has another one, NotFoundError */
  delete(key: KeyAsRead, options?: EndLeaseOptions): Promise<void>;
}

export function createKeysApi(context: Context): KeysApi {
  const get: KeysApi['get'] = (keyId, { signal } = {}) =>
    sendRepeatedly(context, { method: 'GET', path: `/keys${pathOf(keyId)}`, signal });

  return {
    create: (body = {}, { signal } = {}) =>
      sendRepeatedly(context, {
        method: 'POST',
        path: '/keys',
        headers: { 'idempotency-key': randomId() },
        body,
        signal,
      }),
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/keys', query, signal }),
    get,
    setLabels: (keyId, labels, { signal } = {}) =>
      sendRepeatedly(context, { method: 'PATCH', path: `/keys${pathOf(keyId)}`, body: { labels }, signal }),
    refresh: (keyId, { signal } = {}) =>
      sendRepeatedly(context, { method: 'POST', path: `/keys${pathOf(keyId, 'refresh')}`, signal }),
    pause: (keyId, { signal, reason } = {}) =>
      sendRepeatedly(context, {
        method: 'POST',
        path: `/keys${pathOf(keyId, 'pause')}`,
        body: { reason },
        signal,
      }),
    resume: (keyId, { signal } = {}) =>
      sendRepeatedly(context, { method: 'POST', path: `/keys${pathOf(keyId, 'resume')}`, signal }),
    unblock: async (key, { signal, force } = {}) => {
      const query = endingOf(key, force);
      const path = `/keys${pathOf(key.keyId, 'unblock')}`;
      const isOver = (error: unknown): boolean =>
        error instanceof LeaseChangedError || error instanceof KeyNotLeasedError;
      const unblocked = await sendEnding<Key>(context, { method: 'POST', path, query, signal }, isOver);
      noteEnd(context, key, 'unblocked');
      return unblocked ?? get(key.keyId, { signal });
    },
    delete: async (key, { signal, force } = {}) => {
      const query = endingOf(key, force);
      const path = `/keys${pathOf(key.keyId)}`;
      const isGone = (error: unknown): boolean => error instanceof NotFoundError;
      await sendEnding(context, { method: 'DELETE', path, query, signal }, isGone);
      noteEnd(context, key, 'deleted');
    },
  };
}

function endingOf({ fencingToken }: KeyAsRead, force: boolean | undefined) {
  if (!Number.isSafeInteger(fencingToken)) {
    throw new TypeError('Give the key as it was read: its fencingToken names the lease to end');
  }
  return { force, fencingToken };
}

function noteEnd({ held }: Context, key: KeyAsRead, reason: 'unblocked' | 'deleted'): void {
  held.endMatching(
    ({ keyId, fencingToken }) => keyId === key.keyId && fencingToken === key.fencingToken,
    reason,
  );
}

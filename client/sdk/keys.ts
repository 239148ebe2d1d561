import type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  ListKeysQuery,
  ListKeysResponse,
} from '../../shared/contract/keys.ts';
import type { CallOptions, Context, PageOptions } from './context.ts';
import { KeyNotLeasedError, LeaseChangedError, NotFoundError } from './errors.ts';
import { sendEnding, sendOnce, sendRepeatedly } from './repeat.ts';
import { pathOf } from './transport.ts';

export interface ListKeysOptions extends Pick<ListKeysQuery, 'pool' | 'state' | 'search'>, PageOptions {}

/** A key as it was read, or its lease: the fencing token names the lease that is meant. */
export type KeyAsRead = Pick<Key, 'keyId' | 'fencingToken'>;

export interface EndLeaseOptions extends CallOptions {
  /** Frees the key at once, before the holder's own deadline: safe only behind a fencing token. */
  readonly force?: boolean | undefined;
}

/** Calls for admins; viewers may read. */
export interface KeysApi {
  /** Adds free keys to a pool, all of them or none; at most 1000 at once. Not repeated when its outcome is unknown. */
  create(request?: CreateKeysRequest, options?: CallOptions): Promise<CreateKeysResponse>;
  /** A page of a pool's keys. With `state` or `search` it may be short, even empty: go on while it has a `nextCursor`. */
  list(options?: ListKeysOptions): Promise<ListKeysResponse>;
  /** @throws NotFoundError */
  get(keyId: string, options?: CallOptions): Promise<Key>;
  /** Restarts the key's hard-expiration clock. @throws NotFoundError */
  refresh(keyId: string, options?: CallOptions): Promise<Key>;
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
      sendOnce(context, { method: 'POST', path: '/keys', body, signal }),
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/keys', query, signal }),
    get,
    refresh: (keyId, { signal } = {}) =>
      sendRepeatedly(context, { method: 'POST', path: `/keys${pathOf(keyId, 'refresh')}`, signal }),
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

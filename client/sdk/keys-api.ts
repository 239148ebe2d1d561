import type {
  CreateKeysRequest,
  CreateKeysResponse,
  Key,
  ListKeysQuery,
  ListKeysResponse,
} from '../../shared/contract/keys.ts';
import type { Context } from './context.ts';
import type { CallOptions, PageOptions } from './options.ts';
import { sendDeletion, sendOnce, sendRepeatedly } from './send-repeatedly.ts';
import { pathOf } from './transport.ts';

export interface ListKeysOptions extends Pick<ListKeysQuery, 'pool' | 'state' | 'search'>, PageOptions {}

export interface EndLeaseOptions extends CallOptions {
  /** Frees the key at once, before the holder's own deadline: safe only behind a fencing token. */
  readonly force?: boolean | undefined;
}

/** What admins, and viewers as far as they read, do with keys. */
export interface KeysApi {
  /** Adds free keys to a pool, all of them or none; at most 1000 at once. Not repeated when its outcome is unknown. */
  create(request?: CreateKeysRequest, options?: CallOptions): Promise<CreateKeysResponse>;
  /** A page of a pool's keys. */
  list(options?: ListKeysOptions): Promise<ListKeysResponse>;
  /** @throws NotFoundError */
  get(keyId: string, options?: CallOptions): Promise<Key>;
  /** Restarts the key's hard-expiration clock. @throws NotFoundError */
  refresh(keyId: string, options?: CallOptions): Promise<Key>;
  /** Ends somebody's lease; the key cools until the holder's own deadline. @throws KeyNotLeasedError, NotFoundError */
  unblock(keyId: string, options?: EndLeaseOptions): Promise<Key>;
  /** Deletes the key for good. @throws NotFoundError */
  delete(keyId: string, options?: EndLeaseOptions): Promise<void>;
}

export function createKeysApi(context: Context): KeysApi {
  return {
    create: (body = {}, { signal } = {}) =>
      sendOnce(context, { method: 'POST', path: '/keys', body, signal }) as Promise<CreateKeysResponse>,
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/keys', query, signal }) as Promise<ListKeysResponse>,
    get: (keyId, { signal } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: `/keys${pathOf(keyId)}`, signal }) as Promise<Key>,
    refresh: (keyId, { signal } = {}) =>
      sendRepeatedly(context, {
        method: 'POST',
        path: `/keys${pathOf(keyId, 'refresh')}`,
        signal,
      }) as Promise<Key>,
    unblock: (keyId, { signal, force } = {}) =>
      sendRepeatedly(context, {
        method: 'POST',
        path: `/keys${pathOf(keyId, 'unblock')}`,
        query: { force },
        signal,
      }) as Promise<Key>,
    delete: async (keyId, { signal, force } = {}) => {
      await sendDeletion(context, { path: `/keys${pathOf(keyId)}`, query: { force }, signal });
    },
  };
}

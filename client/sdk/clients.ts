import type {
  Caller,
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
  RotateClientRequest,
} from '../../shared/contract/clients.ts';
import type { CallOptions, Context, PageOptions } from './context.ts';
import { NotFoundError } from './errors.ts';
import { sendEnding, sendOnce, sendRepeatedly } from './repeat.ts';
import { pathOf } from './transport.ts';

export interface DeleteClientOptions extends CallOptions {
  /** Also revokes the credential that is used for this very call. */
  readonly force?: boolean | undefined;
}

/** Calls for admins. */
export interface ClientsApi {
  /** A new client; its credential is in this response alone. Not repeated when its outcome is unknown. */
  create(request: CreateClientRequest, options?: CallOptions): Promise<CreatedClient>;
  list(options?: PageOptions): Promise<ListClientsResponse>;
  /**
   * A new secret for the client; its credential is in this response alone. The old one stays good for `keepOldSeconds`
   * (a day unless told). Not repeated when its outcome is unknown. @throws NotFoundError, LastAdminError
   */
  rotate(clientId: string, request?: RotateClientRequest, options?: CallOptions): Promise<CreatedClient>;
  /** Revokes the client's credential, everywhere within a minute. @throws NotFoundError, OwnCredentialError, LastAdminError */
  delete(clientId: string, options?: DeleteClientOptions): Promise<void>;
}

export function createClientsApi(context: Context): ClientsApi {
  return {
    create: (body, { signal } = {}) => sendOnce(context, { method: 'POST', path: '/clients', body, signal }),
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/clients', query, signal }),
    rotate: (clientId, body = {}, { signal } = {}) =>
      sendOnce(context, { method: 'POST', path: `/clients${pathOf(clientId, 'secrets')}`, body, signal }),
    delete: async (clientId, { signal, force } = {}) => {
      const path = `/clients${pathOf(clientId)}`;
      const isGone = (error: unknown): boolean => error instanceof NotFoundError;
      await sendEnding(context, { method: 'DELETE', path, query: { force }, signal }, isGone);
    },
  };
}

/** Whom the credential names. */
export function readMe(context: Context, { signal }: CallOptions = {}): Promise<Caller> {
  return sendRepeatedly(context, { method: 'GET', path: '/me', signal });
}

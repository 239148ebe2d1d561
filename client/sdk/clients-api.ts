import type {
  CreateClientRequest,
  CreatedClient,
  ListClientsResponse,
} from '../../shared/contract/clients.ts';
import type { Context } from './context.ts';
import type { CallOptions, PageOptions } from './options.ts';
import { sendDeletion, sendOnce, sendRepeatedly } from './send-repeatedly.ts';
import { pathOf } from './transport.ts';

/** What admins do with clients. */
export interface ClientsApi {
  /** A new client; its credential is in this answer alone. Not repeated when its outcome is unknown. */
  create(request: CreateClientRequest, options?: CallOptions): Promise<CreatedClient>;
  list(options?: PageOptions): Promise<ListClientsResponse>;
  /** Revokes the client's credential, everywhere within a minute. @throws NotFoundError */
  delete(clientId: string, options?: CallOptions): Promise<void>;
}

export function createClientsApi(context: Context): ClientsApi {
  return {
    create: (body, { signal } = {}) =>
      sendOnce(context, { method: 'POST', path: '/clients', body, signal }) as Promise<CreatedClient>,
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, {
        method: 'GET',
        path: '/clients',
        query,
        signal,
      }) as Promise<ListClientsResponse>,
    delete: (clientId, { signal } = {}) =>
      sendDeletion(context, { path: `/clients${pathOf(clientId)}`, signal }),
  };
}

import type { Api } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';

/** What the caller may do, as the API itself tells. */
export interface Access {
  /** May see pools and keys. */
  readonly canRead: boolean;
  /** May acquire leases. */
  readonly canLease: boolean;
  /** May create, change and delete keys and pools. */
  readonly canManage: boolean;
  /** May create and revoke clients; an admin that is limited to some pools may not. */
  readonly canManageClients: boolean;
}

/** Asks one small question for each role. @throws ApiError when the credential is good for nothing, or no answer comes */
export async function discoverAccess(api: Api): Promise<Access> {
  const page = { limit: 1 };
  const [canRead, canLease, canManageClients] = await Promise.all([
    isAllowed(api.listPools(page)),
    isAllowed(api.listLeases(page)),
    isAllowed(api.listClients(page)),
  ]);
  // Only an admin may do both.
  return { canRead, canLease, canManage: canRead && canLease, canManageClients };
}

async function isAllowed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'forbidden') return false;
    throw error;
  }
}

export function roleOf(access: Access): 'admin' | 'viewer' | 'client' {
  if (access.canManage) return 'admin';
  return access.canRead ? 'viewer' : 'client';
}

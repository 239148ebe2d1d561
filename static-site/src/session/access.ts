import type { Caller } from '../../../shared/contract/clients.ts';

/** May see pools and keys. */
export function canRead({ role }: Caller): boolean {
  return role !== 'client';
}

/** May acquire leases. */
export function canLease({ role }: Caller): boolean {
  return role !== 'viewer';
}

/** May create, change and delete keys and pools. */
export function canManage({ role }: Caller): boolean {
  return role === 'admin';
}

/** May create and revoke clients. */
export function canManageClients({ role, pools }: Caller): boolean {
  return role === 'admin' && pools === undefined;
}

/** The pool that is most likely meant where none is named. */
export function firstPool({ pools }: Caller): string {
  return pools === undefined || pools.includes('default') ? 'default' : (pools[0] ?? 'default');
}

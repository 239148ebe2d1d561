import type { LeaseEndReason } from '../../../domain/errors.ts';
import type { Key, KeyLease, StoredState } from '../../../domain/key.ts';

export interface LeaseDocument {
  readonly id: string;
  readonly clientId: string;
  readonly holder?: string;
  readonly acquiredAt: Date;
  readonly expiresAt: Date;
}

/** The state of keys that one creation has inserted and not yet made visible; no read but the creation's own looks there. */
export type PendingState = `pending:${string}`;

export interface KeyDocument {
  readonly _id: string;
  readonly pool: string;
  readonly state: StoredState | PendingState;
  readonly slot: number;
  readonly fencingToken: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly freeAt: Date;
  readonly lease?: LeaseDocument;
  /** The whole lease before: ending a lease renames `lease`, which no other operator can reach into. */
  readonly lastLease?: LeaseDocument;
  /** Why `lastLease` ended. */
  readonly endReason?: Exclude<LeaseEndReason, 'unknown'>;
  readonly requestHash?: string;
  readonly value?: string;
  /** While pending: what `expiresAt` will be. */
  readonly expiresAtOnceFree?: Date;
}

export function toLeaseDocument(lease: KeyLease): LeaseDocument {
  const { id, clientId, holder, acquiredAt, expiresAt } = lease;
  return {
    id,
    clientId,
    ...(holder !== undefined && { holder }),
    acquiredAt: new Date(acquiredAt),
    expiresAt: new Date(expiresAt),
  };
}

function toLease(document: LeaseDocument): KeyLease {
  return {
    ...document,
    acquiredAt: document.acquiredAt.getTime(),
    expiresAt: document.expiresAt.getTime(),
  };
}

export function toKey(document: KeyDocument): Key {
  const { lease, lastLease, endReason, requestHash, value } = document;
  return {
    keyId: document._id,
    pool: document.pool,
    state: document.state as StoredState,
    slot: document.slot,
    fencingToken: document.fencingToken,
    createdAt: document.createdAt.getTime(),
    expiresAt: document.expiresAt.getTime(),
    freeAt: document.freeAt.getTime(),
    ...(lease !== undefined && { lease: toLease(lease) }),
    ...(lastLease !== undefined &&
      endReason !== undefined && {
        lastLease: { id: lastLease.id, clientId: lastLease.clientId, reason: endReason },
      }),
    ...(requestHash !== undefined && { requestHash }),
    ...(value !== undefined && { value }),
  };
}

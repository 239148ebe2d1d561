import type { KeyState } from '../../../shared/contract/keys.ts';
import type { KeyRow } from './key-pages.ts';

export type KeyColumn = 'state' | 'key' | 'holder' | 'held' | 'lease' | 'lifetime' | 'token';

export interface KeySort {
  readonly column: KeyColumn;
  readonly descending: boolean;
}

/** Leased keys first, of them the one that is held longest; then those that cool. */
export const FIRST_SORT: KeySort = { column: 'state', descending: false };

const RANKS: Readonly<Record<KeyState, number>> = { leased: 0, cooling: 1, paused: 2, free: 3 };
/** More than any time in milliseconds, so that a rank comes before it. */
const RANK_MS = 1e14;

/** Undefined, as the holder of a free key, is last in both directions. */
const VALUES: Readonly<Record<KeyColumn, (row: KeyRow) => number | string | undefined>> = {
  state: ({ key: { state, lease, freeInMs }, sentAt }) =>
    RANKS[state] * RANK_MS +
    (lease === undefined ? sentAt + (freeInMs ?? -sentAt) : Date.parse(lease.acquiredAt)),
  key: ({ key }) => key.keyId,
  holder: ({ key: { lease } }) => lease && (lease.holder ?? lease.clientId).toLowerCase(),
  held: ({ key: { lease } }) => lease && Date.parse(lease.acquiredAt),
  lease: ({ key: { lease, freeInMs }, sentAt }) => {
    const left = lease?.expiresInMs ?? freeInMs;
    return left === undefined ? undefined : sentAt + left;
  },
  lifetime: ({ key: { expiresInMs }, sentAt }) => (expiresInMs === null ? undefined : sentAt + expiresInMs),
  token: ({ key }) => key.fencingToken,
};

/** Equal ones stay in the order of the list. Values are computed once each: ten thousand keys sort in a few milliseconds. */
export function sortKeys(rows: readonly KeyRow[], { column, descending }: KeySort): readonly KeyRow[] {
  const valueIn = VALUES[column];
  const direction = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: valueIn(row) }))
    .sort((a, b) => {
      if (a.value === b.value) return 0;
      if (a.value === undefined) return 1;
      if (b.value === undefined) return -1;
      return a.value < b.value ? -direction : direction;
    })
    .map(({ row }) => row);
}

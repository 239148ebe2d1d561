import { DatabaseUnavailableError } from '../../../domain/errors.ts';
import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { SLOT_INDEX } from '../indexes.ts';
import type { KeyDocument, PendingState } from './key-document.ts';

/** How long pending keys of a process that died may stay, in milliseconds; the sweep removes them as expired. */
const PENDING_MS = 60_000;

/** The keys of one creation, before anybody sees them: no other key is in their state. */
export interface Batch {
  readonly pool: string;
  readonly state: PendingState;
}

/** Index: none is read. */
export async function insertPending(
  keys: KeyCollection,
  created: readonly Key[],
  batch: Batch,
  now: number,
): Promise<void> {
  await keys.insertMany(
    created.map(
      (key): KeyDocument => ({
        _id: key.keyId,
        ...batch,
        slot: key.slot,
        fencingToken: key.fencingToken,
        createdAt: new Date(key.createdAt),
        expiresAt: new Date(now + PENDING_MS),
        expiresAtOnceFree: new Date(key.expiresAt),
        freeAt: new Date(key.freeAt),
        ...(key.value !== undefined && { value: key.value }),
      }),
    ),
  );
}

/** Makes the batch visible. Index: `SLOT_INDEX`, hinted. */
export async function publishPending(keys: KeyCollection, batch: Batch, size: number): Promise<void> {
  const { modifiedCount } = await keys.updateMany(
    batch,
    { $rename: { expiresAtOnceFree: 'expiresAt' }, $set: { state: 'free' } },
    { hint: SLOT_INDEX },
  );
  if (modifiedCount < size) {
    throw new DatabaseUnavailableError({
      cause: new Error('Pending keys expired before they were published'),
    });
  }
}

/** Index: `SLOT_INDEX`, hinted. */
export async function withdrawPending(keys: KeyCollection, batch: Batch): Promise<void> {
  await keys.deleteMany(batch, { hint: SLOT_INDEX });
}

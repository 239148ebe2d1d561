import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Labels } from '../../../shared/contract/primitives.ts';
import { explainError } from '../api/explain-error.ts';
import { announce } from '../components/toasts.tsx';
import { canManage } from '../session/access.ts';
import { endSessionIfRejected, type SignedIn } from '../session/session.ts';
import { EndLeaseDialog } from './end-lease-dialog.tsx';
import { KeyFilter, type KeyFilterValue, readFilter, writeFilter } from './key-filter.tsx';
import { createKeyList } from './key-list.ts';
import type { KeyAction } from './key-table.tsx';
import { KeysFound } from './keys-found.tsx';
import { LabelsDialog } from './labels-dialog.tsx';

const DONE = {
  refresh: 'Key refreshed: its life starts again',
  pause: 'Key paused: nobody gets it any more',
  resume: 'Key resumed: it is in service again',
} as const;

interface KeysSectionProps {
  readonly signedIn: SignedIn;
  readonly pool: Pool;
  /** Grows when keys are created or the pool is emptied. */
  readonly changes: number;
  readonly onChanged: () => void;
  readonly onCreateKeys: () => void;
}

/** The pool's keys, with their filter and actions. */
export function KeysSection({ signedIn, pool, changes, onChanged, onCreateKeys }: KeysSectionProps) {
  const { api, caller } = signedIn;
  const [filter, setFilter] = useState<KeyFilterValue>(readFilter);
  const [ending, setEnding] = useState<{ kind: 'unblock' | 'delete'; key: Key } | undefined>(undefined);
  const [labelled, setLabelled] = useState<Key | undefined>(undefined);
  const list = useMemo(() => createKeyList(api, { pool: pool.pool, ...filter }), [api, pool.pool, filter]);
  useEffect(() => () => list.stop(), [list]);
  useEffect(() => {
    if (changes > 0) list.refresh();
  }, [changes, list]);

  const onFilter = useCallback((value: KeyFilterValue) => {
    writeFilter(value);
    setFilter(value);
  }, []);
  // A stable function, so that rows do not render again.
  const onAction = useCallback(
    async (action: KeyAction, key: Key): Promise<void> => {
      if (action === 'label') return setLabelled(key);
      if (action === 'unblock' || action === 'delete') return setEnding({ kind: action, key });
      try {
        const { body, sentAt } = await api[`${action}Key`](key.keyId);
        list.replace(body, sentAt);
        announce(DONE[action]);
      } catch (error) {
        endSessionIfRejected(error);
        announce(explainError(error), 'warning');
        list.refresh();
      }
    },
    [api, list],
  );
  // Ends the lease that the dialog showed and no other: somebody may have acquired the key since.
  const endLease = async (kind: 'unblock' | 'delete', key: Key, force: boolean): Promise<void> => {
    const { keyId, fencingToken } = key;
    try {
      if (kind === 'unblock') {
        const { body, sentAt } = await api.unblockKey(keyId, { force, fencingToken });
        list.replace(body, sentAt);
        announce(body.state === 'free' ? 'Key unblocked: it is free' : 'Key unblocked: it cools');
      } else {
        await api.deleteKey(keyId, { force, fencingToken });
        list.remove(keyId);
        announce('Key deleted');
      }
    } catch (error) {
      list.refresh();
      throw error;
    } finally {
      onChanged();
    }
  };

  const saveLabels = async ({ keyId }: Key, labels: Labels): Promise<void> => {
    const { body, sentAt } = await api.labelKey(keyId, labels);
    list.replace(body, sentAt);
    announce('Labels saved');
  };

  return (
    <section class="card" aria-labelledby="keys-heading">
      <h2 id="keys-heading" class="sr-only">
        Keys
      </h2>
      <KeyFilter value={filter} onChange={onFilter} />
      <KeysFound
        list={list}
        pool={pool}
        filter={filter}
        canManage={canManage(caller)}
        onAction={onAction}
        onClear={() => onFilter({ state: undefined, search: undefined })}
        onCreateKeys={onCreateKeys}
      />
      {labelled !== undefined && (
        <LabelsDialog
          target={labelled}
          onClose={() => setLabelled(undefined)}
          onSave={(labels) => saveLabels(labelled, labels)}
        />
      )}
      {ending !== undefined && (
        <EndLeaseDialog
          kind={ending.kind}
          target={ending.key}
          onClose={() => setEnding(undefined)}
          onConfirm={(force) => endLease(ending.kind, ending.key, force)}
        />
      )}
    </section>
  );
}

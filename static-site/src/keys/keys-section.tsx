import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Labels } from '../../../shared/contract/primitives.ts';
import { explainError } from '../api/explain-error.ts';
import { announce } from '../components/toasts.tsx';
import { showKey } from '../router.ts';
import { canManage } from '../session/access.ts';
import { endSessionIfRejected, type SignedIn } from '../session/session.ts';
import { addCounts } from '../text/format-count.ts';
import { type BulkAction, BulkDialog, type ListedKey } from './bulk-dialog.tsx';
import { EndLeaseDialog } from './end-lease-dialog.tsx';
import { KeyDrawer } from './key-drawer.tsx';
import { KeyFilter, type KeyFilterValue, readFilter, writeFilter } from './key-filter.tsx';
import { createKeyList } from './key-list.ts';
import { PAGE } from './key-pages.ts';
import type { KeyAction } from './key-table.tsx';
import { KeysFound } from './keys-found.tsx';
import { LabelsDialog } from './labels-dialog.tsx';
import { SelectionBar } from './selection-bar.tsx';

const DONE = {
  refresh: 'Key refreshed: its life starts again',
  resume: 'Key resumed: it is in service again',
} as const;

interface KeysSectionProps {
  readonly signedIn: SignedIn;
  readonly pool: Pool;
  /** The key whose drawer is open. */
  readonly openKey: string | undefined;
  /** Grows when keys are created or the pool is emptied. */
  readonly changes: number;
  readonly onChanged: () => void;
  readonly onCreateKeys: () => void;
}

/** The pool's keys, with their filter and actions. */
export function KeysSection(props: KeysSectionProps) {
  const { signedIn, pool, openKey, changes, onChanged, onCreateKeys } = props;
  const { api, caller } = signedIn;
  const isManager = canManage(caller);
  const [filter, setFilter] = useState<KeyFilterValue>(readFilter);
  const [ending, setEnding] = useState<{ kind: 'unblock' | 'delete'; key: Key } | undefined>(undefined);
  const [labelled, setLabelled] = useState<Key | undefined>(undefined);
  const [bulk, setBulk] = useState<{ action: BulkAction; keys: readonly Key[] } | undefined>(undefined);
  const [actions, setActions] = useState(0);
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const hasSeveralPages = addCounts(Object.values(pool.counts)).count > PAGE;
  const list = useMemo(
    () => createKeyList(api, { pool: pool.pool, ...filter }, hasSeveralPages),
    [api, pool.pool, filter, hasSeveralPages],
  );
  useEffect(() => () => list.stop(), [list]);
  useEffect(() => {
    if (changes > 0) list.refresh();
  }, [changes, list]);

  const onFilter = useCallback((value: KeyFilterValue) => {
    writeFilter(value);
    setFilter(value);
    selected.value = new Set();
  }, []);
  const onSelect = useCallback((keyIds: readonly string[], isSelected: boolean) => {
    const next = new Set(selected.value);
    for (const keyId of keyIds) isSelected ? next.add(keyId) : next.delete(keyId);
    selected.value = next;
  }, []);
  const change = async (
    action: 'refresh' | 'pause' | 'resume',
    { keyId }: ListedKey,
    reason?: string,
  ): Promise<void> => {
    const { body, sentAt } = await api[`${action}Key`](keyId, reason);
    list.replace(body, sentAt);
  };
  /** Ends the lease that was shown and no other: somebody may have acquired the key since. */
  const endLease = async (
    kind: 'unblock' | 'delete',
    key: ListedKey,
    force: boolean,
  ): Promise<Key | undefined> => {
    const { keyId, fencingToken } = key;
    if (kind === 'delete') {
      await api.deleteKey(keyId, { force, fencingToken });
      list.remove(keyId);
      return undefined;
    }
    const { body, sentAt } = await api.unblockKey(keyId, { force, fencingToken });
    list.replace(body, sentAt);
    return body;
  };
  const afterAction = (): void => {
    list.refresh();
    onChanged();
    setActions((count) => count + 1);
  };
  // A stable function, so that rows do not render again.
  const onAction = useCallback(
    async (action: KeyAction, key: Key): Promise<void> => {
      if (action === 'label') return setLabelled(key);
      if (action === 'pause') return setBulk({ action, keys: [key] });
      if (action === 'unblock' || action === 'delete') return setEnding({ kind: action, key });
      try {
        await change(action, key);
        announce(DONE[action]);
      } catch (error) {
        endSessionIfRejected(error);
        announce(explainError(error), 'warning');
      }
      afterAction();
    },
    [api, list],
  );
  const saveLabels = async ({ keyId }: Key, labels: Labels): Promise<void> => {
    const { body, sentAt } = await api.labelKey(keyId, labels);
    list.replace(body, sentAt);
    announce('Labels saved');
    afterAction();
  };
  const confirmEnding = async (kind: 'unblock' | 'delete', key: Key, force: boolean): Promise<void> => {
    try {
      const left = await endLease(kind, key, force);
      if (left === undefined && openKey === key.keyId) showKey(undefined);
      announce(
        left === undefined
          ? 'Key deleted'
          : `Key unblocked: it ${left.state === 'free' ? 'is free' : 'cools'}`,
      );
    } finally {
      afterAction();
    }
  };
  const startBulk = (action: BulkAction): void => {
    const rows = list.rows.peek() ?? [];
    setBulk({ action, keys: rows.flatMap(({ key }) => (selected.peek().has(key.keyId) ? key : [])) });
  };

  return (
    <section class="card" aria-labelledby="keys-heading">
      <h2 id="keys-heading" class="sr-only">
        Keys
      </h2>
      <KeyFilter counts={pool.counts} sort={list.sort} value={filter} onChange={onFilter} />
      {isManager && <SelectionBar list={list} selected={selected} onAction={startBulk} />}
      <KeysFound
        list={list}
        pool={pool}
        filter={filter}
        canManage={isManager}
        selected={isManager ? selected : undefined}
        onSelect={onSelect}
        onOpen={showKey}
        onAction={onAction}
        onClear={() => onFilter({ state: undefined, search: undefined })}
        onCreateKeys={onCreateKeys}
      />
      {openKey !== undefined && (
        <KeyDrawer
          key={openKey}
          api={api}
          keyId={openKey}
          canManage={isManager}
          actions={actions}
          onAction={(action, key) => void onAction(action, key)}
          onClose={() => showKey(undefined)}
        />
      )}
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
          onConfirm={(force) => confirmEnding(ending.kind, ending.key, force)}
        />
      )}
      {bulk !== undefined && (
        <BulkDialog
          {...bulk}
          onEach={async (key, force, reason) => {
            const { action } = bulk;
            if (action === 'unblock' || action === 'delete') await endLease(action, key, force);
            else await change(action, key, reason);
            onSelect([key.keyId], false);
          }}
          onClose={() => {
            setBulk(undefined);
            afterAction();
          }}
        />
      )}
    </section>
  );
}

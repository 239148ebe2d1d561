import { type Signal, useComputed } from '@preact/signals';
import { Icon, type IconName } from '../components/icon.tsx';
import { formatNumber } from '../text/format-count.ts';
import type { BulkAction } from './bulk-dialog.tsx';
import type { KeyList } from './key-list.ts';

interface SelectionBarProps {
  readonly list: KeyList;
  readonly selected: Signal<ReadonlySet<string>>;
  readonly onAction: (action: BulkAction) => void;
}

const ACTIONS: readonly { readonly action: BulkAction; readonly icon: IconName; readonly name: string }[] = [
  { action: 'refresh', icon: 'refresh', name: 'Refresh' },
  { action: 'pause', icon: 'pause', name: 'Pause' },
  { action: 'resume', icon: 'check', name: 'Resume' },
  { action: 'unblock', icon: 'unlock', name: 'Unblock' },
  { action: 'delete', icon: 'trash', name: 'Delete' },
];

/** What can be done to the selected keys. It floats at the bottom, so that it moves nothing. */
export function SelectionBar({ list, selected, onAction }: SelectionBarProps) {
  // One that is gone or matches no more is not meant.
  const count = useComputed(
    () => list.rows.value?.filter(({ key }) => selected.value.has(key.keyId)).length ?? 0,
  ).value;
  return (
    <div class="pointer-events-none fixed inset-x-0 bottom-0 z-20 flex justify-center p-4">
      <div role="status" class="sr-only">
        {count > 0 && `${formatNumber(count)} selected`}
      </div>
      {count > 0 && (
        <div
          role="toolbar"
          aria-label="Selected keys"
          class="appear pointer-events-auto flex flex-wrap items-center gap-1.5 rounded-xl border border-line bg-surface p-2 pl-4 shadow-float"
        >
          <span class="mr-2 font-medium tabular-nums" aria-hidden="true">
            {formatNumber(count)} selected
          </span>
          {ACTIONS.map(({ action, icon, name }) => (
            <button key={action} type="button" class="button button-plain" onClick={() => onAction(action)}>
              <Icon name={icon} /> {name}
            </button>
          ))}
          <button
            type="button"
            class="button button-quiet button-icon"
            aria-label="Clear the selection"
            onClick={() => {
              selected.value = new Set();
            }}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}

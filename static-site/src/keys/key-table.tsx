import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { KeyList } from './key-list.ts';
import type { KeyRow } from './key-pages.ts';
import { KeyTableRow } from './key-table-row.tsx';
import type { KeyColumn, KeySort } from './sort-keys.ts';
import { useVisibleRows } from './use-visible-rows.ts';

const WIDE_ROW_PX = 52;
/** On a phone a key that nobody holds is one line, another one two. */
const SHORT_ROW_PX = 44;
const NARROW_ROW_PX = 68;
const wideScreen = matchMedia('(min-width: 64rem)');

export type KeyAction = 'label' | 'refresh' | 'pause' | 'resume' | 'unblock' | 'delete';

export interface KeyTableProps {
  readonly list: KeyList;
  readonly rows: readonly KeyRow[];
  /** The length of a full bar. */
  readonly leaseMs: number;
  readonly lifeMs: number | null;
  /** The ids of the selected keys; absent for those who may change nothing. */
  readonly selected: ReadonlySignal<ReadonlySet<string>> | undefined;
  readonly onSelect: (keyIds: readonly string[], isSelected: boolean) => void;
  readonly onOpen: (keyId: string) => void;
  readonly onAction: (action: KeyAction, key: Key) => Promise<void>;
}

/**
 * Keys as rows of which only those near the window are rendered. Elements with roles in place of a `<table>`, since on a
 * phone the rows become lines.
 */
export function KeyTable(props: KeyTableProps) {
  const { list, selected, onSelect, onOpen } = props;
  const body = useRef<HTMLDivElement>(null);
  const [isPointedAt, setPointedAt] = useState(false);
  const rows = useHeldOrder(props.rows, isPointedAt ? list.sort.value : undefined);
  const tops = useTops(rows);
  const { first, end } = useVisibleRows(body, tops);
  const isComplete = list.progress.value === 'complete';
  const visible = rows.slice(first, end);
  // What is in sight depends on the order as well.
  const inSight = visible.map(({ key }) => key.keyId).join();
  useEffect(() => list.see(first, end), [list, first, end, inSight]);
  useEffect(() => {
    const openRow = (event: Event): void => {
      const target = event.target as Element;
      if (target.closest('button, label') !== null || getSelection()?.isCollapsed === false) return;
      const keyId = target.closest<HTMLElement>('[data-key]')?.dataset.key;
      if (keyId !== undefined) onOpen(keyId);
    };
    const element = body.current;
    element?.addEventListener('click', openRow);
    return () => element?.removeEventListener('click', openRow);
  }, [onOpen]);

  return (
    <div role="table" aria-label="Keys" aria-rowcount={isComplete ? rows.length + 1 : -1}>
      <div role="rowgroup" class="max-lg:sr-only">
        <div role="row" aria-rowindex={1} class="key-row static h-10">
          <div role="columnheader">
            {selected !== undefined && <SelectAll rows={rows} selected={selected} onSelect={onSelect} />}
          </div>
          {KEY_COLUMNS.map(({ column, name }) => (
            <SortHeader key={column} column={column} name={name} list={list} />
          ))}
          <div role="columnheader">
            <span class="sr-only">Actions</span>
          </div>
        </div>
      </div>
      <div
        ref={body}
        role="rowgroup"
        class="relative"
        style={{ height: `${tops.at(-1)}px` }}
        data-first-row={first}
        onPointerEnter={() => setPointedAt(true)}
        onPointerLeave={() => setPointedAt(false)}
      >
        {visible.map((row, offset) => (
          <KeyTableRow
            key={row.key.keyId}
            {...props}
            row={row}
            index={first + offset}
            topPx={tops[first + offset] ?? 0}
            heightPx={(tops[first + offset + 1] ?? 0) - (tops[first + offset] ?? 0)}
          />
        ))}
      </div>
    </div>
  );
}

/** Rows keep their places while they are held by the same thing, so that none moves away under the pointer. */
function useHeldOrder(rows: readonly KeyRow[], heldBy: unknown): readonly KeyRow[] {
  const held = useRef<{ by: unknown; places: ReadonlyMap<string, number> } | undefined>(undefined);
  return useMemo(() => {
    if (heldBy === undefined || held.current?.by !== heldBy) {
      held.current = { by: heldBy, places: new Map(rows.map(({ key }, place) => [key.keyId, place])) };
      return rows;
    }
    const { places } = held.current;
    const placeOf = ({ key }: KeyRow): number => places.get(key.keyId) ?? rows.length + places.size;
    return rows.toSorted((a, b) => placeOf(a) - placeOf(b));
  }, [rows, heldBy]);
}

export const KEY_COLUMNS: readonly { readonly column: KeyColumn; readonly name: string }[] = [
  { column: 'state', name: 'State' },
  { column: 'key', name: 'Key' },
  { column: 'holder', name: 'Holder' },
  { column: 'held', name: 'Held' },
  { column: 'lease', name: 'Lease' },
  { column: 'lifetime', name: 'Lifetime' },
  { column: 'token', name: 'Fencing token' },
];

interface SortHeaderProps {
  readonly column: KeyColumn;
  readonly name: string;
  readonly list: KeyList;
}

function SortHeader({ column, name, list }: SortHeaderProps) {
  const sort = list.sort.value;
  const isSorted = sort.column === column;
  const direction = sort.descending ? 'descending' : 'ascending';
  const next: KeySort = { column, descending: isSorted && !sort.descending };
  return (
    <div role="columnheader" aria-sort={isSorted ? direction : 'none'}>
      <button type="button" class="key-sort" onClick={() => (list.sort.value = next)}>
        {name}
      </button>
    </div>
  );
}

interface SelectAllProps extends Pick<KeyTableProps, 'rows' | 'onSelect'> {
  readonly selected: ReadonlySignal<ReadonlySet<string>>;
}

function SelectAll({ rows, selected, onSelect }: SelectAllProps) {
  const ids = rows.map(({ key }) => key.keyId);
  const isChecked = selected.value.size >= ids.length;
  return (
    <label class="key-select">
      <input
        type="checkbox"
        class="check"
        aria-label={`Select all ${rows.length} in the list`}
        checked={isChecked}
        onChange={(event) => onSelect(ids, event.currentTarget.checked)}
      />
    </label>
  );
}

/** Where each row starts, and where the last one ends. */
function useTops(rows: readonly KeyRow[]): readonly number[] {
  const [isWide, setWide] = useState(wideScreen.matches);
  useEffect(() => {
    const onChange = (): void => setWide(wideScreen.matches);
    wideScreen.addEventListener('change', onChange);
    return () => wideScreen.removeEventListener('change', onChange);
  }, []);
  return useMemo(() => {
    let top = 0;
    const tops = [0];
    for (const { key } of rows) {
      top += isWide ? WIDE_ROW_PX : key.lease === undefined ? SHORT_ROW_PX : NARROW_ROW_PX;
      tops.push(top);
    }
    return tops;
  }, [rows, isWide]);
}

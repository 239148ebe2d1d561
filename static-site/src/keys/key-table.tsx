import { useEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { KeyList, KeyRow } from './key-list.ts';
import { KeyTableRow } from './key-table-row.tsx';
import { useVisibleRows } from './use-visible-rows.ts';

const WIDE_ROW_PX = 56;
const NARROW_ROW_PX = 164;
const wideScreen = matchMedia('(min-width: 64rem)');

export type KeyAction = 'label' | 'refresh' | 'pause' | 'resume' | 'unblock' | 'delete';

interface KeyTableProps {
  readonly list: KeyList;
  readonly rows: readonly KeyRow[];
  /** The length of a full bar. */
  readonly leaseMs: number;
  readonly lifeMs: number | null;
  readonly canManage: boolean;
  readonly onAction: (action: KeyAction, key: Key) => Promise<void>;
}

/**
 * Keys as rows of one height. Only the rows near the window are rendered. Elements with roles in place of a `<table>`,
 * since on a phone the rows become cards.
 */
export function KeyTable({ list, rows, leaseMs, lifeMs, canManage, onAction }: KeyTableProps) {
  const body = useRef<HTMLDivElement>(null);
  const rowPx = useRowHeight();
  const { first, end } = useVisibleRows(body, rows.length, rowPx);
  const isComplete = list.progress.value === 'complete';
  useEffect(() => list.see(first, end), [list, first, end]);

  return (
    <div role="table" aria-label="Keys" aria-rowcount={isComplete ? rows.length + 1 : -1}>
      <div role="rowgroup" class="max-lg:sr-only">
        <HeaderRow />
      </div>
      <div
        ref={body}
        role="rowgroup"
        class="relative"
        style={{ height: `${rows.length * rowPx}px` }}
        data-first-row={first}
      >
        {rows.slice(first, end).map((row, offset) => (
          <KeyTableRow
            key={row.key.keyId}
            row={row}
            index={first + offset}
            heightPx={rowPx}
            list={list}
            leaseMs={leaseMs}
            lifeMs={lifeMs}
            canManage={canManage}
            onAction={onAction}
          />
        ))}
      </div>
    </div>
  );
}

function useRowHeight(): number {
  const [isWide, setWide] = useState(wideScreen.matches);
  useEffect(() => {
    const onChange = (): void => setWide(wideScreen.matches);
    wideScreen.addEventListener('change', onChange);
    return () => wideScreen.removeEventListener('change', onChange);
  }, []);
  return isWide ? WIDE_ROW_PX : NARROW_ROW_PX;
}

function HeaderRow() {
  const names = ['State', 'Key', 'Holder', 'Since', 'Lease', 'Life', 'Fencing token'];
  return (
    <div role="row" aria-rowindex={1} class="key-row static h-10 text-xs font-medium text-muted">
      {names.map((name) => (
        <div key={name} role="columnheader">
          {name}
        </div>
      ))}
      <div role="columnheader">
        <span class="sr-only">Actions</span>
      </div>
    </div>
  );
}

import type { Signal } from '@preact/signals';
import { useEffect, useId, useState } from 'preact/hooks';
import type { KeyState } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import { Icon } from '../components/icon.tsx';
import { addCounts, formatCount } from '../text/format-count.ts';
import { KEY_COLUMNS } from './key-table.tsx';
import type { KeyColumn, KeySort } from './sort-keys.ts';

/** The search starts when typing has paused for this long, in milliseconds. */
const TYPING_MS = 250;

const STATES: readonly (KeyState | undefined)[] = [undefined, 'free', 'leased', 'cooling', 'paused'];

export interface KeyFilterValue {
  readonly state: KeyState | undefined;
  readonly search: string | undefined;
}

/** The filter in the address, so that it can be bookmarked. */
export function readFilter(): KeyFilterValue {
  const query = new URLSearchParams(location.search);
  const state = STATES.find((known) => known !== undefined && known === query.get('state'));
  return { state, search: query.get('search')?.slice(0, 200) || undefined };
}

export function writeFilter({ state, search }: KeyFilterValue): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries({ state, search })) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  history.replaceState(history.state, '', `${location.pathname}?${query}`);
}

interface KeyFilterProps {
  readonly counts: Pool['counts'];
  readonly sort: Signal<KeySort>;
  readonly value: KeyFilterValue;
  readonly onChange: (value: KeyFilterValue) => void;
}

export function KeyFilter({ counts, sort, value, onChange }: KeyFilterProps) {
  const name = useId();
  const [typed, setTyped] = useState(value.search ?? '');
  useEffect(() => setTyped(value.search ?? ''), [value.search]);
  useEffect(() => {
    const search = typed.trim() || undefined;
    if (search === value.search) return undefined;
    const timer = setTimeout(() => onChange({ ...value, search }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);

  return (
    <div class="flex flex-wrap items-center gap-3 border-b border-line p-3 sm:px-5">
      <fieldset class="flex rounded-[0.5625rem] bg-sunken p-0.5">
        <legend class="sr-only">State</legend>
        {STATES.map((state) => (
          <label
            key={state ?? 'all'}
            class="cursor-pointer rounded-lg px-1 py-1 text-center min-[22.5rem]:px-2.5 sm:px-3 text-[0.8125rem] font-medium text-muted has-checked:bg-raised has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              class="sr-only"
              name={name}
              checked={value.state === state}
              onChange={() => onChange({ ...value, state })}
            />
            <span>{state ?? 'all'}</span>{' '}
            <span class="font-normal tabular-nums">
              {formatCount(state === undefined ? addCounts(Object.values(counts)) : counts[state])}
            </span>
          </label>
        ))}
      </fieldset>
      <div class="relative min-w-0 flex-1 basis-56">
        <span class="pointer-events-none absolute top-2.5 left-3 text-muted">
          <Icon name="search" />
        </span>
        <input
          type="search"
          class="field pl-9"
          aria-label="Search by key id, holder or label"
          placeholder="Key id, holder or label contains…"
          maxLength={200}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      {/* A narrow screen has no column headings. */}
      <select
        class="field w-auto lg:hidden"
        aria-label="Sort by"
        value={sort.value.column}
        onChange={(event) => {
          sort.value = { column: event.currentTarget.value as KeyColumn, descending: false };
        }}
      >
        {KEY_COLUMNS.map(({ column, name }) => (
          <option key={column} value={column}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

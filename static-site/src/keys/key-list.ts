import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api.ts';
import {
  AHEAD,
  createKeyPages,
  type KeyPages,
  type KeyProgress,
  type KeyQuery,
  type KeyRow,
  newestOf,
} from './key-pages.ts';
import { FIRST_SORT, type KeySort, sortKeys } from './sort-keys.ts';

/** So many leased keys are loaded at once, so that the longest-held one is known. */
const MOST_LEASED = 1000;
/** The most keys that are loaded on demand. */
const MOST = 10_000;

export interface KeyList {
  /** Undefined until the first pages are loaded. */
  readonly rows: ReadonlySignal<readonly KeyRow[] | undefined>;
  readonly sort: Signal<KeySort>;
  readonly error: ReadonlySignal<unknown>;
  readonly progress: ReadonlySignal<KeyProgress>;
  /** Says which rows are in sight: they are polled, and the rows below them are loaded. */
  see(first: number, end: number): void;
  loadAll(): void;
  /** Stops the search for more rows. */
  pause(): void;
  goOn(): void;
  refresh(): void;
  replace(key: Key, sentAt: number): void;
  remove(keyId: string): void;
  stop(): void;
}

/**
 * The keys of a pool that match, sorted. The API lists keys in no order that means anything, so that of a pool of several
 * pages the leased and the cooling ones are asked for by themselves: they come first however many keys are free.
 */
export function createKeyList(api: Api, query: KeyQuery, hasSeveralPages: boolean): KeyList {
  const isWhole = query.state === undefined && query.search === undefined;
  const queries: readonly KeyQuery[] =
    isWhole && hasSeveralPages
      ? [{ ...query, state: 'leased' }, { ...query, state: 'cooling' }, query]
      : [query];
  const parts = queries.map((part) => createKeyPages(api, part));
  const sort = signal(FIRST_SORT);
  let least = 0;
  const rows = computed(() => {
    const lists = parts.map((part) => part.rows.value);
    const loaded = lists.filter((list) => list !== undefined);
    return loaded.length < lists.length ? undefined : sortKeys(newestOf(loaded.flat()), sort.value);
  });
  const see = (first: number, end: number): void => {
    const inSight = new Set(
      rows
        .peek()
        ?.slice(first, end)
        .map(({ key }) => key.keyId),
    );
    const wanted = Math.max(least, end + AHEAD);
    for (const [index, part] of parts.entries())
      part.see(inSight, index === 0 && parts.length > 1 ? Math.max(MOST_LEASED, wanted) : wanted);
  };
  const each = (act: (part: KeyPages) => void): void => {
    for (const part of parts) act(part);
  };
  return {
    rows,
    sort,
    see,
    error: computed(() => parts.find((part) => part.error.value !== undefined)?.error.value),
    progress: computed(
      () =>
        parts.map((part) => part.progress.value).findLast((progress) => progress !== 'complete') ??
        'complete',
    ),
    loadAll: () => {
      least = MOST;
      each((part) => part.see(new Set(), MOST));
    },
    pause: () => each((part) => part.pause()),
    goOn: () => each((part) => part.goOn()),
    refresh: () => each((part) => part.refresh()),
    replace: (key, sentAt) => each((part) => part.replace(key, sentAt)),
    remove: (keyId) => each((part) => part.remove(keyId)),
    stop: () => each((part) => part.stop()),
  };
}

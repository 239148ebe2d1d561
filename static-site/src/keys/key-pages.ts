import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Key, KeyState } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api.ts';
import { startPolling } from '../poll/start-polling.ts';
import { endSessionIfRejected } from '../session/session.ts';

export const PAGE = 100;
/** How often the rows in sight are polled, in milliseconds. */
export const KEYS_EVERY_MS = 3000;
/** Rows below the window that are fetched before somebody scrolls to them. */
export const AHEAD = 60;
/** The most pages that one poll asks for, those first that were asked for longest ago. */
const MOST_POLLED = 6;
/** Rows are refreshed after scrolling has stopped for this long, in milliseconds. */
const SETTLE_MS = 200;

export interface KeyRow {
  readonly key: Key;
  /** When the request of the row was sent, on the monotonic clock. */
  readonly sentAt: number;
}

interface Page {
  readonly cursor: string | undefined;
  readonly rows: readonly KeyRow[];
  readonly sentAt: number;
}

export interface KeyQuery {
  readonly pool: string;
  readonly state: KeyState | undefined;
  readonly search: string | undefined;
}

/** `searching`: the last page had no match, the next one is requested; `complete`: no page follows. */
export type KeyProgress = 'more' | 'searching' | 'paused' | 'complete';

export interface KeyPages {
  /** Undefined until the first page is loaded. */
  readonly rows: ReadonlySignal<readonly KeyRow[] | undefined>;
  readonly error: ReadonlySignal<unknown>;
  readonly progress: ReadonlySignal<KeyProgress>;
  /** Says which keys are in sight, so that they are polled, and how many rows to load. */
  see(keyIds: ReadonlySet<string>, wanted: number): void;
  /** Stops the search for more rows. */
  pause(): void;
  goOn(): void;
  refresh(): void;
  replace(key: Key, sentAt: number): void;
  remove(keyId: string): void;
  stop(): void;
}

/**
 * The keys that match one query, loaded page by page. A page is the keys between two cursors. When keys come or go in
 * one, its end moves, and the next page starts there. A page may be empty although more follow, since the service reads
 * a limited number of keys for each.
 */
export function createKeyPages(api: Api, query: KeyQuery): KeyPages {
  const pages = signal<readonly Page[]>([]);
  const nextCursor = signal<string | undefined>(undefined);
  const error = signal<unknown>(undefined);
  const isPaused = signal(false);
  const rows = computed(() =>
    pages.value.length === 0 ? undefined : newestOf(pages.value.flatMap((page) => page.rows)),
  );
  const stopped = new AbortController();
  let seen: ReadonlySet<string> = new Set();
  let wanted = AHEAD;
  let settle: ReturnType<typeof setTimeout> | undefined;
  let filling = false;
  let turn = 0;

  const fetchPage = async (
    cursor: string | undefined,
    abort: AbortSignal,
  ): Promise<[Page, string | undefined]> => {
    const { body, sentAt } = await api.listKeys({ ...query, limit: PAGE, cursor }, abort);
    return [{ cursor, sentAt, rows: body.keys.map((key) => ({ key, sentAt })) }, body.nextCursor];
  };

  /** Replaces page `index`, and moves the start of the next page to where this one ends. */
  const putPage = (index: number, page: Page, next: string | undefined): void => {
    const before = pages.peek().slice(0, index);
    const [following, ...rest] = pages.peek().slice(index + 1);
    if (following === undefined || next === undefined) {
      pages.value = [...before, page];
      nextCursor.value = next;
    } else if (following.cursor === next) {
      pages.value = [...before, page, following, ...rest];
    } else {
      const moved = { ...following, cursor: next, sentAt: Number.NEGATIVE_INFINITY };
      pages.value = [...before, page, moved, ...rest];
    }
  };

  /** Loads pages until the window is full, no page follows or the search is paused. */
  const fill = async (): Promise<void> => {
    if (filling) return;
    filling = true;
    try {
      while (!isPaused.peek() && nextCursor.peek() !== undefined) {
        if ((rows.peek()?.length ?? 0) >= wanted) break;
        const cursor = nextCursor.peek();
        const [page, next] = await fetchPage(cursor, stopped.signal);
        // Not if the polling has moved the end meanwhile.
        if (nextCursor.peek() === cursor) putPage(pages.peek().length, page, next);
      }
    } catch (failure) {
      // The polling will meet the same error, report it and recover.
      endSessionIfRejected(failure);
      if (!stopped.signal.aborted) polling.now();
    } finally {
      filling = false;
    }
  };

  const polling = startPolling({
    everyMs: () => KEYS_EVERY_MS,
    ask: async (abort) => {
      try {
        // The pages in sight, and one other in turn: a key in an empty page may match by now.
        turn = (turn + 1) % Math.max(1, pages.peek().length);
        const sentAt = (index: number): number => pages.peek()[index]?.sentAt ?? 0;
        const due = pagesInSight(pages.peek(), seen).toSorted((a, b) => sentAt(a) - sentAt(b));
        const now = new Set([...due.slice(0, MOST_POLLED), turn]);
        for (const index of [...now].sort((a, b) => a - b)) {
          if (index > 0 && index >= pages.peek().length) break;
          const [page, next] = await fetchPage(pages.peek()[index]?.cursor, abort);
          if (abort.aborted) return;
          putPage(index, page, next);
        }
        error.value = undefined;
      } catch (failure) {
        if (!abort.aborted) {
          endSessionIfRejected(failure);
          error.value = failure;
        }
        throw failure;
      }
      void fill();
    },
  });

  const changeRow = (keyId: string, change: (row: KeyRow) => readonly KeyRow[]): void => {
    pages.value = pages
      .peek()
      .map((page) =>
        page.rows.some(({ key }) => key.keyId === keyId)
          ? { ...page, rows: page.rows.flatMap((row) => (row.key.keyId === keyId ? change(row) : row)) }
          : page,
      );
  };

  return {
    rows,
    error,
    progress: computed(() => {
      if (nextCursor.value === undefined) return 'complete';
      if (isPaused.value) return 'paused';
      return pages.value.at(-1)?.rows.length === 0 ? 'searching' : 'more';
    }),
    see: (keyIds, count) => {
      seen = keyIds;
      wanted = count;
      void fill();
      clearTimeout(settle);
      settle = setTimeout(() => {
        const inSight = pagesInSight(pages.peek(), seen).map((index) => pages.peek()[index]?.sentAt ?? 0);
        if (performance.now() - Math.min(...inSight) > KEYS_EVERY_MS && !document.hidden) polling.now();
      }, SETTLE_MS);
    },
    pause: () => {
      isPaused.value = true;
    },
    goOn: () => {
      isPaused.value = false;
      void fill();
    },
    refresh: () => polling.now(),
    replace: (key, sentAt) => changeRow(key.keyId, () => [{ key, sentAt }]),
    remove: (keyId) => changeRow(keyId, () => []),
    stop: () => {
      clearTimeout(settle);
      stopped.abort();
      polling.stop();
    },
  };
}

/** The indexes of the pages that have keys in sight; the first page if there are none. */
function pagesInSight(pages: readonly Page[], seen: ReadonlySet<string>): readonly number[] {
  const inSight = pages.flatMap(({ rows }, index) =>
    rows.some(({ key }) => seen.has(key.keyId)) ? [index] : [],
  );
  return inSight.length === 0 ? [0] : inSight;
}

/** Each key once, as it was seen last: while the end of a page moves, a key may be in two pages. */
export function newestOf(rows: Iterable<KeyRow>): KeyRow[] {
  const newest = new Map<string, KeyRow>();
  for (const row of rows) {
    const known = newest.get(row.key.keyId);
    if (known === undefined || known.sentAt < row.sentAt) newest.set(row.key.keyId, row);
  }
  return [...newest.values()];
}

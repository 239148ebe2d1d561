import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Key, KeyState } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api.ts';
import { startPolling } from '../poll/start-polling.ts';
import { endSessionIfRejected } from '../session/session.ts';

const PAGE = 100;
/** How often the rows in sight are polled, in milliseconds. */
export const KEYS_EVERY_MS = 3000;
/** Rows below the window that are fetched before somebody scrolls to them. */
const AHEAD = 60;
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

interface Window {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

export interface KeyQuery {
  readonly pool: string;
  readonly state: KeyState | undefined;
  readonly search: string | undefined;
}

/** `searching`: the last page had no match, the next one is requested; `complete`: no page follows. */
export type KeyListProgress = 'more' | 'searching' | 'paused' | 'complete';

export interface KeyList {
  /** Undefined until the first page is loaded. */
  readonly rows: ReadonlySignal<readonly KeyRow[] | undefined>;
  readonly error: ReadonlySignal<unknown>;
  readonly progress: ReadonlySignal<KeyListProgress>;
  /** Says which rows are in sight: they are polled, and the rows below them are loaded. */
  see(first: number, end: number): void;
  /** Stops the search for more rows. */
  pause(): void;
  goOn(): void;
  refresh(): void;
  replace(key: Key, sentAt: number): void;
  remove(keyId: string): void;
  stop(): void;
}

/**
 * The keys of a pool that match, loaded page by page. A page is the keys between two cursors. When keys come or go in
 * one, its end moves, and the next page starts there. A page may be empty although more follow, since the service reads
 * a limited number of keys for each.
 */
export function createKeyList(api: Api, query: KeyQuery): KeyList {
  const pages = signal<readonly Page[]>([]);
  const nextCursor = signal<string | undefined>(undefined);
  const error = signal<unknown>(undefined);
  const isPaused = signal(false);
  const rows = computed(() => (pages.value.length === 0 ? undefined : withoutRepeats(pages.value)));
  const stopped = new AbortController();
  let seen: Window = { first: 0, end: 0 };
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
        if ((rows.peek()?.length ?? 0) >= seen.end + AHEAD) break;
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
        const due = new Set([...pagesInSight(pages.peek(), seen), turn]);
        for (const index of [...due].sort((a, b) => a - b)) {
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
    see: (first, end) => {
      seen = { first, end };
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

/** The indexes of the pages that have rows in the window; the first page if there are none. */
function pagesInSight(pages: readonly Page[], { first, end }: Window): readonly number[] {
  let start = 0;
  const inSight = pages.flatMap(({ rows }, index) => {
    start += rows.length;
    return rows.length > 0 && start > first && start - rows.length < end ? [index] : [];
  });
  return inSight.length === 0 ? [0] : inSight;
}

/** While the end of a page moves, a key may be in two pages. */
function withoutRepeats(pages: readonly Page[]): readonly KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const row of pages.flatMap((page) => page.rows)) {
    if (!rows.has(row.key.keyId)) rows.set(row.key.keyId, row);
  }
  return [...rows.values()];
}

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Key, KeyState } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api-client.ts';
import { startPolling } from '../poll/start-polling.ts';
import { endSessionIfRejected } from '../session/session.ts';

const PAGE = 100;
/** How often the rows in sight are asked for again, in milliseconds. */
export const KEYS_EVERY_MS = 3000;
/** While somebody scrolls, what is only passed by is not asked for, in milliseconds. */
const SETTLE_MS = 200;

export interface KeyRow {
  readonly key: Key;
  /** When the row was asked for, on the monotonic clock. */
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

export interface KeyList {
  /** Undefined until the first page is there. */
  readonly rows: ReadonlySignal<readonly KeyRow[] | undefined>;
  readonly error: ReadonlySignal<unknown>;
  readonly hasMore: ReadonlySignal<boolean>;
  loadMore(): void;
  /** Tells which rows are in sight: they are kept fresh. */
  see(first: number, last: number): void;
  refresh(): void;
  replace(key: Key, sentAt: number): void;
  remove(keyId: string): void;
  stop(): void;
}

/**
 * The keys of a pool that match, page by page as far as somebody scrolled. A page is the keys between two cursors; when
 * keys come or go inside one, its end moves, and the page after it is asked for again from there.
 */
export function createKeyList(api: Api, query: KeyQuery): KeyList {
  const pages = signal<readonly Page[]>([]);
  const nextCursor = signal<string | undefined>(undefined);
  const error = signal<unknown>(undefined);
  let seen = { first: 0, last: 0 };
  let settle: ReturnType<typeof setTimeout> | undefined;
  let loading = false;

  const fetchPage = async (
    cursor: string | undefined,
    abort?: AbortSignal,
  ): Promise<[Page, string | undefined]> => {
    const { body, sentAt } = await api.listKeys({ ...query, limit: PAGE, cursor }, abort);
    return [{ cursor, sentAt, rows: body.keys.map((key) => ({ key, sentAt })) }, body.nextCursor];
  };

  /** Puts a fresh page in place `index`, and moves the start of the page after it to where this one ends. */
  const putPage = (index: number, page: Page, next: string | undefined): void => {
    const before = pages.peek().slice(0, index);
    const [following, ...rest] = pages.peek().slice(index + 1);
    if (following === undefined || next === undefined) {
      pages.value = [...before, page];
      nextCursor.value = next;
    } else if (following.cursor === next) {
      pages.value = [...before, page, following, ...rest];
    } else {
      pages.value = [
        ...before,
        page,
        { ...following, cursor: next, sentAt: Number.NEGATIVE_INFINITY },
        ...rest,
      ];
    }
  };

  const polling = startPolling({
    everyMs: () => KEYS_EVERY_MS,
    ask: async (abort) => {
      try {
        const { first, last } = pagesInSight(pages.peek(), seen);
        for (let index = first; index <= last && (index === 0 || index < pages.peek().length); index += 1) {
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
    },
  });

  const loadMore = async (): Promise<void> => {
    const cursor = nextCursor.peek();
    if (loading || cursor === undefined) return;
    loading = true;
    try {
      const [page, next] = await fetchPage(cursor);
      if (nextCursor.peek() === cursor) {
        pages.value = [...pages.peek(), page];
        nextCursor.value = next;
      }
    } catch (failure) {
      // The polling says what is wrong, and recovers.
      endSessionIfRejected(failure);
      polling.now();
    } finally {
      loading = false;
    }
  };

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
    rows: computed(() => (pages.value.length === 0 ? undefined : withoutRepeats(pages.value))),
    error,
    hasMore: computed(() => nextCursor.value !== undefined),
    loadMore: () => void loadMore(),
    see: (first, last) => {
      seen = { first, last };
      clearTimeout(settle);
      settle = setTimeout(() => {
        const inSight = pagesInSight(pages.peek(), seen);
        const oldest = Math.min(
          ...pages
            .peek()
            .slice(inSight.first, inSight.last + 1)
            .map(({ sentAt }) => sentAt),
        );
        if (performance.now() - oldest > KEYS_EVERY_MS && !document.hidden) polling.now();
      }, SETTLE_MS);
    },
    refresh: () => polling.now(),
    replace: (key, sentAt) => changeRow(key.keyId, () => [{ key, sentAt }]),
    remove: (keyId) => changeRow(keyId, () => []),
    stop: () => {
      clearTimeout(settle);
      polling.stop();
    },
  };
}

function pagesInSight(
  pages: readonly Page[],
  seen: { first: number; last: number },
): { first: number; last: number } {
  let start = 0;
  let first = 0;
  let last = 0;
  pages.forEach((page, index) => {
    if (start <= seen.first) first = index;
    if (start <= seen.last) last = index;
    start += page.rows.length;
  });
  return { first, last };
}

/** While the end of a page moves, a key may stand in two. */
function withoutRepeats(pages: readonly Page[]): readonly KeyRow[] {
  const known = new Set<string>();
  const rows: KeyRow[] = [];
  for (const page of pages) {
    for (const row of page.rows) {
      if (known.has(row.key.keyId)) continue;
      known.add(row.key.keyId);
      rows.push(row);
    }
  }
  return rows;
}

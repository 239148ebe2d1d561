import type { PageOptions } from './context.ts';

/** The most items of one page. */
const PAGE = 200;

/** A page of a list; `name` is the field that has its items. */
export type Page<Name extends string, Item> = Readonly<Record<Name, readonly Item[]>> & {
  readonly nextCursor?: string | undefined;
};

/**
 * Reads page after page of a list, of which `name` has the items, until `limit` of them are found or there are no more.
 * A page may be empty although more follow. What is returned looks like one page.
 */
export async function readPages<Name extends string, Item>(
  name: Name,
  limit: number,
  readPage: (page: Pick<PageOptions, 'limit' | 'cursor'>) => Promise<Page<Name, Item>>,
  from?: string,
): Promise<Page<Name, Item>> {
  const items: Item[] = [];
  let cursor = from;
  do {
    const page = await readPage({ limit: Math.min(PAGE, limit - items.length), cursor });
    items.push(...page[name]);
    cursor = page.nextCursor;
  } while (cursor !== undefined && items.length < limit);
  return { [name]: items, nextCursor: cursor } as Page<Name, Item>;
}

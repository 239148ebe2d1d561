/** The most items of one page. */
const PAGE = 200;

/** The first `limit` items of a list that comes in pages. */
export async function listUpTo<Item>(
  limit: number,
  readPage: (page: {
    readonly limit: number;
    readonly cursor?: string;
  }) => Promise<{ readonly items: readonly Item[]; readonly nextCursor?: string | undefined }>,
): Promise<Item[]> {
  const found: Item[] = [];
  for (let cursor: string | undefined; found.length < limit; ) {
    const { items, nextCursor } = await readPage({
      limit: Math.min(PAGE, limit - found.length),
      ...(cursor !== undefined && { cursor }),
    });
    found.push(...items);
    if (nextCursor === undefined) break;
    cursor = nextCursor;
  }
  return found;
}

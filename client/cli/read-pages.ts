import type { Command } from 'commander';
import type { CommonOptions } from './define-command.ts';
import { parseWhole } from './parse-arguments.ts';
import { remark } from './print.ts';

/** The most items of one page. */
const PAGE = 200;

export interface ListOptions extends CommonOptions {
  readonly limit: number;
  readonly cursor?: string;
}

export function addListOptions(command: Command, limit: number): Command {
  return command
    .option('--limit <count>', 'how many at most', parseWhole(1), limit)
    .option('--cursor <cursor>', 'go on where an earlier list ended: its nextCursor');
}

/** The first items of a list that comes in pages; says so where there are more. */
export async function readPages<Item>(
  options: ListOptions,
  readPage: (page: {
    readonly limit: number;
    readonly cursor: string | undefined;
  }) => Promise<{ readonly items: readonly Item[]; readonly nextCursor?: string | undefined }>,
): Promise<{ readonly items: Item[]; readonly nextCursor: string | undefined }> {
  const found: Item[] = [];
  let { cursor } = options;
  do {
    const limit = Math.min(PAGE, options.limit - found.length);
    const { items, nextCursor } = await readPage({ limit, cursor });
    found.push(...items);
    cursor = nextCursor;
    // A page may be empty although more follow.
  } while (cursor !== undefined && found.length < options.limit);
  if (cursor !== undefined) {
    remark(options, `there are more: go on with --cursor ${cursor}, or list more with --limit`);
  }
  return { items: found, nextCursor: cursor };
}

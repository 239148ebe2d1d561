import type { Command } from 'commander';
import type { PageOptions } from '../sdk/context.ts';
import { type Page, readPages } from '../sdk/pages.ts';
import { type CommonOptions, defineJsonCommand } from './define-command.ts';
import { parseWhole } from './parse-arguments.ts';
import { print, remark } from './print.ts';

export interface ListOptions extends CommonOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** A command that prints a list. Its JSON has the items under `name`, as the API's pages do. */
export function defineListCommand(
  parent: Command,
  definition: { readonly name: string; readonly description: string; readonly example: string },
  defaultLimit: number,
): Command {
  const fields = { [definition.name]: true, nextCursor: true } as const;
  return defineJsonCommand(parent, { ...definition, usage: 'list', fields })
    .option('--limit <count>', 'how many at most', parseWhole(1), defaultLimit)
    .option('--cursor <cursor>', 'go on where an earlier list ended: its nextCursor');
}

/** Reads and prints a list, and says so where there are more. */
export async function printList<Name extends string, Item>(
  options: ListOptions,
  name: Name,
  readPage: (page: Pick<PageOptions, 'limit' | 'cursor'>) => Promise<Page<Name, Item>>,
  describe: (items: readonly Item[]) => string,
): Promise<void> {
  const { limit, cursor } = options;
  const list = await readPages(name, limit, readPage, cursor);
  print(options, list, () => describe(list[name]));
  if (list.nextCursor !== undefined) {
    remark(options, `there are more: go on with --cursor ${list.nextCursor}, or list more with --limit`);
  }
}

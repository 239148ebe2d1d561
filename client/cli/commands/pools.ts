import type { Command } from 'commander';
import type { Pool, PutPoolRequest } from '../../../shared/contract/pools.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import { NotFoundError } from '../../sdk/errors.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { listUpTo } from '../list-up-to.ts';
import { parseWhole, parseWholeOr } from '../parse-arguments.ts';
import { formatDuration, formatTable, print } from '../print.ts';

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

interface SetOptions extends CommonOptions {
  readonly leaseSeconds?: number;
  readonly keyTtlSeconds?: number | 'never';
  readonly maxKeys?: number | 'none';
  readonly paused?: boolean;
}

function describePools(pools: readonly Pool[]): string {
  const count = ({ count: keys, relation }: Pool['counts']['free']): string =>
    relation === 'exact' ? String(keys) : `${keys}+`;
  const life = (seconds: number | null): string => formatDuration(seconds === null ? null : seconds * 1000);
  return formatTable(
    ['POOL', 'FREE', 'LEASED', 'COOLING', 'LEASE', 'KEY LIFE', 'MAX KEYS', 'PAUSED'],
    pools.map((pool) => [
      pool.pool,
      count(pool.counts.free),
      count(pool.counts.leased),
      count(pool.counts.cooling),
      life(pool.leaseSeconds),
      life(pool.keyTtlSeconds),
      pool.maxKeys === null ? 'none' : String(pool.maxKeys),
      pool.paused ? 'yes' : 'no',
    ]),
  );
}

/** The policy in force; of a pool that is not there yet, the service's defaults. */
async function currentPolicy(client: OrchestratorClient, name: string): Promise<PutPoolRequest> {
  try {
    const { leaseSeconds, keyTtlSeconds, maxKeys, paused } = await client.pools.get(name);
    return { leaseSeconds, keyTtlSeconds, maxKeys, paused };
  } catch (error) {
    if (error instanceof NotFoundError) return {};
    throw error;
  }
}

export function addPoolCommands(program: Command): void {
  const pools = program.command('pools').description('Look at pools, and set their policy (admins)');

  defineJsonCommand(pools, {
    usage: 'list',
    description: 'List the pools with their counts',
    example: 'pools list',
  })
    .option('--limit <count>', 'how many at most', parseWhole(1), 200)
    .action((options: ListOptions) =>
      perform(options, async (client) => {
        const found = await listUpTo(options.limit, async (page) => {
          const { pools: items, nextCursor } = await client.pools.list(page);
          return { items, nextCursor };
        });
        print(options, { pools: found }, () => describePools(found));
      }),
    );

  defineJsonCommand(pools, {
    usage: 'set <pool>',
    description: 'Create a pool, or change its policy; what you leave out stays as it is',
    example: 'pools set licences --lease-seconds 30 --key-ttl-seconds never',
  })
    .option('--lease-seconds <seconds>', 'length of a lease', parseWhole(1))
    .option(
      '--key-ttl-seconds <seconds>',
      "a key's life after creation or refresh, or never",
      parseWholeOr('never', 1),
    )
    .option('--max-keys <count>', 'the most keys, or none for no limit', parseWholeOr('none', 0))
    .option('--paused', 'give no new leases')
    .option('--no-paused', 'give new leases again')
    .action((name: string, options: SetOptions) =>
      perform(options, async (client) => {
        const { leaseSeconds, keyTtlSeconds, maxKeys, paused } = options;
        const pool = await client.pools.put(name, {
          ...(await currentPolicy(client, name)),
          ...(leaseSeconds !== undefined && { leaseSeconds }),
          ...(keyTtlSeconds !== undefined && {
            keyTtlSeconds: keyTtlSeconds === 'never' ? null : keyTtlSeconds,
          }),
          ...(maxKeys !== undefined && { maxKeys: maxKeys === 'none' ? null : maxKeys }),
          ...(paused !== undefined && { paused }),
        });
        print(options, pool, () => describePools([pool]));
      }),
    );

  defineJsonCommand(pools, {
    usage: 'delete <pool>',
    description: 'Delete a pool with its keys, and end their leases; "default" becomes empty',
    example: 'pools delete licences',
  }).action((pool: string, options: CommonOptions) =>
    perform(options, async (client) => {
      await client.pools.delete(pool);
      print(options, { pool, deleted: true }, () => 'Deleted');
    }),
  );
}

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import { NotFoundError } from '../../sdk/errors.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { addPolicyOptions, policyFields, policyHeadings, readPolicy, showPolicy } from '../policy-options.ts';
import { formatDuration, formatFields, formatTable, print } from '../print.ts';
import { addUsageCommand } from './pool-usage.ts';

interface DeleteOptions extends CommonOptions {
  readonly yes?: boolean;
}

const POOL_FIELDS = {
  pool: true,
  ...policyFields,
  counts: true,
  waiting: true,
  nextFreeInMs: true,
  createdAt: true,
  updatedAt: true,
} as const satisfies Record<keyof Pool, true>;

const STATES = ['free', 'leased', 'cooling'] as const satisfies (keyof Pool['counts'])[];

function countsOf({ counts }: Pool): string[] {
  return STATES.map((state) => formatCount(counts[state]));
}

function formatCount({ count, relation }: Pool['waiting']): string {
  return relation === 'exact' ? String(count) : `${count}+`;
}

function describePools(pools: readonly Pool[]): string {
  return formatTable(
    ['POOL', ...STATES.map((state) => state.toUpperCase()), 'WAITING', 'NEXT FREE IN', 'PAUSED'],
    pools.map((pool) => [
      pool.pool,
      ...countsOf(pool),
      formatCount(pool.waiting),
      formatDuration(pool.nextFreeInMs ?? undefined),
      pool.paused ? 'yes' : 'no',
    ]),
  );
}

function describePool(pool: Pool): string {
  const values = [...countsOf(pool), formatCount(pool.waiting), ...showPolicy(pool)];
  return formatFields([
    ['Pool', pool.pool],
    ...[...STATES, 'waiting', ...policyHeadings].map(
      (heading, index) => [heading.charAt(0).toUpperCase() + heading.slice(1), values[index]] as const,
    ),
    ['Next free in', pool.nextFreeInMs === null ? undefined : formatDuration(pool.nextFreeInMs)],
    ['Created', pool.createdAt],
    ['Updated', pool.updatedAt],
  ]);
}

/** Changes the pool, or creates it where there is none. */
async function setPool(client: OrchestratorClient, name: string, options: CommonOptions): Promise<Pool> {
  const policy = readPolicy({ ...options });
  try {
    return await client.pools.update(name, policy);
  } catch (error) {
    if (error instanceof NotFoundError) return client.pools.put(name, policy);
    throw error;
  }
}

/** @throws CliError when the answer is not yes, or nobody is there to give one */
async function confirmDeletion(pool: Pool): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CliError('Deleting a pool ends its leases: say --yes if that is meant', exitCodes.usage);
  }
  const [free, leased, cooling] = countsOf(pool);
  const question = `Delete pool ${pool.pool} with its keys (${free} free, ${leased} leased, ${cooling} cooling)? [y/N] `;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('Not deleted', exitCodes.failed);
}

export function addPoolCommands(program: Command): void {
  const pools = program.command('pools').description('Look at pools, and set their policy (admins)');

  defineListCommand(
    pools,
    { name: 'pools', description: 'List the pools with their counts', example: 'pools list' },
    200,
  ).action((options: ListOptions) =>
    perform(options, async (client) => {
      await printList(options, 'pools', (page) => client.pools.list(page), describePools);
    }),
  );

  defineJsonCommand(pools, {
    usage: 'show <pool>',
    description: 'Show one pool',
    example: 'pools show licences',
    fields: POOL_FIELDS,
  }).action((name: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const pool = await client.pools.get(name);
      print(options, pool, () => describePool(pool));
    }),
  );

  addPolicyOptions(
    defineJsonCommand(pools, {
      usage: 'set <pool>',
      description: 'Create a pool, or change its policy; what you leave out stays as it is',
      example: 'pools set licences --lease-seconds 30 --key-ttl-seconds never',
      fields: POOL_FIELDS,
    }),
  ).action((name: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const pool = await setPool(client, name, options);
      print(options, pool, () => describePool(pool));
    }),
  );

  defineListCommand(
    pools,
    {
      usage: 'queue <pool>',
      name: 'tickets',
      description: 'Show who waits for a key of a fair pool, in order',
      example: 'pools queue licences',
    },
    50,
  ).action((pool: string, options: ListOptions) =>
    perform(options, (client) =>
      printList(
        options,
        'tickets',
        (page) => client.pools.listTickets(pool, page),
        (tickets) =>
          formatTable(
            ['PLACE', 'CLIENT', 'HOLDER', 'PRIORITY', 'WAITING FOR'],
            tickets.map(({ position, count, clientId, holder = '', priority, waitingMs }) => [
              count === 1 ? `${position + 1}` : `${position + 1}-${position + count}`,
              clientId,
              holder,
              String(priority),
              formatDuration(waitingMs),
            ]),
          ),
      ),
    ),
  );

  addUsageCommand(pools);

  defineJsonCommand(pools, {
    usage: 'refresh <pool>',
    description: 'Restart the hard-expiration clock of all keys of a pool',
    example: 'pools refresh licences',
    fields: { pool: true, refreshed: true },
  }).action((pool: string, options: CommonOptions) =>
    perform(options, async (client) => {
      await client.pools.refresh(pool);
      print(options, { pool, refreshed: true }, () => 'Refreshed');
    }),
  );

  defineJsonCommand(pools, {
    usage: 'delete <pool>',
    description: 'Delete a pool with its keys, and end their leases; "default" becomes empty',
    example: 'pools delete licences',
    fields: { pool: true, deleted: true },
  })
    .option('--yes', 'do not ask')
    .action((pool: string, options: DeleteOptions) =>
      perform(options, async (client) => {
        if (options.yes !== true) await confirmDeletion(await client.pools.get(pool));
        await client.pools.delete(pool);
        print(options, { pool, deleted: true }, () => 'Deleted');
      }),
    );
}

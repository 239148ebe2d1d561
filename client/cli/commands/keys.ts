import { type Command, Option } from 'commander';
import type { Key } from '../../../shared/contract/keys.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import { CliError, exitCodeOf } from '../cli-error.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { listUpTo } from '../list-up-to.ts';
import { parseWhole } from '../parse-arguments.ts';
import { formatDuration, formatFields, formatTable, print } from '../print.ts';
import { createProgressBar } from '../progress-bar.ts';

/** The most keys of one request. */
const BATCH = 1000;

interface CreateOptions extends CommonOptions {
  readonly pool?: string;
  readonly count: number;
}

interface ListOptions extends CommonOptions {
  readonly pool?: string;
  readonly state?: Key['state'];
  readonly search?: string;
  readonly limit: number;
}

interface ForceOptions extends CommonOptions {
  readonly force?: boolean;
}

function describeKeys(keys: readonly Key[]): string {
  return formatTable(
    ['KEY', 'STATE', 'HOLDER', 'LEASE ENDS IN', 'EXPIRES IN', 'FENCING TOKEN'],
    keys.map((key) => [
      key.keyId,
      key.state,
      key.lease?.holder ?? key.lease?.clientId ?? '',
      formatDuration(key.lease?.expiresInMs),
      formatDuration(key.expiresInMs),
      String(key.fencingToken),
    ]),
  );
}

function describeKey(key: Key): string {
  return formatFields([
    ['Key', key.keyId],
    ['Pool', key.pool],
    ['State', key.state],
    ['Fencing token', String(key.fencingToken)],
    ['Created', key.createdAt],
    ['Expires in', formatDuration(key.expiresInMs)],
    ['Free in', key.freeInMs === undefined ? undefined : formatDuration(key.freeInMs)],
    ['Leased to', key.lease?.clientId],
    ['Holder', key.lease?.holder],
    ['Lease ends in', key.lease === undefined ? undefined : formatDuration(key.lease.expiresInMs)],
  ]);
}

/** Creates them in batches; those that were created before a failure are printed, not lost. */
async function createKeys(client: OrchestratorClient, options: CreateOptions): Promise<void> {
  const { count, pool } = options;
  const bar = count > BATCH ? createProgressBar(count) : undefined;
  const keys: Key[] = [];
  const show = (): void => print(options, { keys }, () => keys.map(({ keyId }) => keyId).join('\n'));
  try {
    while (keys.length < count) {
      const batch = await client.keys.create({ pool, count: Math.min(BATCH, count - keys.length) });
      keys.push(...batch.keys);
      bar?.show(keys.length);
    }
  } catch (error) {
    if (keys.length === 0) throw error;
    show();
    const { message } = error as Error;
    throw new CliError(`Created ${keys.length} of ${count} keys: ${message}`, exitCodeOf(error), {
      cause: error,
    });
  }
  show();
}

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('Create, look at and end keys (admins)');

  defineJsonCommand(keys, {
    usage: 'create',
    description: 'Add free keys to a pool, and print their ids',
    example: 'keys create --pool licences --count 3',
  })
    .option('--pool <pool>', 'the pool that gets them')
    .option('--count <count>', 'how many', parseWhole(1), 1)
    .action((options: CreateOptions) => perform(options, (client) => createKeys(client, options)));

  defineJsonCommand(keys, {
    usage: 'list',
    description: "List a pool's keys",
    example: 'keys list --pool licences --state leased',
  })
    .option('--pool <pool>', 'which pool')
    .addOption(
      new Option('--state <state>', 'only keys in this state').choices(['free', 'leased', 'cooling']),
    )
    .option('--search <text>', 'only keys whose id, or whose holder, starts with this')
    .option('--limit <count>', 'how many at most', parseWhole(1), 50)
    .action((options: ListOptions) =>
      perform(options, async (client) => {
        const { pool, state, search } = options;
        const found = await listUpTo(options.limit, async (page) => {
          const { keys: items, nextCursor } = await client.keys.list({ pool, state, search, ...page });
          return { items, nextCursor };
        });
        print(options, { keys: found }, () => describeKeys(found));
      }),
    );

  defineJsonCommand(keys, {
    usage: 'show <keyId>',
    description: 'Show one key',
    example: 'keys show "$KEY_ID"',
  }).action((keyId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const key = await client.keys.get(keyId);
      print(options, key, () => describeKey(key));
    }),
  );

  defineJsonCommand(keys, {
    usage: 'refresh <keyId>',
    description: "Restart a key's hard-expiration clock",
    example: 'keys refresh "$KEY_ID"',
  }).action((keyId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const key = await client.keys.refresh(keyId);
      print(options, key, () => describeKey(key));
    }),
  );

  defineJsonCommand(keys, {
    usage: 'unblock <keyId>',
    description: "End somebody's lease; the key cools until the holder's own deadline",
    example: 'keys unblock "$KEY_ID"',
  })
    .option('--force', 'free it at once: safe only behind a fencing token')
    .action((keyId: string, options: ForceOptions) =>
      perform(options, async (client) => {
        const key = await client.keys.unblock(keyId, { force: options.force });
        print(options, key, () => describeKey(key));
      }),
    );

  defineJsonCommand(keys, {
    usage: 'delete <keyId>',
    description: 'Delete a key for good, and end its lease',
    example: 'keys delete "$KEY_ID"',
  })
    .option('--force', "do not wait for the holder's own deadline: safe only behind a fencing token")
    .action((keyId: string, options: ForceOptions) =>
      perform(options, async (client) => {
        await client.keys.delete(keyId, { force: options.force });
        print(options, { keyId, deleted: true }, () => 'Deleted');
      }),
    );
}

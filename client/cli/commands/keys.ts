import { type Command, Option } from 'commander';
import type { Key, KeyState } from '../../../shared/contract/keys.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import type { KeyAsRead } from '../../sdk/keys.ts';
import { CliError, exitCodeOf } from '../cli-error.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { parseWhole } from '../parse-arguments.ts';
import { createProgressBar, formatDuration, formatFields, formatTable, print, remark } from '../print.ts';

/** The most keys of one request. */
const BATCH = 1000;

interface CreateOptions extends CommonOptions {
  readonly pool?: string;
  readonly count: number;
}

interface ListKeysOptions extends ListOptions {
  readonly pool?: string;
  readonly state?: KeyState;
  readonly search?: string;
}

interface EndOptions extends CommonOptions {
  readonly force?: boolean;
  readonly fencingToken?: number;
}

const KEY_FIELDS = {
  keyId: true,
  pool: true,
  state: true,
  fencingToken: true,
  createdAt: true,
  expiresAt: true,
  expiresInMs: true,
  freeInMs: true,
  lease: true,
} as const satisfies Record<keyof Key, true>;

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

/** Names the lease to be ended: as given, or the one that the key has now, which is shown. */
async function readKeyToEnd(
  client: OrchestratorClient,
  keyId: string,
  options: EndOptions,
): Promise<KeyAsRead> {
  if (options.fencingToken !== undefined) return { keyId, fencingToken: options.fencingToken };
  const key = await client.keys.get(keyId);
  if (key.lease !== undefined) {
    const { clientId, holder } = key.lease;
    const who = holder === undefined ? clientId : `${holder} (${clientId})`;
    remark(options, `this ends the lease of ${who}, fencing token ${key.fencingToken}`);
  }
  return key;
}

/** The options of a command that ends a lease. */
function addEndOptions(command: Command, force: string): Command {
  return command
    .option('--force', `${force}: safe only behind a fencing token`)
    .option('--fencing-token <token>', 'end this lease and no other, without a look', parseWhole(0));
}

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('Create, look at and end keys (admins)');

  defineJsonCommand(keys, {
    usage: 'create',
    description: 'Add free keys to a pool, and print their ids',
    example: 'keys create --pool licences --count 3',
    fields: { keys: true },
  })
    .option('--pool <pool>', 'the pool that gets them')
    .option('--count <count>', 'how many', parseWhole(1), 1)
    .action((options: CreateOptions) => perform(options, (client) => createKeys(client, options)));

  defineListCommand(
    keys,
    { name: 'keys', description: "List a pool's keys", example: 'keys list --pool licences --state leased' },
    50,
  )
    .option('--pool <pool>', 'which pool')
    .addOption(
      new Option('--state <state>', 'only keys in this state').choices([
        'free',
        'leased',
        'cooling',
      ] satisfies KeyState[]),
    )
    .option('--search <text>', 'only keys whose id, or whose holder, starts with this')
    .action((options: ListKeysOptions) =>
      perform(options, async (client) => {
        const { pool, state, search } = options;
        await printList(
          options,
          'keys',
          (page) => client.keys.list({ pool, state, search, ...page }),
          describeKeys,
        );
      }),
    );

  defineJsonCommand(keys, {
    usage: 'show <keyId>',
    description: 'Show one key',
    example: 'keys show "$KEY_ID"',
    fields: KEY_FIELDS,
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
    fields: KEY_FIELDS,
  }).action((keyId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const key = await client.keys.refresh(keyId);
      print(options, key, () => describeKey(key));
    }),
  );

  addEndOptions(
    defineJsonCommand(keys, {
      usage: 'unblock <keyId>',
      description: "End somebody's lease; the key cools until the holder's own deadline",
      example: 'keys unblock "$KEY_ID"',
      fields: KEY_FIELDS,
    }),
    'free it at once',
  ).action((keyId: string, options: EndOptions) =>
    perform(options, async (client) => {
      const { force } = options;
      const key = await client.keys.unblock(await readKeyToEnd(client, keyId, options), { force });
      print(options, key, () => describeKey(key));
    }),
  );

  addEndOptions(
    defineJsonCommand(keys, {
      usage: 'delete <keyId>',
      description: 'Delete a key for good, and end its lease',
      example: 'keys delete "$KEY_ID"',
      fields: { keyId: true, deleted: true },
    }),
    "do not wait for the holder's own deadline",
  ).action((keyId: string, options: EndOptions) =>
    perform(options, async (client) => {
      const { force } = options;
      await client.keys.delete(await readKeyToEnd(client, keyId, options), { force });
      print(options, { keyId, deleted: true }, () => 'Deleted');
    }),
  );
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CreateKeysResponse, Key, KeyState } from '../../../shared/contract/keys.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import { ValueExistsError } from '../../sdk/errors.ts';
import type { KeyAsRead } from '../../sdk/keys.ts';
import { CliError, exitCodeOf, messageOf } from '../cli-error.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { parseWhole } from '../parse-arguments.ts';
import {
  createProgressBar,
  formatDuration,
  formatFields,
  formatLabels,
  formatTable,
  print,
  remark,
} from '../print.ts';
import { readImports } from '../read-imports.ts';

/** The most keys of one request. */
const BATCH = 1000;

interface ImportOptions extends CommonOptions {
  readonly pool?: string;
  readonly label?: Labels;
}

interface CreateOptions extends ImportOptions {
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
  labels: true,
  createdAt: true,
  expiresAt: true,
  expiresInMs: true,
  freeInMs: true,
  paused: true,
  lease: true,
} as const satisfies Record<keyof Key, true>;

function describeKeys(keys: readonly Key[]): string {
  return formatTable(
    ['KEY', 'STATE', 'HOLDER', 'LEASE ENDS IN', 'EXPIRES IN', 'FENCING TOKEN', 'LABELS'],
    keys.map((key) => [
      key.keyId,
      key.state,
      key.lease?.holder ?? key.lease?.clientId ?? '',
      formatDuration(key.lease?.expiresInMs),
      formatDuration(key.expiresInMs),
      String(key.fencingToken),
      formatLabels(key.labels) ?? '',
    ]),
  );
}

function describeKey(key: Key): string {
  return formatFields([
    ['Key', key.keyId],
    ['Pool', key.pool],
    ['State', key.state],
    ['Fencing token', String(key.fencingToken)],
    ['Labels', formatLabels(key.labels)],
    ['Created', key.createdAt],
    ['Expires in', formatDuration(key.expiresInMs)],
    ['Free in', key.freeInMs === undefined ? undefined : formatDuration(key.freeInMs)],
    ['Paused', key.paused && `since ${key.paused.at}, by ${key.paused.by}`],
    ['Reason', key.paused?.reason],
    ['Leased to', key.lease?.clientId],
    ['Holder', key.lease?.holder],
    ['Lease ends in', key.lease === undefined ? undefined : formatDuration(key.lease.expiresInMs)],
  ]);
}

type Labels = Readonly<Record<string, string>>;

/** `name=value`, repeated: what was given before, and this one. */
function parseLabel(text: string, before: Labels = {}): Labels {
  const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError('A label is written name=value.');
  return { ...before, [name]: value };
}

function createKeys(client: OrchestratorClient, options: CreateOptions): Promise<void> {
  const { count, pool, label: labels } = options;
  return createInBatches(options, count, (_from, size) => client.keys.create({ pool, labels, count: size }));
}

/** Imports the values of a file, one key each. */
async function importKeys(client: OrchestratorClient, path: string, options: ImportOptions): Promise<void> {
  const { pool, label: labels } = options;
  const values = await readImports(path);
  await createInBatches(options, values.length, async (from, size) => {
    try {
      return await client.keys.create({ pool, labels, values: values.slice(from, from + size) });
    } catch (error) {
      throw withPlacesFrom(error, from);
    }
  });
}

/** The places of a batch, counted from the start of the file. */
function withPlacesFrom(error: unknown, from: number): unknown {
  if (!(error instanceof ValueExistsError)) return error;
  const errors = error.errors.map(({ path, message }) => ({
    path: path.replace(/\d+/, (place) => String(Number(place) + from)),
    message,
  }));
  return new ValueExistsError(error.message, errors, error);
}

/** Creates them in batches; those that were created before a failure are printed, not lost. */
async function createInBatches(
  options: CommonOptions,
  count: number,
  create: (from: number, size: number) => Promise<CreateKeysResponse>,
): Promise<void> {
  const bar = count > BATCH ? createProgressBar(count) : undefined;
  const keys: Key[] = [];
  const show = (): void => print(options, { keys }, () => keys.map(({ keyId }) => keyId).join('\n'));
  try {
    while (keys.length < count) {
      const batch = await create(keys.length, Math.min(BATCH, count - keys.length));
      keys.push(...batch.keys);
      bar?.show(keys.length);
    }
  } catch (error) {
    if (keys.length === 0) throw error;
    show();
    throw new CliError(`Created ${keys.length} of ${count} keys: ${messageOf(error)}`, exitCodeOf(error), {
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
    .option('--label <name=value>', 'a note on each; may be repeated', parseLabel)
    .action((options: CreateOptions) => perform(options, (client) => createKeys(client, options)));

  defineJsonCommand(keys, {
    usage: 'import <file>',
    description:
      'Import secrets, one key each: a value per line, CSV with a header (value, then labels), or JSON; - reads standard input',
    example: 'keys import api-keys.csv --pool third-party',
    fields: { keys: true },
  })
    .option('--pool <pool>', 'the pool that gets them')
    .option('--label <name=value>', 'a note on each that has none of its own; may be repeated', parseLabel)
    .action((file: string, options: ImportOptions) =>
      perform(options, (client) => importKeys(client, file, options)),
    );

  defineJsonCommand(keys, {
    usage: 'label <keyId> <labels...>',
    description: "Replace a key's labels",
    example: 'keys label "$KEY_ID" region=eu account=ci-7',
    fields: KEY_FIELDS,
  }).action((keyId: string, labels: string[], options: CommonOptions) =>
    perform(options, async (client) => {
      const all = labels.reduce((before: Labels, text) => parseLabel(text, before), {});
      const key = await client.keys.setLabels(keyId, all);
      print(options, key, () => describeKey(key));
    }),
  );

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
        'paused',
      ] satisfies KeyState[]),
    )
    .option('--search <text>', 'only keys whose id, holder or a label (name=value) contains this')
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

  defineJsonCommand(keys, {
    usage: 'pause <keyId>',
    description: 'Take a key out of service: its lease goes on, and then nobody gets it',
    example: 'keys pause "$KEY_ID" --reason "in repair"',
    fields: KEY_FIELDS,
  })
    .option('--reason <text>', 'why, shown with the key')
    .action((keyId: string, options: CommonOptions & { reason?: string }) =>
      perform(options, async (client) => {
        const key = await client.keys.pause(keyId, { reason: options.reason });
        print(options, key, () => describeKey(key));
      }),
    );

  defineJsonCommand(keys, {
    usage: 'resume <keyId>',
    description: 'Put a paused key back into service',
    example: 'keys resume "$KEY_ID"',
    fields: KEY_FIELDS,
  }).action((keyId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const key = await client.keys.resume(keyId);
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

import { type Command, Option } from 'commander';
import type { Caller, Client, CreatedClient, Role } from '../../../shared/contract/clients.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { collect, parseSeconds } from '../parse-arguments.ts';
import { formatFields, formatTable, print } from '../print.ts';

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly pool?: string[];
  readonly description?: string;
  readonly expiresIn?: number;
}

interface RotateOptions extends CommonOptions {
  readonly keepOld?: number;
  readonly expiresIn?: number | 'never';
}

interface RevokeOptions extends CommonOptions {
  readonly force?: boolean;
  readonly endLeases?: boolean;
}

const CALLER_FIELDS = {
  clientId: true,
  role: true,
  pools: true,
} as const satisfies Record<keyof Caller, true>;

const CREATED_FIELDS = {
  ...CALLER_FIELDS,
  description: true,
  createdAt: true,
  rotatedAt: true,
  expiresAt: true,
  oldSecretExpiresAt: true,
  lastUsedAt: true,
  credential: true,
} as const satisfies Record<keyof CreatedClient, true>;

function poolsOf({ pools }: Pick<Client, 'pools'>): string {
  return pools?.join(', ') ?? 'all';
}

function describeClients(clients: readonly Client[]): string {
  return formatTable(
    ['CLIENT', 'ROLE', 'POOLS', 'CREATED', 'LAST USED', 'EXPIRES', 'DESCRIPTION'],
    clients.map((client) => [
      client.clientId,
      client.role,
      poolsOf(client),
      client.createdAt,
      client.lastUsedAt ?? 'never',
      client.expiresAt ?? 'never',
      client.description ?? '',
    ]),
  );
}

function describeCreated(created: CreatedClient): string {
  return formatFields([
    ['Client', created.clientId],
    ['Role', created.role],
    ['Pools', poolsOf(created)],
    ['Description', created.description],
    ['Expires', created.expiresAt],
    ['Old secret until', created.oldSecretExpiresAt],
    ['Credential', created.credential],
  ]);
}

export function addClientCommands(program: Command): void {
  defineJsonCommand(program, {
    usage: 'whoami',
    description: 'Show whom your credential names, and what it may do',
    example: 'whoami',
    fields: CALLER_FIELDS,
  }).action((options: CommonOptions) =>
    perform(options, async (client) => {
      const me = await client.me();
      print(options, me, () =>
        formatFields([
          ['Client', me.clientId],
          ['Role', me.role],
          ['Pools', poolsOf(me)],
        ]),
      );
    }),
  );

  const clients = program.command('clients').description('Create, rotate and revoke credentials (admins)');

  defineJsonCommand(clients, {
    usage: 'create',
    description: 'Create a client, and print its credential, this once',
    example: 'clients create --role client --pool licences --description "render farm"',
    fields: CREATED_FIELDS,
  })
    .addOption(
      new Option('--role <role>', 'admin: everything; client: leases; viewer: reads')
        .choices(['admin', 'client', 'viewer'] satisfies Role[])
        .default('client'),
    )
    .option('--pool <pool>', 'limit it to this pool; may be repeated', collect)
    .option('--description <text>', 'what it is for')
    .option('--expires-in <duration>', 'how long the credential is good, for example 90d', parseSeconds)
    .action((options: CreateOptions) =>
      perform(options, async (client) => {
        const { role, pool: pools, description, expiresIn: expiresInSeconds } = options;
        const created = await client.clients.create({ role, pools, description, expiresInSeconds });
        print(options, created, () => describeCreated(created));
      }),
    );

  defineListCommand(
    clients,
    { name: 'clients', description: 'List the clients, without their credentials', example: 'clients list' },
    200,
  ).action((options: ListOptions) =>
    perform(options, async (client) => {
      await printList(options, 'clients', (page) => client.clients.list(page), describeClients);
    }),
  );

  defineJsonCommand(clients, {
    usage: 'rotate <clientId>',
    description: 'Give a client a new secret, and print its credential, this once',
    example: 'clients rotate "$CLIENT_ID" --keep-old 24h',
    fields: CREATED_FIELDS,
  })
    .option(
      '--keep-old <duration>',
      'how long the old secret stays good (default: 24h; 0: not at all)',
      parseSeconds,
    )
    .option(
      '--expires-in <duration>',
      'how long the new secret is good, or "never" (default: as long as the one before)',
      (text) => (text === 'never' ? text : parseSeconds(text)),
    )
    .action((clientId: string, options: RotateOptions) =>
      perform(options, async (client) => {
        const { keepOld: keepOldSeconds, expiresIn } = options;
        const expiresInSeconds = expiresIn === 'never' ? null : expiresIn;
        const rotated = await client.clients.rotate(clientId, { keepOldSeconds, expiresInSeconds });
        print(options, rotated, () => describeCreated(rotated));
      }),
    );

  defineJsonCommand(clients, {
    usage: 'revoke <clientId>',
    description: "Revoke a client's credential, everywhere within a minute",
    example: 'clients revoke "$CLIENT_ID"',
    fields: { clientId: true, revoked: true, ended: true },
  })
    .option('--force', 'also the credential that this very command uses')
    .option('--end-leases', 'then end its leases, rather than let them lapse')
    .action((clientId: string, options: RevokeOptions) =>
      perform(options, async (client) => {
        await client.clients.delete(clientId, { force: options.force });
        if (options.endLeases !== true) {
          print(options, { clientId, revoked: true }, () => 'Revoked');
          return;
        }
        const { length: ended } = await client.holders.end({ client: clientId });
        print(options, { clientId, revoked: true, ended }, () => `Revoked, ${ended} leases ended`);
      }),
    );
}

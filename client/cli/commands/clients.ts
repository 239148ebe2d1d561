import { type Command, Option } from 'commander';
import type { Caller, Client, CreatedClient, Role } from '../../../shared/contract/clients.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { collect } from '../parse-arguments.ts';
import { formatFields, formatTable, print } from '../print.ts';

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly pool?: string[];
  readonly description?: string;
}

interface RevokeOptions extends CommonOptions {
  readonly force?: boolean;
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
  credential: true,
} as const satisfies Record<keyof CreatedClient, true>;

function poolsOf({ pools }: Pick<Client, 'pools'>): string {
  return pools?.join(', ') ?? 'all';
}

function describeClients(clients: readonly Client[]): string {
  return formatTable(
    ['CLIENT', 'ROLE', 'POOLS', 'CREATED', 'DESCRIPTION'],
    clients.map((client) => [
      client.clientId,
      client.role,
      poolsOf(client),
      client.createdAt,
      client.description ?? '',
    ]),
  );
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

  const clients = program.command('clients').description('Create and revoke credentials (admins)');

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
    .action((options: CreateOptions) =>
      perform(options, async (client) => {
        const { role, pool: pools, description } = options;
        const created = await client.clients.create({ role, pools, description });
        print(options, created, () =>
          formatFields([
            ['Client', created.clientId],
            ['Role', created.role],
            ['Pools', poolsOf(created)],
            ['Description', created.description],
            ['Credential', created.credential],
          ]),
        );
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
    usage: 'revoke <clientId>',
    description: "Revoke a client's credential, everywhere within a minute",
    example: 'clients revoke "$CLIENT_ID"',
    fields: { clientId: true, revoked: true },
  })
    .option('--force', 'also the credential that this very command uses')
    .action((clientId: string, options: RevokeOptions) =>
      perform(options, async (client) => {
        await client.clients.delete(clientId, { force: options.force });
        print(options, { clientId, revoked: true }, () => 'Revoked');
      }),
    );
}

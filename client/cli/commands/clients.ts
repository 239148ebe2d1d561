import { type Command, Option } from 'commander';
import type { Role } from '../../../shared/contract/clients.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { listUpTo } from '../list-up-to.ts';
import { collect, parseWhole } from '../parse-arguments.ts';
import { formatFields, formatTable, print } from '../print.ts';

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly pool?: string[];
  readonly description?: string;
}

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

export function addClientCommands(program: Command): void {
  const clients = program.command('clients').description('Create and revoke credentials (admins)');

  defineJsonCommand(clients, {
    usage: 'create',
    description: 'Create a client, and print its credential, this once',
    example: 'clients create --role client --pool licences --description "render farm"',
  })
    .addOption(
      new Option('--role <role>', 'admin: everything; client: leases; viewer: reads')
        .choices(['admin', 'client', 'viewer'])
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
            ['Pools', created.pools?.join(', ') ?? 'all'],
            ['Description', created.description],
            ['Credential', created.credential],
          ]),
        );
      }),
    );

  defineJsonCommand(clients, {
    usage: 'list',
    description: 'List the clients, without their credentials',
    example: 'clients list',
  })
    .option('--limit <count>', 'how many at most', parseWhole(1), 200)
    .action((options: ListOptions) =>
      perform(options, async (client) => {
        const found = await listUpTo(options.limit, async (page) => {
          const { clients: items, nextCursor } = await client.clients.list(page);
          return { items, nextCursor };
        });
        print(options, { clients: found }, () =>
          formatTable(
            ['CLIENT', 'ROLE', 'POOLS', 'CREATED', 'DESCRIPTION'],
            found.map((item) => [
              item.clientId,
              item.role,
              item.pools?.join(', ') ?? 'all',
              item.createdAt,
              item.description ?? '',
            ]),
          ),
        );
      }),
    );

  defineJsonCommand(clients, {
    usage: 'revoke <clientId>',
    description: "Revoke a client's credential, everywhere within a minute",
    example: 'clients revoke "$CLIENT_ID"',
  }).action((clientId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      await client.clients.delete(clientId);
      print(options, { clientId, revoked: true }, () => 'Revoked');
    }),
  );
}

import { type Command, Option } from 'commander';
import type { HeldLease, Holder, Lease } from '../../../shared/contract/leases.ts';
import type { HolderFilter } from '../../sdk/holders.ts';
import type { Outcome } from '../../sdk/leases.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { acquireOptionsOf, addLeaseOptions, type LeaseOptions } from '../lease-options.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { formatDuration, formatFields, formatLabels, formatTable, print } from '../print.ts';

const LEASE_FIELDS = {
  leaseId: true,
  keyId: true,
  pool: true,
  fencingToken: true,
  clientId: true,
  holder: true,
  acquiredAt: true,
  expiresAt: true,
  expiresInMs: true,
  maxExpiresAt: true,
  keepAliveEveryMs: true,
} as const satisfies Record<keyof Lease, true>;

const HELD_FIELDS = { ...LEASE_FIELDS, value: true, labels: true } as const satisfies Record<
  keyof HeldLease,
  true
>;

interface ReleaseOptions extends CommonOptions {
  readonly outcome?: Outcome;
}

interface ListHoldersOptions extends ListOptions, HolderFilter {}

function describeLease(lease: Lease & Partial<HeldLease>): string {
  return formatFields([
    ['Lease', lease.leaseId],
    ['Key', lease.keyId],
    ['Pool', lease.pool],
    ['Value', lease.value],
    ['Labels', formatLabels(lease.labels)],
    ['Fencing token', String(lease.fencingToken)],
    ['Holder', lease.holder],
    ['Expires in', formatDuration(lease.expiresInMs)],
    ['At the latest', lease.maxExpiresAt],
    ['Keep alive every', formatDuration(lease.keepAliveEveryMs)],
  ]);
}

function describeLeases(leases: readonly Lease[]): string {
  return formatTable(
    ['KEY', 'POOL', 'HOLDER', 'EXPIRES IN', 'FENCING TOKEN', 'LEASE'],
    leases.map((lease) => [
      lease.keyId,
      lease.pool,
      lease.holder ?? '',
      formatDuration(lease.expiresInMs),
      String(lease.fencingToken),
      lease.leaseId,
    ]),
  );
}

function describeHolders(holders: readonly Holder[]): string {
  return formatTable(
    ['CLIENT', 'HOLDER', 'POOL', 'KEY', 'HELD FOR', 'ENDS IN', 'FENCING TOKEN'],
    holders.map((held) => [
      held.clientId,
      held.holder ?? '',
      held.pool,
      held.keyId,
      formatDuration(held.heldMs),
      formatDuration(held.expiresInMs),
      String(held.fencingToken),
    ]),
  );
}

/** For scripts that keep a lease alive themselves. */
export function addLeaseCommands(program: Command): void {
  addLeaseOptions(
    defineJsonCommand(program, {
      usage: 'acquire',
      description: 'Acquire a key, and leave it to you to keep its lease alive',
      example: 'acquire --pool licences --wait 30s --only leaseId',
      fields: HELD_FIELDS,
    }),
  ).action((options: LeaseOptions) =>
    perform(options, async (client) => {
      const lease = await client.acquire(acquireOptionsOf(options));
      print(options, lease, () => describeLease(lease));
    }),
  );

  defineJsonCommand(program, {
    usage: 'keep-alive <leaseId>',
    description: 'Extend a lease, once',
    example: 'keep-alive "$LEASE_ID"',
    fields: LEASE_FIELDS,
  }).action((leaseId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      const lease = await client.keepAlive(leaseId);
      print(options, lease, () => describeLease(lease));
    }),
  );

  defineJsonCommand(program, {
    usage: 'release <leaseId>',
    description: 'End a lease; its key is free at once, rests first, or is deleted',
    example: 'release "$LEASE_ID"',
    fields: { leaseId: true, released: true },
  })
    .addOption(
      new Option(
        '--outcome <outcome>',
        'ok; cooldown: the key rests first; discard: it is deleted for good',
      ).choices(['ok', 'cooldown', 'discard'] satisfies Outcome[]),
    )
    .action((leaseId: string, options: ReleaseOptions) =>
      perform(options, async (client) => {
        await client.release(leaseId, { outcome: options.outcome });
        print(options, { leaseId, released: true }, () => 'Released');
      }),
    );

  const leases = program.command('leases').description('Look at the leases of your credential');
  defineListCommand(
    leases,
    { name: 'leases', description: "List your credential's live leases", example: 'leases list' },
    50,
  ).action((options: ListOptions) =>
    perform(options, async (client) => {
      await printList(options, 'leases', (page) => client.leases.list(page), describeLeases);
    }),
  );

  defineListCommand(
    program,
    {
      name: 'holders',
      usage: 'holders',
      description: 'List who holds what, in all pools, the oldest leases first (admins, viewers)',
      example: 'holders --client "$CLIENT_ID"',
    },
    200,
  )
    .option('--pool <pool>', 'only of this pool')
    .option('--client <clientId>', 'only of this client')
    .option('--holder <text>', 'only where the holder contains this')
    .action((options: ListHoldersOptions) =>
      perform(options, async (client) => {
        const { pool, client: clientId, holder } = options;
        const filter: HolderFilter = { pool, client: clientId, holder };
        await printList(
          options,
          'holders',
          (page) => client.holders.list({ ...filter, ...page }),
          describeHolders,
        );
      }),
    );
}

import type { Command } from 'commander';
import type { Lease } from '../../../shared/contract/leases.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { acquireOptionsOf, addLeaseOptions, type LeaseOptions } from '../lease-options.ts';
import { defineListCommand, type ListOptions, printList } from '../list-options.ts';
import { formatDuration, formatFields, formatTable, print } from '../print.ts';

const LEASE_FIELDS = {
  leaseId: true,
  keyId: true,
  pool: true,
  value: true,
  fencingToken: true,
  clientId: true,
  holder: true,
  acquiredAt: true,
  expiresAt: true,
  expiresInMs: true,
  keepAliveEveryMs: true,
} as const satisfies Record<keyof Lease, true>;

function describeLease(lease: Lease): string {
  return formatFields([
    ['Lease', lease.leaseId],
    ['Key', lease.keyId],
    ['Pool', lease.pool],
    ['Value', lease.value],
    ['Fencing token', String(lease.fencingToken)],
    ['Holder', lease.holder],
    ['Expires in', formatDuration(lease.expiresInMs)],
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

/** For scripts that keep a lease alive themselves. */
export function addLeaseCommands(program: Command): void {
  addLeaseOptions(
    defineJsonCommand(program, {
      usage: 'acquire',
      description: 'Acquire a key, and leave it to you to keep its lease alive',
      example: 'acquire --pool licences --wait 30s --only leaseId',
      fields: LEASE_FIELDS,
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
    description: 'End a lease; its key is free at once',
    example: 'release "$LEASE_ID"',
    fields: { leaseId: true, released: true },
  }).action((leaseId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      await client.release(leaseId);
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
}

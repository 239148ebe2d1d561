import type { Command } from 'commander';
import type { Lease } from '../../../shared/contract/leases.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { defaultHolder, type LeaseOptions } from '../lease-options.ts';
import { parseDuration, parseWhole } from '../parse-arguments.ts';
import { formatDuration, formatFields, print } from '../print.ts';

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

/** For scripts that keep a lease alive themselves. */
export function addLeaseCommands(program: Command): void {
  defineJsonCommand(program, {
    usage: 'acquire',
    description: 'Acquire a key, and leave it to you to keep its lease alive',
    example: 'acquire --pool licences --wait 30s --only leaseId',
  })
    .option('--pool <pool>', 'where to acquire the key')
    .option('--wait <duration>', 'how long to wait for a key, for example 30s or 5m', parseDuration, 0)
    .option('--holder <text>', 'a label that operators see', defaultHolder())
    .option('--lease-seconds <seconds>', "the lease, at most the pool's", parseWhole(1))
    .action((options: CommonOptions & LeaseOptions) =>
      perform(options, async (client) => {
        const { pool, holder, leaseSeconds, wait } = options;
        const lease = await client.acquire({ pool, holder, leaseSeconds, waitMs: wait });
        print(options, lease, () => describeLease(lease));
      }),
    );

  defineJsonCommand(program, {
    usage: 'keep-alive <leaseId>',
    description: 'Extend a lease, once',
    example: 'keep-alive "$LEASE_ID"',
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
  }).action((leaseId: string, options: CommonOptions) =>
    perform(options, async (client) => {
      await client.release(leaseId);
      print(options, { leaseId, released: true }, () => 'Released');
    }),
  );
}

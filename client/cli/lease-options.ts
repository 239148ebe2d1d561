import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { AcquireOptions } from '../sdk/acquire-lease.ts';
import type { CommonOptions } from './define-command.ts';
import { parseDuration, parseWhole } from './parse-arguments.ts';
import { formatDuration, remark } from './print.ts';

/** The options of the commands that acquire a key. */
export interface LeaseOptions extends CommonOptions {
  readonly pool?: string;
  readonly wait: number;
  readonly holder: string;
  readonly leaseSeconds?: number;
  readonly priority?: number;
}

export function addLeaseOptions(command: Command): Command {
  return (
    command
      .option('--pool <pool>', 'where to acquire the key')
      .option('--wait <duration>', 'how long to wait for a key, for example 30s or 5m', parseDuration, 0)
      // Host and process: what an operator needs to find the holder.
      .option('--holder <text>', 'a label that operators see', `${hostname()}:${process.pid}`)
      .option('--lease-seconds <seconds>', "the lease, at most the pool's", parseWhole(1))
      .option('--priority <0..9>', 'in the queue of a fair pool: higher goes first', parseWhole(0))
  );
}

/** What to acquire; the waiting is announced once. */
export function acquireOptionsOf(options: LeaseOptions): AcquireOptions {
  const { pool, holder, leaseSeconds, priority, wait } = options;
  let isAnnounced = false;
  return {
    pool,
    holder,
    leaseSeconds,
    priority,
    waitMs: wait,
    onWaiting: ({ message }) => {
      if (!isAnnounced) remark(options, `${message}; waiting for up to ${formatDuration(wait)}`);
      isAnnounced = true;
    },
  };
}

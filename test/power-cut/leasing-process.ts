import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../shared/domain/client.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { DEFAULT_POOL } from '../../shared/domain/pool.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import { createSqliteStore } from '../../shared/store/sqlite/sqlite-store.ts';
import { NOW, TOLERANCE_MS } from '../store/contract/scene.ts';

// A process on the disk of `disk.c`: `node leasing-process.ts JOB DATABASE DISK_FOLDER`. Prints a line for each answer.

/** What a caller was answered. */
export interface Answer {
  readonly did: 'acquire' | 'keep-alive' | 'release' | 'fail';
  readonly keyId: string;
  readonly fencingToken: number;
  /** The lease's end, in milliseconds. */
  readonly until: number;
}

const CALLERS = 12;
const [, , job = '', path = '', disk = ''] = process.argv;
const store = createSqliteStore({ path });
let now = NOW;
const { context } = createRuntime(store, { clock: () => now, clockSkewToleranceMs: TOLERANCE_MS });
const print = (answer: Answer | { did: 'fail' }) => writeSync(1, `${JSON.stringify(answer)}\n`);

/** Acquires, keeps alive, and releases three of four leases, again and again; what fails is printed as well. */
async function leaseAgainAndAgain(clientId: string, rounds: number): Promise<void> {
  const caller: Caller = { clientId, role: 'client' };
  for (let round = 0; round < rounds; round++) {
    now += 1;
    try {
      const acquired = await acquireLease(context, caller, { pool: DEFAULT_POOL });
      if ('waiting' in acquired) throw new Error('Nobody waits in this pool');
      const { leaseId, keyId, fencingToken, expiresAt } = acquired.lease;
      print({ did: 'acquire', keyId, fencingToken, until: Date.parse(expiresAt) });
      const kept = await keepAliveLease(context, caller, leaseId);
      print({ did: 'keep-alive', keyId, fencingToken, until: Date.parse(kept.expiresAt) });
      if (round % 4 === 0) continue;
      // Before it is sent: a power cut may take the answer and leave the release.
      print({ did: 'release', keyId, fencingToken, until: 0 });
      await releaseLease(context, caller, leaseId);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      print({ did: 'fail' });
    }
  }
}

function leaseAtOnce(rounds: number): Promise<unknown> {
  return Promise.all(Array.from({ length: CALLERS }, (_, i) => leaseAgainAndAgain(`client-${i}`, rounds)));
}

if (job === 'lease') {
  await leaseAtOnce(Number.POSITIVE_INFINITY);
} else {
  await leaseAtOnce(3);
  writeFileSync(join(disk, job), '');
  await leaseAtOnce(1);
  rmSync(join(disk, job));
  await leaseAtOnce(3);
  await store.close();
}

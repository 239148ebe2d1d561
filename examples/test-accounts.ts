// A worker pool in which each worker needs a test account of its own. Four workers share six jobs; each holds one
// account for as long as it works, and signs in with it again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, preparePool } from './connect.ts';

const client = connect();
await preparePool(client, 'test-accounts', 4);

const jobs = ['sign up', 'log in', 'buy', 'pay', 'return', 'sign out'];
const inUse = new Set<string>();

async function work(worker: number): Promise<void> {
  await client.withLease({ pool: 'test-accounts', waitMs: 60_000 }, async (account, signal) => {
    if (inUse.has(account.value)) throw new Error(`${account.value} is in use already`);
    inUse.add(account.value);
    for (let job = jobs.shift(); job !== undefined && !signal.aborted; job = jobs.shift()) {
      console.log(`worker ${worker} tests "${job}" as ${account.value}`);
      await sleep(20, undefined, { signal });
    }
    inUse.delete(account.value);
  });
}

await Promise.all(Array.from({ length: 4 }, (_, worker) => work(worker)));
console.log(`${jobs.length} jobs are left`);

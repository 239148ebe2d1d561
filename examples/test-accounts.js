// A worker pool in which each worker needs a test account of its own. Four workers share six jobs; each holds one
// account for as long as it works, and signs in with it again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, preparePool } from './connect.js';

const client = connect();
await preparePool(client, 'example-test-accounts', 4);

const jobs = ['sign up', 'log in', 'buy', 'pay', 'return', 'sign out'];
/** @type {Set<string>} */
const inUse = new Set();

/** @param {number} worker */
async function work(worker) {
  await client.withLease({ pool: 'example-test-accounts', waitMs: 60_000 }, async (account, signal) => {
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

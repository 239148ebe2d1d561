// Ten workers share three licences: at most three of them render at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, preparePool } from './connect.js';

const client = connect();
await preparePool(client, 'example-licences', 3);

let rendering = 0;
let most = 0;

/** @param {number} worker */
async function render(worker) {
  const options = { pool: 'example-licences', holder: `worker ${worker}`, waitMs: 60_000 };
  await client.withLease(options, async (lease, signal) => {
    rendering += 1;
    most = Math.max(most, rendering);
    console.log(`worker ${worker} renders with ${lease.value}`);
    await sleep(50, undefined, { signal });
    rendering -= 1;
  });
}

await Promise.all(Array.from({ length: 10 }, (_, worker) => render(worker)));
console.log(`10 workers are done, at most ${most} at a time`);

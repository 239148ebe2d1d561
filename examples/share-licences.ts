// Ten workers share three licences: at most three of them render at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, preparePool } from './connect.ts';

const client = connect();
await preparePool(client, 'licences', 3);

let rendering = 0;
let most = 0;

async function render(worker: number): Promise<void> {
  const options = { pool: 'licences', holder: `worker ${worker}`, waitMs: 60_000 };
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

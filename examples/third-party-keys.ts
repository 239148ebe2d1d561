// A pool of a third party's API keys. A key that gets a 429 rests for the pool's `cooldownSeconds` while the others
// work on; one that the third party revoked is deleted. Labels say whose key it is: the value itself is shown nowhere.
import { NotFoundError, ValueExistsError } from 'token-orchestrator';
import { connect } from './connect.js';

const pool = 'example-third-party-keys';
const client = connect();
try {
  await client.pools.get(pool);
} catch (error) {
  if (!(error instanceof NotFoundError)) throw error;
  await client.pools.put(pool, { keyTtlSeconds: null, cooldownSeconds: 30, fair: true });
}
for (const number of [1, 2, 3]) {
  const values = [{ value: `secret-${number}`, labels: { account: `account-${number}` } }];
  await client.keys.create({ pool, values }).catch((error: unknown) => {
    // An earlier run has imported it.
    if (!(error instanceof ValueExistsError)) throw error;
  });
}

/** Stands for the third party: it has had enough of the second call's key, and has revoked that of the fourth. */
const statuses = [200, 429, 200, 200, 401, 200, 200, 200];
function callThirdParty(_apiKey: string): { status: number | undefined } {
  return { status: statuses.shift() };
}

/** @returns whether the call is done; otherwise another key has to do it */
function call(number: number): Promise<boolean> {
  return client.withLease({ pool, holder: `call ${number}`, waitMs: 60_000 }, (lease) => {
    const account = lease.labels?.account;
    const { status } = callThirdParty(lease.value);
    if (status === 429) {
      lease.releaseAs('cooldown');
      console.log(`${account} rests: too many requests`);
    } else if (status === 401) {
      lease.releaseAs('discard');
      console.log(`${account} is deleted: it was revoked`);
    } else console.log(`call ${number} is done by ${account}`);
    return status === 200;
  });
}

for (let number = 1; number <= 6; number++) {
  while (!(await call(number)));
}

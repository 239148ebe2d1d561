import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';
import { endCliAfterEach, runCli, startCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const cli = (...parameters: string[]) => runCli(parameters, host.environment);

const POLICY = {
  leaseSeconds: 30,
  keyTtlSeconds: null,
  maxKeys: 9,
  targetSize: 4,
  maxLeaseSeconds: 90,
  cooldownSeconds: 7,
  maxLeasesPerClient: 2,
  fair: true,
  agingSeconds: 11,
  paused: true,
};

describe('pools set', () => {
  test('has an option for every field of the policy, and changes nothing that is not named', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const options =
      '--lease-seconds 30 --key-ttl-seconds never --max-keys 9 --target-size 4 --max-lease-seconds 90 ' +
      '--cooldown-seconds 7 --max-leases-per-client 2 --fair --aging-seconds 11 --paused';
    expect((await cli('pools', 'set', pool, ...options.split(' '))).code).toBe(0);
    expect(await host.client().pools.get(pool)).toMatchObject(POLICY);

    for (const [words, change] of [
      ['--max-keys none', { maxKeys: null }],
      ['--target-size none', { targetSize: null }],
      ['--max-lease-seconds none', { maxLeaseSeconds: null }],
      ['--max-leases-per-client none', { maxLeasesPerClient: null }],
      ['--no-fair', { fair: false }],
      ['--no-paused', { paused: false }],
    ] as const) {
      const before = await host.client().pools.get(pool);
      expect((await cli('pools', 'set', pool, ...words.split(' '))).code).toBe(0);
      const { counts: _, nextFreeInMs, updatedAt, ...rest } = before;
      expect(await host.client().pools.get(pool)).toMatchObject({ ...rest, ...change });
    }
  });

  test('shows every field to people', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    await host.client().pools.put(pool, POLICY);
    const { stdout } = await cli('pools', 'show', pool);
    for (const line of [
      'Lease +30s',
      'Key life +never',
      'Max keys +9',
      'Target +4',
      'Longest lease +1m 30s',
      'Cooldown +7s',
      'Per client +2',
      'Fair +yes',
      'Aging +11s',
      'Paused +yes',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${line}$`, 'm'));
    }
  });

  test.each([
    '--target-size -1',
    '--cooldown-seconds soon',
    '--max-leases-per-client 0',
    '--aging-seconds none',
  ])('refuses %s before anything is sent', async (words) => {
    expect(await cli('pools', 'set', 'p', ...words.split(' '))).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the queue of a fair pool', () => {
  test('is shown in order, serves by priority, and is empty when those who waited are gone', async () => {
    const client = host.client();
    const pool = await makePool(client);
    await client.pools.update(pool, { fair: true });
    const lease = await client.acquire({ pool });
    const wait = (holder: string, ...more: string[]) =>
      startCli(['acquire', '--pool', pool, '--wait', '60s', '--holder', holder, ...more], host.environment);
    const waitingFor = (count: number) =>
      eventually(async () => (await client.pools.listTickets(pool)).tickets.length === count);

    const first = wait('first');
    await waitingFor(1);
    const urgent = wait('urgent', '--priority', '9');
    await waitingFor(2);
    const { stdout } = await cli('pools', 'queue', pool);
    expect(stdout).toMatch(
      /^PLACE +CLIENT .*WAITING FOR\n1 +client_test +urgent +9 .*\n2 +client_test +first +0 .*\n$/,
    );
    // Counts may be a few seconds old.
    await eventually(async () =>
      new RegExp(`^${pool} +0 +1 +0 +2 `, 'm').test((await cli('pools', 'list')).stdout),
    );

    await client.release(lease.leaseId);
    expect((await urgent.result).code).toBe(0);
    expect(first.process.exitCode).toBeNull();
    const [served] = (await client.keys.list({ pool, state: 'leased' })).keys;
    expect(served?.lease?.holder).toBe('urgent');
    first.process.kill('SIGKILL');
    await waitingFor(0);
  });

  test('is left by whoever gives up', async () => {
    const client = host.client();
    const pool = await makePool(client);
    await client.pools.update(pool, { fair: true });
    await client.acquire({ pool });
    expect((await cli('acquire', '--pool', pool, '--wait', '300ms')).code).toBe(75);
    expect((await client.pools.listTickets(pool)).tickets).toEqual([]);
  });
});

describe('several keys', () => {
  test('are held by a command, which finds each of them, all or none', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 3 });
    const script = 'echo "$TOKEN_ORCHESTRATOR_KEY"; echo "$TOKEN_ORCHESTRATOR_FENCING_TOKEN" | wc -l';
    const run = (...words: string[]) => startCli(['run', '--pool', pool, ...words], host.environment).result;
    const both = await run('--count', '2', '--', 'sh', '-c', script);
    expect(both).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(key_\S+\n){2}2\n$/) });

    const four = await run('--count', '4', '--', 'echo', 'ran');
    expect(four).toMatchObject({ code: 75, stdout: '' });
    expect((await client.pools.get(pool)).counts.free.count).toBe(3);
  });

  test('end their command when one of their leases ends, and the others are released', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 2, leaseSeconds: 3 });
    const run = startCli(
      ['run', '--pool', pool, '--count', '2', '--', 'sh', '-c', 'echo started; exec sleep 60'],
      host.environment,
    );
    await eventually(async () => run.stdout.includes('started'));
    const [key] = (await client.keys.list({ pool })).keys;
    await client.keys.unblock(key as NonNullable<typeof key>, { force: true });
    expect((await run.result).code).toBe(76);
    expect((await client.pools.get(pool)).counts.free.count).toBe(2);
  });
});

test.each([
  ['ok', 'free'],
  ['cooldown', 'cooling'],
  ['discard', undefined],
])('release --outcome %s leaves the key %s', async (outcome, state) => {
  const client = host.client();
  const pool = await makePool(client);
  await client.pools.update(pool, { cooldownSeconds: 600 });
  const { leaseId } = await client.acquire({ pool });
  expect((await cli('release', leaseId, '--outcome', outcome)).code).toBe(0);
  expect((await client.keys.list({ pool })).keys.map((key) => key.state)).toEqual(state ? [state] : []);
});

test('a client that has all the leases it may have gets the exit code of no key, and when one ends', async () => {
  const pool = await makePool(host.client(), { keys: 2 });
  await host.client().pools.update(pool, { maxLeasesPerClient: 1 });
  await host.client().acquire({ pool });
  const { code, stderr } = await cli('acquire', '--pool', pool, '--json');
  expect(code).toBe(75);
  expect(JSON.parse(stderr).error).toMatchObject({
    code: 'lease_limit_reached',
    retryAfterMs: expect.any(Number),
  });
});

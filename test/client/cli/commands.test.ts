import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/sdk/create-client.ts';
import { eventually } from '../../support/eventually.ts';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';
import { endCliAfterEach, runCli, startCli, startOnTerminal } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const cli = (...parameters: string[]) => runCli(parameters, host.environment);

async function json(...parameters: string[]) {
  const { stdout, stderr, code } = await cli(...parameters, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('keys', () => {
  test('create, list, show, refresh, unblock and delete, for programs', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const { keys } = await json('keys', 'create', '--pool', pool, '--count', '2');
    expect(keys).toHaveLength(2);
    const lease = await json('acquire', '--pool', pool, '--holder', 'me');
    expect((await json('keys', 'list', '--pool', pool)).keys).toHaveLength(2);
    expect((await json('keys', 'list', '--pool', pool, '--limit', '1')).keys).toHaveLength(1);
    expect(
      (await json('keys', 'list', '--pool', pool, '--state', 'leased', '--search', 'm')).keys,
    ).toMatchObject([{ keyId: lease.keyId }]);
    expect(await json('keys', 'show', lease.keyId)).toMatchObject({
      state: 'leased',
      lease: { holder: 'me' },
    });
    expect(await json('keys', 'pause', lease.keyId, '--reason', 'in repair')).toMatchObject({
      state: 'leased',
      paused: { reason: 'in repair' },
    });
    expect(await json('keys', 'resume', lease.keyId)).not.toHaveProperty('paused');
    expect(await json('keys', 'refresh', lease.keyId)).toMatchObject({ keyId: lease.keyId });
    expect(await json('keys', 'unblock', lease.keyId)).toMatchObject({ state: 'cooling' });
    expect(await json('keys', 'unblock', lease.keyId, '--force')).toMatchObject({ state: 'free' });
    expect(await json('keys', 'delete', lease.keyId, '--force')).toEqual({
      keyId: lease.keyId,
      deleted: true,
    });
    const gone = await cli('keys', 'show', lease.keyId);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toMatch(/^token-orchestrator: There is no such key.* \(request [\w-]+\)\n$/);
  });

  test('are tables for people', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const created = await cli('keys', 'create', '--pool', pool);
    expect(created.stdout).toMatch(/^key_[\w-]+\n$/);
    const keyId = created.stdout.trim();
    expect((await cli('keys', 'list', '--pool', pool)).stdout).toMatch(
      new RegExp(`^KEY +STATE +HOLDER .*\\n${keyId} +free +never +\\d+\\n$`),
    );
    await cli('acquire', '--pool', pool, '--holder', 'build-7');
    const shown = (await cli('keys', 'show', keyId)).stdout;
    expect(shown).toMatch(new RegExp(`^Key +${keyId}$`, 'm'));
    expect(shown).toMatch(/^State +leased$/m);
    expect(shown).toMatch(/^Holder +build-7$/m);
    expect(shown).toMatch(/^Lease ends in +(1m|\d+s)$/m);
    const deleted = await cli('keys', 'delete', keyId);
    expect(deleted.stdout).toBe('Deleted\n');
    expect(deleted.stderr).toMatch(/this ends the lease of build-7 \(client_test\), fencing token \d+\n$/);
  });

  test('are listed as far as the limit, which says so and how to go on', async () => {
    const pool = await makePool(host.client(), { keys: 3 });
    const first = await cli('keys', 'list', '--pool', pool, '--limit', '2');
    expect(first.stdout.trim().split('\n')).toHaveLength(3);
    const [, cursor = ''] = /there are more: go on with --cursor (\S+),/.exec(first.stderr) ?? [];
    const second = await cli('keys', 'list', '--pool', pool, '--limit', '2', '--cursor', cursor);
    expect(second.stdout.trim().split('\n')).toHaveLength(2);
    expect(second.stderr).toBe('');
    const page = await json('keys', 'list', '--pool', pool, '--limit', '2');
    const rest = await json('keys', 'list', '--pool', pool, '--cursor', page.nextCursor);
    expect(rest).not.toHaveProperty('nextCursor');
    const all = [...page.keys, ...rest.keys].map(({ keyId }: { keyId: string }) => keyId);
    expect(new Set(all).size).toBe(3);
  });

  test('an ending that names an earlier lease leaves the one that stands alone', async () => {
    const pool = await makePool(host.client());
    const lease = await host.client().acquire({ pool });
    const older = String(lease.fencingToken - 1);
    for (const ending of ['unblock', 'delete']) {
      const { code, stderr } = await cli('keys', ending, lease.keyId, '--fencing-token', older, '--json');
      expect(code).toBe(1);
      expect(JSON.parse(stderr).error).toMatchObject({ code: 'lease_changed' });
    }
    await host.client().keepAlive(lease.leaseId);
    expect(
      await json('keys', 'unblock', lease.keyId, '--fencing-token', String(lease.fencingToken)),
    ).toMatchObject({ state: 'cooling' });
  });

  test('more than a thousand are created in batches, with progress on standard error', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const { code, stdout, stderr } = await cli('keys', 'create', '--pool', pool, '--count', '2001');
    expect(code).toBe(0);
    expect(new Set(stdout.trim().split('\n')).size).toBe(2001);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringContaining('1000/2001'),
      expect.stringContaining('2000/2001'),
      '[##############################] 2001/2001',
    ]);
  });

  test('those that were created before a failure are not lost', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    await json('pools', 'set', pool, '--max-keys', '1500');
    const { code, stdout, stderr } = await cli('keys', 'create', '--pool', pool, '--count', '2000');
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1000);
    expect(stderr).toContain('Created 1000 of 2000 keys');
  });
});

describe('leases', () => {
  test('acquire, keep-alive and release, for scripts', async () => {
    const pool = await makePool(host.client());
    const lease = await json('acquire', '--pool', pool, '--lease-seconds', '30');
    expect(lease).toMatchObject({ pool, expiresInMs: 30_000, holder: expect.stringMatching(/:\d+$/) });
    expect(await json('keep-alive', lease.leaseId)).toMatchObject({ leaseId: lease.leaseId });
    expect((await cli('keep-alive', lease.leaseId, '--only', 'keyId')).stdout).toBe(`${lease.keyId}\n`);
    expect(await cli('keep-alive', lease.leaseId, '--only', 'odd')).toMatchObject({ code: 2, stdout: '' });
    const none = await cli('acquire', '--pool', pool, '--json');
    expect(none.code).toBe(75);
    expect(JSON.parse(none.stderr).error).toMatchObject({
      code: 'no_key_available',
      status: 409,
      retryAfterMs: expect.any(Number),
    });
    expect((await json('leases', 'list')).leases).toContainEqual(
      expect.objectContaining({ leaseId: lease.leaseId }),
    );
    expect((await cli('leases', 'list')).stdout).toMatch(
      new RegExp(`^KEY .*LEASE$(.|\\n)*^${lease.keyId} +${pool} .* ${lease.leaseId}$`, 'm'),
    );
    expect(await json('release', lease.leaseId)).toEqual({ leaseId: lease.leaseId, released: true });
    const over = await cli('keep-alive', lease.leaseId, '--json');
    expect(over.code).toBe(76);
    expect(JSON.parse(over.stderr).error).toMatchObject({ code: 'lease_ended', reason: 'released' });
  });

  test('a field that is none is found before a key is taken; one that this lease has not is empty', async () => {
    const pool = await makePool(host.client());
    expect(await cli('acquire', '--pool', pool, '--only', 'typo')).toMatchObject({ code: 2, stdout: '' });
    expect((await host.client().pools.get(pool)).counts.free.count).toBe(1);
    expect(await cli('pools', 'show', pool, '--only', 'nextFreeInMs')).toMatchObject({
      code: 0,
      stdout: '\n',
    });
  });

  test('waiting for one is announced once', async () => {
    const pool = await makePool(host.client());
    const lease = await host.client().acquire({ pool });
    const acquire = startCli(['acquire', '--pool', pool, '--wait', '30s'], host.environment);
    await eventually(async () => acquire.stderr !== '');
    await host.client().release(lease.leaseId);
    const { code, stderr } = await acquire.result;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^token-orchestrator: .*; waiting for up to 30s\n$/);
  });
});

describe('holders', () => {
  test('lists who holds what, the oldest first, and of it what is asked for', async () => {
    const pool = await makePool(host.client(), { keys: 3 });
    const [first, second] = [
      await host.client().acquire({ pool, holder: 'Build 7' }),
      await host.client().acquire({ pool, holder: 'render' }),
    ];
    const { holders } = await json('holders', '--pool', pool);
    expect(holders).toMatchObject([{ keyId: first.keyId }, { keyId: second.keyId, holder: 'render' }]);
    expect(
      (await cli('holders', '--client', 'client_test', '--holder', 'build', '--pool', pool)).stdout,
    ).toMatch(
      new RegExp(
        `^CLIENT .*TOKEN\\nclient_test +Build 7 +${pool} +${first.keyId} +\\d+m?s +\\S+ +${first.fencingToken}\\n$`,
      ),
    );
    expect((await json('holders', '--pool', pool, '--limit', '1')).nextCursor).toEqual(expect.any(String));
  });
});

describe('pools', () => {
  test('set creates one and changes only what is said; list and delete', async () => {
    const name = `set-${process.pid}`;
    expect(await json('pools', 'set', name)).toMatchObject({
      leaseSeconds: 60,
      keyTtlSeconds: 300,
      maxKeys: null,
    });
    await json(
      'pools',
      'set',
      name,
      '--lease-seconds',
      '30',
      '--key-ttl-seconds',
      'never',
      '--max-keys',
      '9',
    );
    expect(await json('pools', 'set', name, '--paused')).toMatchObject({
      leaseSeconds: 30,
      keyTtlSeconds: null,
      maxKeys: 9,
      paused: true,
    });
    expect(await json('pools', 'set', name, '--no-paused', '--max-keys', 'none')).toMatchObject({
      leaseSeconds: 30,
      maxKeys: null,
      paused: false,
    });
    expect((await json('pools', 'list')).pools.map(({ pool }: { pool: string }) => pool)).toContain(name);
    expect((await cli('pools', 'list')).stdout).toMatch(
      new RegExp(`^POOL .*PAUSED$(.|\\n)*^${name} +0 +0 +0 +0 +no$`, 'm'),
    );
    expect(await json('pools', 'show', name)).toMatchObject({ pool: name, leaseSeconds: 30 });
    const shown = (await cli('pools', 'show', name)).stdout;
    expect(shown).toMatch(/^Free +0$/m);
    expect(shown).toMatch(/^Key life +never$/m);
    expect(await json('pools', 'refresh', name)).toEqual({ pool: name, refreshed: true });
    expect(await json('pools', 'delete', name, '--yes')).toEqual({ pool: name, deleted: true });
  });

  test('set changes nothing of what another admin set meanwhile', async () => {
    const pool = await makePool(host.client(), { leaseSeconds: 20 });
    const set = (...change: string[]) => startCli(['pools', 'set', pool, ...change], host.environment).result;
    const both = await Promise.all([set('--paused'), set('--max-keys', '7')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await host.client().pools.get(pool)).toMatchObject({ leaseSeconds: 20, paused: true, maxKeys: 7 });
  });

  test('delete asks on a terminal, and refuses where nobody can answer', async () => {
    const pool = await makePool(host.client(), { keys: 2 });
    const unasked = await startCli(['pools', 'delete', pool], host.environment).result;
    expect(unasked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('say --yes') });
    for (const [answer, code] of [
      ['n', 1],
      ['yes', 0],
    ] as const) {
      const terminal = startOnTerminal(['pools', 'delete', pool], host.environment);
      await eventually(async () =>
        terminal.stdout.includes(`Delete pool ${pool} with its keys (2 free, 0 leased, 0 cooling)? [y/N]`),
      );
      terminal.process.stdin?.write(`${answer}\r`);
      expect((await terminal.result).code).toBe(code);
    }
    const { pools } = await host.client().pools.list({ limit: 200 });
    expect(pools.map((item) => item.pool)).not.toContain(pool);
  });
});

describe('clients', () => {
  test('create shows the credential once; list does not; revoke ends it', async () => {
    const pool = await makePool(host.client());
    const created = await json('clients', 'create', '--pool', pool, '--description', 'farm');
    expect(created).toMatchObject({ role: 'client', pools: [pool], description: 'farm' });
    const listed = await cli('clients', 'list');
    expect(listed.stdout).toMatch(new RegExp(`^${created.clientId} +client +${pool} .* farm$`, 'm'));
    expect(listed.stdout).not.toContain(created.credential.split('.')[1]);
    const asThem = { ...host.environment, TOKEN_ORCHESTRATOR_CREDENTIAL: created.credential };
    expect((await runCli(['acquire', '--pool', pool], asThem)).code).toBe(0);
    expect((await runCli(['keys', 'list'], asThem)).code).toBe(77);
    const lines = (await cli('clients', 'list')).stdout.split('\n');
    expect(lines.find((line) => line.startsWith(created.clientId))).toMatch(/:00:00.000Z {2}never {2,}farm$/);
    expect(await json('clients', 'revoke', created.clientId)).toEqual({
      clientId: created.clientId,
      revoked: true,
    });
    expect((await cli('clients', 'create', '--role', 'viewer')).stdout).toMatch(
      /^Credential +client_\S+\.\S+$/m,
    );
  });

  test("revoke ends its leases where it is told to, and nobody else's", async () => {
    const pool = await makePool(host.client(), { keys: 3 });
    const { clientId, credential } = await json('clients', 'create');
    const theirs = createClient({ url: host.url, credential });
    for (let count = 0; count < 2; count++) await theirs.acquire({ pool });
    const own = await host.client().acquire({ pool });
    expect(await json('clients', 'revoke', clientId, '--end-leases')).toEqual({
      clientId,
      revoked: true,
      ended: 2,
    });
    expect((await json('holders', '--pool', pool)).holders).toMatchObject([{ keyId: own.keyId }]);
    const other = await json('clients', 'create');
    const { stdout } = await cli('clients', 'revoke', other.clientId, '--end-leases');
    expect(stdout).toBe('Revoked, 0 leases ended\n');
  });

  test('rotate gives a new credential once, and says until when the old one is good', async () => {
    const { clientId, credential } = await json('clients', 'create', '--expires-in', '90d');
    const rotated = await json('clients', 'rotate', clientId, '--keep-old', '1h');
    const [from, until, end] = [rotated.rotatedAt, rotated.oldSecretExpiresAt, rotated.expiresAt].map(
      Date.parse,
    ) as [number, number, number];
    expect([until - from, end - from]).toEqual([3_600_000, 90 * 86_400_000]);
    const whoami = (as: string) =>
      runCli(['whoami', '--only', 'clientId'], { ...host.environment, TOKEN_ORCHESTRATOR_CREDENTIAL: as });
    for (const one of [credential, rotated.credential]) {
      expect(await whoami(one)).toMatchObject({ code: 0, stdout: `${clientId}\n` });
    }
    const { stdout } = await cli('clients', 'rotate', clientId, '--keep-old', '0', '--expires-in', 'never');
    expect(stdout).toMatch(new RegExp(`^Credential +${clientId}\\.\\S+$`, 'm'));
    expect(stdout).not.toMatch(/Old secret|Expires/);
    expect((await cli('clients', 'rotate', clientId, '--keep-old', '31d')).code).toBe(1);
  });

  test('whoami shows whom the credential names', async () => {
    expect(await json('whoami')).toEqual({ clientId: 'client_test', role: 'admin' });
    expect((await cli('whoami')).stdout).toBe('Client  client_test\nRole    admin\nPools   all\n');
  });

  test('an admin revokes its own credential only by force', async () => {
    const { clientId, credential } = await json('clients', 'create', '--role', 'admin');
    const asThem = { ...host.environment, TOKEN_ORCHESTRATOR_CREDENTIAL: credential };
    const own = await runCli(['clients', 'revoke', clientId, '--json'], asThem);
    expect(JSON.parse(own.stderr).error).toMatchObject({ code: 'own_credential' });
    expect((await runCli(['clients', 'revoke', clientId, '--force'], asThem)).code).toBe(0);
  });
});

test('the help of every command has an example', async () => {
  const commands = [
    'run',
    'acquire',
    'keep-alive',
    'release',
    ...['create', 'import', 'label', 'list', 'show', 'refresh', 'pause', 'resume', 'unblock', 'delete'].map(
      (name) => `keys ${name}`,
    ),
    ...['list', 'show', 'set', 'queue', 'refresh', 'delete'].map((name) => `pools ${name}`),
    'leases list',
    'holders',
    'whoami',
    'completion',
    ...['create', 'list', 'rotate', 'revoke'].map((name) => `clients ${name}`),
    'events',
  ];
  const helps = await Promise.all(commands.map((command) => cli(...command.split(' '), '--help')));
  for (const [index, { code, stdout }] of helps.entries()) {
    expect(code).toBe(0);
    expect(stdout).toContain(`Example:\n  $ token-orchestrator ${commands[index]}`);
  }
});

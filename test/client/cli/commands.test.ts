import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePool, useHost } from '../support/host-process.ts';
import { endCliAfterEach, runCli } from '../support/run-cli.ts';

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
    expect((await cli('keys', 'delete', keyId)).stdout).toBe('Deleted\n');
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
    expect(await json('release', lease.leaseId)).toEqual({ leaseId: lease.leaseId, released: true });
    const over = await cli('keep-alive', lease.leaseId, '--json');
    expect(over.code).toBe(76);
    expect(JSON.parse(over.stderr).error).toMatchObject({ code: 'lease_ended', reason: 'released' });
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
      new RegExp(`^POOL .*PAUSED$(.|\\n)*^${name} +0 +0 +0 +30s +never +none +no$`, 'm'),
    );
    expect(await json('pools', 'delete', name)).toEqual({ pool: name, deleted: true });
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
    expect(await json('clients', 'revoke', created.clientId)).toEqual({
      clientId: created.clientId,
      revoked: true,
    });
    expect((await cli('clients', 'create', '--role', 'viewer')).stdout).toMatch(
      /^Credential +client_\S+\.\S+$/m,
    );
  });
});

describe('address and credential', () => {
  test('come from flags, the environment and the config file, in this order', async () => {
    const config = join(host.folder, 'config');
    await mkdir(join(config, 'token-orchestrator'), { recursive: true });
    const file = join(config, 'token-orchestrator/config.json');
    await writeFile(file, JSON.stringify({ url: host.url, credential: host.credential }), { mode: 0o600 });
    const credentialFile = join(host.folder, 'credential');
    await writeFile(credentialFile, `${host.credential}\n`, { mode: 0o600 });
    const code = async (parameters: string[], env: Record<string, string> = {}) =>
      (await runCli(['pools', 'list', ...parameters], env)).code;
    const bad = { TOKEN_ORCHESTRATOR_URL: 'http://127.0.0.1:1', TOKEN_ORCHESTRATOR_CREDENTIAL: 'a.b' };

    expect(await code([], { XDG_CONFIG_HOME: config })).toBe(0);
    expect(await code(['--config', file])).toBe(0);
    expect(await code([], { ...host.environment, XDG_CONFIG_HOME: '/nonexistent' })).toBe(0);
    expect(await code(['--url', host.url, '--credential-file', credentialFile], bad)).toBe(0);
    expect(await code(['--url', host.url, '--credential', host.credential], bad)).toBe(0);
    expect(await code(['--url', host.url], { ...bad, XDG_CONFIG_HOME: config })).toBe(77);
  });

  test.each([0o640, 0o604, 0o660, 0o644])(
    'a file with mode %o is refused: others can read it',
    async (mode) => {
      const file = join(host.folder, `open-${mode}`);
      await writeFile(file, JSON.stringify({ url: host.url, credential: host.credential }));
      await chmod(file, mode);
      for (const flag of ['--config', '--credential-file']) {
        const { code, stderr } = await runCli(['pools', 'list', flag, file, '--url', host.url], {});
        expect({ code, stderr }).toEqual({
          code: 78,
          stderr: `token-orchestrator: ${file} can be read by others: run chmod 600 on it\n`,
        });
      }
    },
  );

  test.each([
    ['nothing', {}, 'The address of the service is missing: give --url, set TOKEN_ORCHESTRATOR_URL'],
    [
      'no credential',
      { TOKEN_ORCHESTRATOR_URL: 'http://127.0.0.1:1' },
      'The credential of the service is missing',
    ],
    [
      'a malformed address',
      { TOKEN_ORCHESTRATOR_URL: 'x', TOKEN_ORCHESTRATOR_CREDENTIAL: 'a.b' },
      'url must be',
    ],
    [
      'a malformed credential',
      { TOKEN_ORCHESTRATOR_URL: 'http://127.0.0.1:1', TOKEN_ORCHESTRATOR_CREDENTIAL: 's3cr3t' },
      'credential must be of the form',
    ],
  ])('%s is a matter of configuration', async (_, env, message) => {
    const { code, stderr } = await runCli(['pools', 'list'], env as Record<string, string>);
    expect(code).toBe(78);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('s3cr3t');
  });

  test('a config file that is something else is refused, and not shown', async () => {
    const file = join(host.folder, 'broken.json');
    for (const text of ['{"credential": "s3cr3t"', '["s3cr3t"]', '{"url": 1}', '{"secret": "s3cr3t"}']) {
      await writeFile(file, text, { mode: 0o600 });
      const { code, stderr } = await runCli(['pools', 'list', '--config', file], {});
      expect(code).toBe(78);
      expect(stderr).toContain('must be JSON of the form');
      expect(stderr).not.toContain('s3cr3t');
    }
  });
});

describe('the exit code says', () => {
  test('that nobody answers', async () => {
    const { code, stderr } = await runCli(['pools', 'list'], {
      ...host.environment,
      TOKEN_ORCHESTRATOR_URL: 'http://127.0.0.1:1',
    });
    expect(code).toBe(69);
    expect(stderr).toMatch(/cannot be reached/);
    expect(stderr).not.toContain(host.credential.split('.')[1]);
  });

  test('that the credential is wrong', async () => {
    const env = { ...host.environment, TOKEN_ORCHESTRATOR_CREDENTIAL: 'client_x.wrong' };
    expect((await runCli(['acquire'], env)).code).toBe(77);
  });

  test('that the command line is wrong', async () => {
    const mistakes = [
      'nonsense',
      'keys',
      'keys show',
      'keys create --count 0',
      'keys list --state odd',
      'run --wait soon -- true',
      'run',
      'pools set p --max-keys many',
      'acquire --nonsense',
    ];
    const results = await Promise.all(mistakes.map((mistake) => cli(...mistake.split(' '))));
    expect(results.map(({ code }) => code)).toEqual(mistakes.map(() => 2));
  });
});

test('the help of every command has an example', async () => {
  const commands = [
    'run',
    'acquire',
    'keep-alive',
    'release',
    ...['create', 'list', 'show', 'refresh', 'unblock', 'delete'].map((name) => `keys ${name}`),
    ...['list', 'set', 'delete'].map((name) => `pools ${name}`),
    ...['create', 'list', 'revoke'].map((name) => `clients ${name}`),
  ];
  const helps = await Promise.all(commands.map((command) => cli(...command.split(' '), '--help')));
  for (const [index, { code, stdout }] of helps.entries()) {
    expect(code).toBe(0);
    expect(stdout).toContain(`Example:\n  $ token-orchestrator ${commands[index]}`);
  }
});

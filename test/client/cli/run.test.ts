import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { useHost } from '../../support/host-process.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { makePool } from '../support/make-pool.ts';
import { type CliProcess, endCliAfterEach, startCli, startOnTerminal } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const run = (pool: string, command: string[], ...options: string[]) =>
  startCli(['run', '--pool', pool, ...options, '--', ...command], host.environment);

async function stateOf(pool: string): Promise<string | undefined> {
  return (await host.client().keys.list({ pool })).keys[0]?.state;
}

const isFree = (pool: string) => eventually(async () => (await stateOf(pool)) === 'free');

/** The number that a shell wrote into a file. */
async function pidIn(file: string): Promise<number> {
  return eventually(async () => Number(await readFile(file, 'utf8').catch(() => '')) || undefined);
}

/** A dead process may wait for its parent to ask for its exit code. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status !== undefined && !/\) [ZX] /.test(status);
}

describe('run', () => {
  test('gives the command its key, passes on its exit code, and releases', async () => {
    const pool = await makePool(host.client());
    const script =
      'echo "$TOKEN_ORCHESTRATOR_KEY $TOKEN_ORCHESTRATOR_VALUE $TOKEN_ORCHESTRATOR_FENCING_TOKEN"; exit 7';
    const { code, stdout, stderr } = await run(pool, ['sh', '-c', script]).result;
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    const [{ keyId, fencingToken } = { keyId: '', fencingToken: 0 }] = (
      await host.client().keys.list({ pool })
    ).keys;
    expect(stdout).toBe(`${keyId} ${keyId} ${fencingToken}\n`);
    expect(await stateOf(pool)).toBe('free');
  });

  test("takes the options after the command for the command's, with and without --", async () => {
    const pool = await makePool(host.client());
    const { stdout } = await startCli(
      ['run', '--pool', pool, 'echo', '--pool', 'x', '--', 'y'],
      host.environment,
    ).result;
    expect(stdout).toBe('--pool x -- y\n');
  });

  test('tells operators who holds the key', async () => {
    const pool = await makePool(host.client());
    const { process } = run(pool, ['sleep', '60'], '--holder', 'night job');
    await eventually(
      async () => (await host.client().keys.list({ pool })).keys[0]?.lease?.holder === 'night job',
    );
    process.kill('SIGTERM');
    await isFree(pool);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'passes %s on, and exits as a shell would',
    async (signal) => {
      const pool = await makePool(host.client());
      const child = run(pool, [
        'sh',
        '-c',
        `trap 'echo got it; exit 5' ${signal.slice(3)}; echo ready; sleep 60 & wait`,
      ]);
      await eventually(async () => child.stdout.includes('ready'));
      child.process.kill(signal);
      expect(await child.result).toMatchObject({ code: 5, stdout: 'ready\ngot it\n' });
      expect(await stateOf(pool)).toBe('free');
    },
  );

  test('exits with 128 and the number of the signal that ended the command', async () => {
    const pool = await makePool(host.client());
    expect((await run(pool, ['sh', '-c', 'kill -KILL $$']).result).code).toBe(137);
    const child = run(pool, ['sleep', '60']);
    await eventually(async () => (await stateOf(pool)) === 'leased');
    child.process.kill('SIGTERM');
    expect((await child.result).code).toBe(143);
  });

  test('a command that is not there, or cannot be executed, costs no key', async () => {
    const pool = await makePool(host.client());
    expect(await run(pool, ['nosuch-command']).result).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/nosuch-command: .*not found/),
    });
    const file = join(host.folder, 'not-executable');
    await writeFile(file, '');
    expect((await run(pool, [file]).result).code).toBe(126);
    expect(await stateOf(pool)).toBe('free');
  });

  test('without a free key exits with 75, at once or after the time to wait', async () => {
    const pool = await makePool(host.client());
    await host.client().acquire({ pool });
    expect((await run(pool, ['true']).result).code).toBe(75);
    expect((await run(pool, ['true'], '--wait', '500ms').result).code).toBe(75);
  });

  test('waits for a key, and a signal ends the waiting', async () => {
    const pool = await makePool(host.client());
    const lease = await host.client().acquire({ pool });
    const proxy = await TcpProxy.start(host.port);
    const env = { ...host.environment, TOKEN_ORCHESTRATOR_URL: proxy.url };
    const waits = startCli(['run', '--pool', pool, '--wait', '60s', '--', 'echo', 'mine'], env);
    await eventually(async () => proxy.requests.length >= 2);
    const interrupted = startCli(['run', '--pool', pool, '--wait', '60s', '--', 'echo', 'mine'], env);
    await eventually(async () => proxy.requests.length >= 5);
    interrupted.process.kill('SIGINT');
    // It may be the interrupted one that was not yet there: then it is gone without handlers, as any program.
    const { code, signal, stdout } = await interrupted.result;
    expect({ stopped: code === 130 || signal === 'SIGINT', stdout }).toEqual({ stopped: true, stdout: '' });
    await host.client().release(lease.leaseId);
    expect(await waits.result).toMatchObject({ code: 0, stdout: 'mine\n' });
    await proxy.stop();
  });

  test('is not deaf to signals while its release hangs', async () => {
    const pool = await makePool(host.client());
    const proxy = await TcpProxy.start(host.port);
    const never = new Promise<never>(() => undefined);
    proxy.decide = (head) =>
      head.startsWith('DELETE') ? { kind: 'delay answer', release: never } : { kind: 'pass' };
    const env = { ...host.environment, TOKEN_ORCHESTRATOR_URL: proxy.url };
    const child = startCli(['run', '--pool', pool, '--', 'sh', '-c', 'exit 7'], env);
    await eventually(async () => proxy.count('DELETE') > 0);
    child.process.kill('SIGINT');
    expect(await child.result).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('The release was given up; the lease lapses by itself'),
    });
    expect(proxy.count('DELETE')).toBe(1);
    await proxy.stop();
  });

  test('ends what the command leaves running: it would use the key after its release', async () => {
    const pool = await makePool(host.client());
    const file = join(host.folder, 'left-running');
    const child = run(pool, ['sh', '-c', `sleep 300 & echo $! > ${file}`], '--grace', '500ms');
    const pid = await pidIn(file);
    expect((await child.result).code).toBe(0);
    expect(await isAlive(pid)).toBe(false);
  });
});

describe('on a terminal', () => {
  const COUNTING = `
    const { appendFileSync, writeFileSync } = require('node:fs');
    for (const name of ['SIGINT', 'SIGQUIT']) process.on(name, () => appendFileSync(process.argv[1] + '.seen', name + ' '));
    setInterval(() => undefined, 1000);
    writeFileSync(process.argv[1], String(process.ppid));
  `;

  test.each([
    ['Ctrl-C reaches the command once', (terminal: CliProcess) => terminal.process.stdin?.write('\x03')],
    ['SIGINT to run alone is passed on', (_: CliProcess, pid: number) => process.kill(pid, 'SIGINT')],
  ])('%s', async (name, interrupt) => {
    const pool = await makePool(host.client());
    const file = join(host.folder, name.replaceAll(' ', '-'));
    const command = [process.execPath, '-e', COUNTING, file];
    const terminal = startOnTerminal(['run', '--pool', pool, '--', ...command], host.environment);
    const pid = await pidIn(file);
    const seen = () => readFile(`${file}.seen`, 'utf8').catch(() => '');
    interrupt(terminal, pid);
    await eventually(async () => (await seen()).startsWith('SIGINT '));
    // What became of the first signal is decided before the second one is passed on.
    process.kill(pid, 'SIGQUIT');
    await eventually(async () => (await seen()).includes('SIGQUIT '));
    expect(await seen()).toBe('SIGINT SIGQUIT ');
    process.kill(pid, 'SIGTERM');
    expect((await terminal.result).code).toBe(143);
  });
});

describe('a lost lease', () => {
  test('ends the command and all that it started, before the key is free', async () => {
    const pool = await makePool(host.client(), { leaseSeconds: 2 });
    const proxy = await TcpProxy.start(host.port);
    proxy.decide = (head) => (head.includes('/keep-alive') ? { kind: 'refuse' } : { kind: 'pass' });
    const file = join(host.folder, 'grandchild');
    const child = startCli(
      [
        'run',
        '--pool',
        pool,
        '--',
        'sh',
        '-c',
        `trap 'echo asked' TERM; sleep 300 & echo $! > ${file}; wait; wait`,
      ],
      { ...host.environment, TOKEN_ORCHESTRATOR_URL: proxy.url },
    );
    const pid = await pidIn(file);
    const whenFree = isFree(pool).then(() => isAlive(pid));
    const { code, stdout, stderr } = await child.result;
    expect({ code, stdout }).toEqual({ code: 76, stdout: 'asked\n' });
    expect(stderr).toContain('The lease could not be kept alive in time');
    expect(await whenFree).toBe(false);
    await proxy.stop();
  });

  test('kills a command that does not listen, before the key is free', async () => {
    const pool = await makePool(host.client(), { leaseSeconds: 2 });
    const proxy = await TcpProxy.start(host.port);
    proxy.decide = (head) => (head.startsWith('POST /v1/leases ') ? { kind: 'pass' } : { kind: 'refuse' });
    const file = join(host.folder, 'stubborn');
    const child = startCli(
      ['run', '--pool', pool, '--', 'sh', '-c', `trap '' TERM; echo $$ > ${file}; while :; do sleep 1; done`],
      { ...host.environment, TOKEN_ORCHESTRATOR_URL: proxy.url },
    );
    const pid = await pidIn(file);
    const whenFree = isFree(pool).then(() => isAlive(pid));
    const { code, stderr } = await child.result;
    expect(code).toBe(76);
    expect(stderr).toContain('the lease lapses by itself');
    expect(await whenFree).toBe(false);
    await proxy.stop();
  });

  test('that an admin unblocked ends the command', async () => {
    const pool = await makePool(host.client(), { leaseSeconds: 3 });
    const child = run(pool, ['sleep', '300']);
    const keyId = await eventually(async () => {
      const [key] = (await host.client().keys.list({ pool, state: 'leased' })).keys;
      return key?.keyId;
    });
    await host.client().keys.unblock(await host.client().keys.get(keyId));
    const { code, stderr } = await child.result;
    expect(code).toBe(76);
    expect(stderr).toContain('The lease is over (unblocked)');
  });

  test('is noticed by a run that was stopped for longer than the lease, which kills its command at once', async () => {
    const pool = await makePool(host.client(), { leaseSeconds: 2 });
    const file = join(host.folder, 'suspended');
    const child = run(pool, ['sh', '-c', `echo $$ > ${file}; while :; do sleep 1; done`]);
    const pid = await pidIn(file);
    // All of it stands still, as on a machine that is suspended.
    process.kill(-pid, 'SIGSTOP');
    child.process.kill('SIGSTOP');
    await isFree(pool);
    child.process.kill('SIGCONT');
    const { code, stderr } = await child.result;
    expect(code).toBe(76);
    expect(stderr).toContain('The lease could not be kept alive in time');
    expect(await isAlive(pid)).toBe(false);
  });

  test('cannot come from Ctrl-Z unnoticed: the command is stopped as well, and goes on with us', async () => {
    const pool = await makePool(host.client());
    const file = join(host.folder, 'stopped');
    const child = run(pool, ['sh', '-c', `echo $$ > ${file}; exec sleep 300`]);
    const pid = await pidIn(file);
    const stateIs = (wanted: string, of: number) =>
      eventually(async () => (await readFile(`/proc/${of}/stat`, 'utf8')).includes(`) ${wanted} `));
    child.process.kill('SIGTSTP');
    await stateIs('T', pid);
    await stateIs('T', child.process.pid ?? 0);
    child.process.kill('SIGCONT');
    await stateIs('S', pid);
    child.process.kill('SIGTERM');
    expect((await child.result).code).toBe(143);
  });
});

test('the guard of a run that is killed ends a command that does not listen by the deadline of the lease', async () => {
  const file = join(host.folder, 'guarded');
  const guard = new URL('../../../client/cli/run/orphan-guard.ts', import.meta.url);
  // The grace is a day: that the command ends at all is owed to the deadline, which has passed.
  const script = `
    import { spawn } from 'node:child_process';
    import { startOrphanGuard } from '${guard}';
    const command = "trap '' TERM; echo $$ > ${file}; while :; do sleep 1; done";
    const { pid } = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'ignore' });
    const guard = startOrphanGuard(86_400_000);
    guard.watch(-pid, 86_400_000);
    guard.extend(-1);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);
  `;
  spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const pid = await pidIn(file);
  await eventually(async () => !(await isAlive(pid)));
});

test('kill -9 of a run ends its command, and frees its key within the lease', async () => {
  const pool = await makePool(host.client(), { leaseSeconds: 2 });
  const file = join(host.folder, 'orphan');
  const child = run(pool, ['sh', '-c', `echo $$ > ${file}; while :; do sleep 1; done`]);
  const pid = await pidIn(file);
  child.process.kill('SIGKILL');
  await child.result;
  const aliveWhenFree = await isFree(pool).then(() => isAlive(pid));
  expect(aliveWhenFree).toBe(false);
  const next = await host.client().acquire({ pool });
  expect(next.pool).toBe(pool);
});

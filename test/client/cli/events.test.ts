import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';
import { type CliProcess, endCliAfterEach, runCli, startCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const cli = (...parameters: string[]) => runCli(['events', ...parameters], host.environment);
const follow = (...parameters: string[]) => startCli(['events', '--follow', ...parameters], host.environment);
const linesOf = ({ stdout }: { stdout: string }): string[] =>
  stdout.split('\n').filter((line) => line !== '');
const once = (count: number, process: CliProcess): Promise<unknown> =>
  eventually(async () => linesOf(process).length >= count);

async function json(...parameters: string[]) {
  const { stdout, stderr, code } = await cli(...parameters, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as { events: { type: string; count?: number }[]; next: string };
}

/** A pool with events of which `count` tells their order. */
async function makeEvents(pool: string, from: number, to: number): Promise<void> {
  for (let count = from; count <= to; count++) await host.client().keys.create({ pool, count });
}

test('a list is a table for people, and the API page for programs', async () => {
  const pool = await makePool(host.client(), { keys: 0 });
  await makeEvents(pool, 1, 2);
  const lease = await host.client().acquire({ pool, holder: 'build-7' });
  await host.client().keys.unblock(lease);
  const { stdout, stderr } = await cli('--pool', pool);
  expect(stderr).toBe('');
  const [heading, made, first, second, unblocked, ...rest] = linesOf({ stdout });
  expect(heading).toMatch(/^TIME +TYPE +POOL +KEY +CLIENT +BY +DETAIL$/);
  const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
  expect(made).toMatch(new RegExp(`^${time} +pool.changed +${pool} +- +- +client_test +created$`));
  expect(first).toMatch(new RegExp(`^${time} +key.created +${pool} +\\S+ +- +client_test +count 1$`));
  expect(second).toMatch(/ count 2$/);
  expect(unblocked).toMatch(
    new RegExp(
      `^${time} +lease.unblocked +${pool} +${lease.keyId} +build-7 \\(client_test\\) +client_test +token ${lease.fencingToken}$`,
    ),
  );
  expect(rest).toEqual([]);

  const { events, next } = await json('--pool', pool);
  expect(events.map(({ type }) => type)).toEqual([
    'pool.changed',
    'key.created',
    'key.created',
    'lease.unblocked',
  ]);
  expect((await json('--key', lease.keyId)).events).toMatchObject([
    { type: 'lease.unblocked', holder: 'build-7', clientId: 'client_test' },
  ]);
  expect((await json('--pool', pool, '--holder', 'build-7')).events).toMatchObject([{ keyId: lease.keyId }]);
  expect((await json('--pool', pool, '--type', 'key.created', '--client', 'nobody')).events).toEqual([]);
  await makeEvents(pool, 5, 5);
  expect((await json('--pool', pool, '--after', next)).events).toMatchObject([{ count: 5 }]);
});

test('the newest are shown unless a limit asks for the oldest, and then how to go on', async () => {
  const pool = await makePool(host.client(), { keys: 0 });
  await makeEvents(pool, 1, 5);
  const only = ['--pool', pool, '--type', 'key.created'];
  const counts = async (...parameters: string[]) =>
    (await json(...only, ...parameters)).events.map(({ count }) => count);
  expect(await counts('--tail', '2')).toEqual([4, 5]);
  expect(await counts('--limit', '2')).toEqual([1, 2]);
  const { stderr } = await cli(...only, '--limit', '3');
  const [, after = ''] =
    /^token-orchestrator: there may be more: go on with --after (\S+)\n$/.exec(stderr) ?? [];
  expect(await counts('--after', after)).toEqual([4, 5]);
  expect(await cli(...only, '--after', after)).toMatchObject({ stderr: '' });
});

test.each([
  '--tail 2 --after x',
  '--tail 2 --limit 2',
  '--follow --limit 2',
  '--follow --only next',
  '--type lease.odd',
  '--tail 0',
])('%s is a mistake of the command line', async (mistake) => {
  expect(await cli(...mistake.split(' '))).toMatchObject({ code: 2, stdout: '' });
});

test('following prints the newest few, then what comes, over an outage that it tells of, until it is interrupted', async () => {
  const pool = await makePool(host.client(), { keys: 0 });
  await makeEvents(pool, 1, 3);
  const followed = follow('--pool', pool, '--type', 'key.created', '--tail', '2');
  await once(2, followed);
  await makeEvents(pool, 4, 4);
  await once(3, followed);
  expect(followed.stderr).toBe('');

  await host.kill();
  await eventually(async () => followed.stderr.includes('\n'));
  await host.start();
  await makeEvents(pool, 5, 7);
  await once(6, followed);
  expect(linesOf(followed).map((line) => line.split(' ').at(-1))).toEqual(['2', '3', '4', '5', '6', '7']);
  expect(followed.stderr).toMatch(
    /^token-orchestrator: .* cannot be reached: .*; trying again\ntoken-orchestrator: the service responds again\n$/,
  );
  followed.process.kill('SIGINT');
  // A shell makes 130 of it.
  expect(await followed.result).toMatchObject({ code: null, signal: 'SIGINT' });
});

test('for programs each event is a line of JSON, with the place where another run goes on', async () => {
  const pool = await makePool(host.client(), { keys: 0 });
  await makeEvents(pool, 1, 2);
  const first = follow('--json', '--pool', pool);
  await once(3, first);
  const events = linesOf(first).map((line) => JSON.parse(line));
  expect(events).toMatchObject([
    { change: 'created' },
    { count: 1 },
    { count: 2, after: expect.any(String) },
  ]);
  first.process.kill('SIGTERM');
  expect((await first.result).signal).toBe('SIGTERM');

  await makeEvents(pool, 3, 4);
  const second = follow('--json', '--pool', pool, '--after', events[2].after);
  await once(2, second);
  expect(linesOf(second).map((line) => JSON.parse(line))).toMatchObject([{ count: 3 }, { count: 4 }]);
});

test('following ends with its code where no repeat would help, or nobody is there to begin with', async () => {
  const { credential, clientId } = await host.client().clients.create({ role: 'viewer' });
  const asThem = { ...host.environment, TOKEN_ORCHESTRATOR_CREDENTIAL: credential };
  const followed = startCli(['events', '--follow', '--client', clientId], asThem);
  await once(1, followed);
  await host.client().clients.delete(clientId);
  const { code, stderr } = await followed.result;
  expect(code).toBe(77);
  expect(stderr).toBe('token-orchestrator: Forbidden\n');

  const nowhere = { ...host.environment, TOKEN_ORCHESTRATOR_URL: 'http://127.0.0.1:1' };
  expect((await runCli(['events', '--follow'], nowhere)).code).toBe(69);
});

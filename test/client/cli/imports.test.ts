import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Key } from '../../../shared/contract/keys.ts';
import { useHost } from '../../support/host-process.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { makePool } from '../support/make-pool.ts';
import { cliPath, endCliAfterEach, runCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-imports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cli = (...parameters: string[]) => runCli(parameters, host.environment);

/** Every planted value has this in it, so that it is found wherever it should not be. */
const PLANTED = 'planted-secret';

async function importText(pool: string, content: string, ...options: string[]) {
  const file = join(folder, 'values');
  await writeFile(file, content);
  const result = await cli('keys', 'import', file, '--pool', pool, ...options);
  expect(`${result.stdout}${result.stderr}`).not.toContain(PLANTED);
  return result;
}

/** Value and labels of each key, as their holders get them, in the order of the values. */
async function heldIn(pool: string) {
  const client = host.client();
  const { keys } = await client.keys.list({ pool, limit: 200 });
  const leases = await Promise.all(keys.map(() => client.acquire({ pool })));
  return leases
    .map(({ value, labels }) => ({ value, ...(labels && { labels }) }))
    .sort((a, b) => (a.value < b.value ? -1 : 1));
}

describe('keys import', () => {
  test('reads a value per line, whatever ends the line, and prints the ids of their keys', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const { code, stdout } = await importText(pool, `\uFEFF${PLANTED}-1\r\n\n  ${PLANTED}-2,"x"\n`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^(key_[\w-]+\n){2}$/) });
    expect(await heldIn(pool)).toEqual([{ value: `${PLANTED}-1` }, { value: `${PLANTED}-2,"x"` }]);
  });

  test('reads CSV with a header: quoted cells, a label for each further column, none for an empty cell', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const csv = `value,region,note\n"${PLANTED}-1, ""quoted""",eu,"a, b"\n${PLANTED}-2,,\n"${PLANTED}-3\nline",us,\n`;
    expect((await importText(pool, csv)).code).toBe(0);
    expect(await heldIn(pool)).toEqual([
      { value: `${PLANTED}-1, "quoted"`, labels: { region: 'eu', note: 'a, b' } },
      { value: `${PLANTED}-2` },
      { value: `${PLANTED}-3\nline`, labels: { region: 'us' } },
    ]);
  });

  test('reads JSON: texts, or values with labels; --label is for those that have none', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const values = [`${PLANTED}-1`, { value: `${PLANTED}-2`, labels: { region: 'us' } }];
    const label = ['--label', 'region=eu', '--label', 'owner=a=b'];
    const { code, stdout } = await importText(pool, JSON.stringify(values), ...label, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout).keys as Key[]).map(({ labels }) => labels)).toEqual([
      { region: 'eu', owner: 'a=b' },
      { region: 'us' },
    ]);
  });

  test('reads standard input', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const { code } = await new Promise<{ code: number | null }>((resolve) => {
      const child = spawn(process.execPath, [cliPath(), 'keys', 'import', '-', '--pool', pool], {
        env: { ...nodeEnvironment(), HOME: '/nonexistent', ...host.environment },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.on('close', (code) => resolve({ code }));
      child.stdin.end(`${PLANTED}-1\n`);
    });
    expect(code).toBe(0);
    expect(await heldIn(pool)).toEqual([{ value: `${PLANTED}-1` }]);
  });

  test.each([
    ['has no values', '\n \n', 'has no values'],
    ['is JSON that breaks off', `["${PLANTED}`, 'not valid JSON'],
    ['is CSV with a quote too many', `value,region\n${PLANTED}"x,eu\n"`, 'not valid CSV'],
    ['is CSV with a cell too many', `value\n${PLANTED},eu\n`, 'not valid CSV'],
  ])('refuses a file that %s, and shows nothing of it', async (_, content, message) => {
    const pool = await makePool(host.client(), { keys: 0 });
    const { code, stdout, stderr } = await importText(pool, content);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('refuses a file that is not there', async () => {
    const { code, stderr } = await cli('keys', 'import', join(folder, 'none'));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('cannot be read (ENOENT)') });
  });

  test('names the places of values that are there already, and imports none', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    await importText(pool, `${PLANTED}-1\n`);
    const { code, stderr } = await importText(pool, `${PLANTED}-0\n${PLANTED}-1\n`, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'value_exists',
      errors: [{ path: 'values.1' }],
    });
    expect((await host.client().keys.list({ pool })).keys).toHaveLength(1);
    expect((await importText(pool, `${PLANTED}-0\n${PLANTED}-1\n`)).stderr).toContain('values.1');
  });

  test('more than a thousand go in batches with a progress bar; a place counts from the start of the file', async () => {
    const pool = await makePool(host.client(), { keys: 0 });
    const lines = Array.from({ length: 1500 }, (_, index) => `${PLANTED}-${index}`);
    const done = await importText(pool, lines.join('\n'));
    expect(done.code).toBe(0);
    expect(done.stdout.trim().split('\n')).toHaveLength(1500);
    expect(done.stderr).toMatch(/1000\/1500\n.*1500\/1500\n$/);

    const again = await importText(
      pool,
      [...lines.map((line) => `${line}-new`).slice(0, 1200), lines[7]].join('\n'),
    );
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('Created 1000 of 1201 keys');
    expect(again.stderr).toContain('values.1200');
  });
});

test('keys label replaces the labels of a key, by which it is found', async () => {
  const pool = await makePool(host.client());
  const [key] = (await host.client().keys.list({ pool })).keys;
  const keyId = key?.keyId ?? '';
  expect((await cli('keys', 'label', keyId, 'region=eu', 'account=ci-7')).stdout).toMatch(
    /^Labels +region=eu, account=ci-7$/m,
  );
  expect((await cli('keys', 'list', '--pool', pool, '--search', 'ACCOUNT=CI')).stdout).toContain(keyId);
  expect((await cli('keys', 'label', keyId, 'region=us', '--json')).stdout).toContain(
    '"labels":{"region":"us"}',
  );
  expect((await cli('keys', 'list', '--pool', pool, '--search', 'account=ci')).stdout).not.toContain(keyId);
  expect(await cli('keys', 'label', keyId, 'no-value')).toMatchObject({ code: 2 });
});

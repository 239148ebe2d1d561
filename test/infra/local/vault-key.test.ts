import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainMistake } from '../../../infra/local/foreseeable-mistake.ts';
import { ensureVaultKey } from '../../../infra/local/vault-key.ts';
import type { HeldLease } from '../../../shared/contract/leases.ts';
import { readRuntimeConfig } from '../../../shared/runtime/config.ts';
import { type HostProcess, useHostProcesses } from '../../support/host-process.ts';

const VALUES = { body: { values: ['sk-1'] } };
const FILE = '.data/value-encryption-key';

describe('the key that the local host makes to seal values with', () => {
  let folder: string;
  let file: string;
  const ensure = () => ensureVaultKey(() => false, file);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vault-key-'));
    file = join(folder, FILE);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, as the configuration wants it, and kept readable by its owner only', async () => {
    const key = await ensure();
    expect(readRuntimeConfig({ VALUE_ENCRYPTION_KEY: key }).VALUE_ENCRYPTION_KEY).toHaveLength(1);
    expect(await readFile(file, 'utf8')).toBe(`${key}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, '.data'))).mode & 0o777).toBe(0o700);
    expect(await ensure()).toBe(key);
  });

  it('is the same for all hosts that start at once, and leaves nothing else behind', async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, ensure));
    expect(new Set(keys)).toEqual(new Set([(await readFile(file, 'utf8')).trim()]));
    expect(await readdir(join(folder, '.data'))).toEqual(['value-encryption-key']);
  });

  it('is another one in each folder, under another id, so that an error can name the one that is missing', async () => {
    const ids = await Promise.all(
      ['a', 'b'].map(
        async (name) => (await ensureVaultKey(() => false, join(folder, name, FILE))).split(':')[0],
      ),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it.each(['', '\n', 'local', 'local:short', `a:${'x'.repeat(32)},a:${'y'.repeat(32)}`, '\0'])(
    'is not made anew where the file holds %j: that is a mistake to be put right, and the file stays',
    async (content) => {
      await mkdir(join(folder, '.data'));
      await writeFile(file, content);
      const mistake = explainMistake(await ensure().catch((error: unknown) => error));
      expect(mistake).toMatch(/value-encryption-key must hold <id>:<secret>/);
      expect(mistake).not.toMatch(/short|xxx/);
      expect(await readFile(file, 'utf8')).toBe(content);
    },
  );

  it('is not made anew where the file is gone and the database keeps values', async () => {
    const mistake = explainMistake(await ensureVaultKey(() => true, file).catch((error: unknown) => error));
    expect(mistake).toMatch(/keeps values.*value-encryption-key.*is gone: put it back/);
    await expect(stat(file)).rejects.toThrow(/ENOENT/);
  });
});

describe('the local host, with values in its database,', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();
  const stop = async ({ program }: HostProcess) => {
    program.kill('SIGTERM');
    return program.ended;
  };
  const acquire = (host: HostProcess) =>
    host.call<HeldLease>('POST', '/v1/leases', { body: { leaseSeconds: 1 } });

  it('does not start without the key that it made, and tells them again once it is back', async () => {
    const folder = await hosts.makeFolder();
    const host = await hosts.startHost(folder);
    expect(await host.call('POST', '/v1/keys', VALUES)).toMatchObject({ status: 201 });
    await stop(host);
    const kept = await readFile(join(folder, FILE));
    await rm(join(folder, FILE));
    const { code, stdout, stderr } = await hosts.run('main.ts', folder, { PORT: '0' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^token-orchestrator: .*value-encryption-key.*\n$/);
    await writeFile(join(folder, FILE), kept);
    expect(await acquire(await hosts.startHost(folder))).toMatchObject({
      status: 201,
      body: { value: 'sk-1' },
    });
  });

  it('under another key fails an acquire of one and logs which key it lacks; with both it tells them', async () => {
    const [one, two] = [`one:${'1'.repeat(40)}`, `two:${'2'.repeat(40)}`];
    const folder = await hosts.makeFolder();
    const startWith = (VALUE_ENCRYPTION_KEY: string) => hosts.startHost(folder, { VALUE_ENCRYPTION_KEY });
    const first = await startWith(one);
    await first.call('POST', '/v1/keys', VALUES);
    await stop(first);

    const second = await startWith(two);
    expect(await acquire(second)).toMatchObject({ status: 500, body: { code: 'internal' } });
    const { stderr } = await stop(second);
    expect(stderr).toContain('The value is sealed with a key that is not configured: \\"one\\"');
    expect(stderr).not.toMatch(/sk-1|1111|2222/);

    const third = await startWith(`${two},${one}`);
    expect(await third.call('POST', '/v1/keys', VALUES)).toMatchObject({
      status: 409,
      body: { code: 'value_exists' },
    });
    expect(await acquire(third)).toMatchObject({ status: 201, body: { value: 'sk-1' } });
  });
});

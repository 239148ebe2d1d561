import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ended, useHostProcesses } from '../../support/host-process.ts';

/** In what a mistaken variable holds; must never be shown. */
const SECRET = 'hunter2';

describe('a mistake of whoever starts the local host', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();

  /** One line that says what is wrong, exit code 1, no stack, no secret. */
  const expectOneLine = ({ code, stdout, stderr }: Ended, line: RegExp): void => {
    expect({ code, stdout, lines: stderr.match(/\n/g)?.length }, stderr).toEqual({
      code: 1,
      stdout: '',
      lines: 1,
    });
    expect(stderr).toMatch(/^token-orchestrator: /);
    expect(stderr).toMatch(line);
    expect(stderr).not.toContain(SECRET);
  };

  it('is answered in one line that names the variable', async () => {
    const folder = await hosts.makeFolder();
    const mistakes: [Record<string, string>, RegExp][] = [
      [{ PORT: 'abc', BOOTSTRAP_CREDENTIAL: SECRET }, /PORT must be .*; BOOTSTRAP_CREDENTIAL must be/],
      [{ HOST: '203.0.113.1' }, /203\.0\.113\.1 is not an address of this machine: check HOST/],
      [
        { MONGODB_URI: `mongodb://app:x@${SECRET}@db/x` },
        /MONGODB_URI cannot be used: check .* percent-encoded/,
      ],
      [
        { MONGODB_URI: `mongodb://app:${SECRET}@db/x?nonsense=1` },
        /MONGODB_URI cannot be used: option nonsense is not supported/,
      ],
      [{ SQLITE_PATH: '/dev/null/x.db' }, /cannot use \/dev\/null/],
    ];
    const ended = await Promise.all(mistakes.map(([variables]) => hosts.run('main.ts', folder, variables)));
    for (const [index, [, line]] of mistakes.entries()) expectOneLine(ended[index] as Ended, line);
  });

  it('is answered in one line where MongoDB cannot be reached', async () => {
    const folder = await hosts.makeFolder();
    const MONGODB_URI = `mongodb://app:${SECRET}@127.0.0.1:9/orchestrator`;
    const [started, setUp] = await Promise.all([
      hosts.run('main.ts', folder, { MONGODB_URI }),
      hosts.run('setup-database.ts', folder, { MONGODB_URI }),
    ]);
    for (const ended of [started, setUp])
      expectOneLine(ended as Ended, /the database does not answer: check MONGODB_URI/);
  });

  it('is answered in one line where the port is taken', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const ended = await hosts.run('main.ts', await hosts.makeFolder(), { PORT: String(port) });
    other.close();
    expectOneLine(ended, new RegExp(`port ${port} is taken: .*set PORT to a free one`));
  });

  it('is answered in one line where .data, the database or .env is not what it should be', async () => {
    const dataIsFile = await hosts.makeFolder();
    await writeFile(join(dataIsFile, '.data'), '');
    const databaseIsFolder = await hosts.makeFolder();
    await mkdir(join(databaseIsFolder, '.data/orchestrator.db'), { recursive: true });
    const databaseIsText = await hosts.makeFolder();
    await mkdir(join(databaseIsText, '.data'));
    await writeFile(join(databaseIsText, '.data/orchestrator.db'), 'not a database '.repeat(1000));
    const credentialIsFolder = await hosts.makeFolder();
    await mkdir(join(credentialIsFolder, '.data/admin-credential'), { recursive: true });
    const badEnvFile = await hosts.makeFolder();
    await writeFile(join(badEnvFile, '.env'), `PORT=x\nBOOTSTRAP_CREDENTIAL=${SECRET}\n`);
    const envIsFolder = await hosts.makeFolder();
    await mkdir(join(envIsFolder, '.env'));

    const mistakes: [string, RegExp][] = [
      [dataIsFile, /\.data/],
      [databaseIsFolder, /orchestrator\.db/],
      [databaseIsText, /orchestrator\.db cannot be used: .*check SQLITE_PATH/],
      [credentialIsFolder, /admin-credential/],
      [badEnvFile, /PORT must be .*; BOOTSTRAP_CREDENTIAL must be .*\(environment or \.env\)/],
      [envIsFolder, /\.env/],
    ];
    const ended = await Promise.all(
      mistakes.map(([folder]) => hosts.run('main.ts', folder, folder === badEnvFile ? {} : { PORT: '0' })),
    );
    for (const [index, [, line]] of mistakes.entries()) expectOneLine(ended[index] as Ended, line);
  });

  it('is answered in one line by setup-database too', async () => {
    const folder = await hosts.makeFolder();
    expectOneLine(await hosts.run('setup-database.ts', folder), /MONGODB_URI .* set it to the database/);
    const ended = await hosts.run('setup-database.ts', folder, { MONGODB_URI: `${SECRET}://x` });
    expectOneLine(ended, /MONGODB_URI must start with mongodb:\/\//);
  });
});

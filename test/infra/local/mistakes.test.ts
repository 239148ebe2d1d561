import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useHostProcesses } from '../../support/host-process.ts';

/** In what a mistaken variable holds; must never be shown. */
const SECRET = 'hunter2';

type Program = 'main.ts' | 'setup-database.ts';

describe('a mistake of whoever starts the local host', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();

  /** Runs all of them at once; each must say what is wrong in one line, with exit code 1, no stack and no secret. */
  const expectOneLineEach = async (
    mistakes: readonly (readonly [Program, string, Record<string, string>, RegExp])[],
  ): Promise<void> => {
    const ended = mistakes.map(([program, folder, variables]) => hosts.run(program, folder, variables));
    for (const [index, { code, stdout, stderr }] of (await Promise.all(ended)).entries()) {
      const lines = stderr.match(/\n/g)?.length;
      expect({ code, stdout, lines }, stderr).toEqual({ code: 1, stdout: '', lines: 1 });
      expect(stderr).toMatch(/^token-orchestrator: /);
      expect(stderr).toMatch(mistakes[index]?.[3] as RegExp);
      expect(stderr).not.toContain(SECRET);
    }
  };

  it('in the environment is answered in one line that names the variable', async () => {
    const folder = await hosts.makeFolder();
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const unreachable = { MONGODB_URI: `mongodb://app:${SECRET}@127.0.0.1:9/orchestrator` };
    const silent = /the database does not answer: check MONGODB_URI/;
    await expectOneLineEach([
      [
        'main.ts',
        await hosts.makeFolder(),
        { PORT: String(port) },
        new RegExp(`port ${port} is taken: .*set PORT to a free one`),
      ],
      ['main.ts', folder, { HOST: '203.0.113.1' }, /203\.0\.113\.1 is not an address of this machine: check/],
      [
        'main.ts',
        folder,
        { MONGODB_URI: `mongodb://app:x@${SECRET}@db/x` },
        /MONGODB_URI cannot be used: check .* percent-encoded/,
      ],
      [
        'main.ts',
        folder,
        { MONGODB_URI: `mongodb://app:${SECRET}@db/x?nonsense=1` },
        /MONGODB_URI cannot be used: option nonsense is not supported/,
      ],
      ['main.ts', folder, { SQLITE_PATH: '/dev/null/x.db' }, /cannot use \/dev\/null/],
      ['main.ts', folder, unreachable, silent],
      ['setup-database.ts', folder, unreachable, silent],
      ['setup-database.ts', folder, {}, /MONGODB_URI .* set it to the database/],
    ]);
    other.close();
  });

  it('in .data, the database or .env is answered in one line that names the file', async () => {
    const folders = await Promise.all(Array.from({ length: 6 }, () => hosts.makeFolder()));
    const [dataIsFile, databaseIsFolder, databaseIsText, credentialIsFolder, badEnvFile, envIsFolder] =
      folders as [string, string, string, string, string, string];
    await writeFile(join(dataIsFile, '.data'), '');
    await mkdir(join(databaseIsFolder, '.data/orchestrator.db'), { recursive: true });
    await mkdir(join(databaseIsText, '.data'));
    await writeFile(join(databaseIsText, '.data/orchestrator.db'), 'not a database '.repeat(1000));
    await mkdir(join(credentialIsFolder, '.data/admin-credential'), { recursive: true });
    await writeFile(join(badEnvFile, '.env'), `PORT=x\nBOOTSTRAP_CREDENTIAL=${SECRET}\n`);
    await mkdir(join(envIsFolder, '.env'));
    const free = { PORT: '0' };
    await expectOneLineEach([
      ['main.ts', dataIsFile, free, /\.data/],
      ['main.ts', databaseIsFolder, free, /orchestrator\.db/],
      ['main.ts', databaseIsText, free, /orchestrator\.db cannot be used: .*check SQLITE_PATH/],
      ['main.ts', credentialIsFolder, free, /admin-credential/],
      ['main.ts', badEnvFile, {}, /PORT must be .*; BOOTSTRAP_CREDENTIAL .*\(environment or \.env\)/],
      ['main.ts', envIsFolder, free, /\.env/],
    ]);
  });
});

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useHost, useHostProcesses } from '../../support/host-process.ts';
import { endCliAfterEach, runCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const cli = (...parameters: string[]) => runCli(parameters, host.environment);

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

describe('TRACEPARENT', () => {
  const hosts = useHostProcesses();

  test('is passed on with every request, and its trace is in the log of the service', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const logging = await hosts.startHost(await hosts.makeFolder(), { LOG_LEVEL: 'INFO' });
    const environment = { ...logging.environment, TRACEPARENT: `00-${traceId}-00f067aa0ba902b7-01` };
    const run = ['run', '--pool', 'default', '--wait', '0s', '--', 'true'];
    expect(await runCli(run, environment)).toMatchObject({ code: 75 });
    await logging.program.printed(new RegExp(`"traceId":"${traceId}".*"route":"POST /v1/leases"`));
  });
});

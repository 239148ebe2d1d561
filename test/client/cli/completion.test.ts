import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { endCliAfterEach, runCli } from '../support/run-cli.ts';

endCliAfterEach();

const printed: Record<string, string> = {};

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runCli(['completion', shell], {});
    expect(code).toBe(0);
    printed[shell] = stdout;
  }
});

test('each shell gets every command', () => {
  for (const script of Object.values(printed)) {
    for (const at of [
      '/run',
      '/keys/unblock',
      '/pools/show',
      '/leases/list',
      '/clients/revoke',
      '/whoami',
      '/events',
    ]) {
      expect(script).toContain(`'${at}'`);
    }
    expect(script).toContain('--lease-seconds');
  }
  expect(printed.zsh).toMatch(/^#compdef token-orchestrator\n/);
  expect(printed.fish).toMatch(/^complete -c token-orchestrator /m);
});

describe('bash completes', () => {
  const complete = (...words: string[]): string[] => {
    const script = `${printed.bash}
      COMP_WORDS=(token-orchestrator "$@"); COMP_CWORD=$#; _token_orchestrator; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.trim().split('\n');
  };

  test.each([
    [['ke'], ['keep-alive', 'keys']],
    [['keys', 'li'], ['list']],
    [['keys', 'list', '--pool', 'p', '--st'], ['--state']],
    [
      ['keys', 'list', '--state', ''],
      ['free', 'leased', 'cooling', 'paused'],
    ],
    [['pools', 'set', 'p', '--le'], ['--lease-seconds']],
    [['acquire', '--only', 'lease'], ['leaseId']],
    [['events', '--type', 'key.p'], ['key.paused']],
    [['completion', 'nothing-of-ours'], ['']],
  ])('%j', (words, expected) => {
    expect(complete(...words)).toEqual(expected);
  });
});

test('a shell that it does not know is a mistake of the command line', async () => {
  expect((await runCli(['completion', 'csh'], {})).code).toBe(2);
});

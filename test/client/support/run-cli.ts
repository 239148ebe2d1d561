import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, inject } from 'vitest';

/** The command line as it is installed. */
export function cliPath(): string {
  return join(inject('clientProject'), 'node_modules/token-orchestrator/dist/cli.js');
}

export interface CliResult {
  /** 128 and more: a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly process: ChildProcess;
  readonly result: Promise<CliResult>;
  /** What it has written to standard output so far. */
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

/** Starts the command line, in an environment that has nothing but what is given. */
export function startCli(
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly cwd?: string } = {},
): CliProcess {
  return watch(
    spawn(process.execPath, [cliPath(), ...parameters], {
      ...options,
      env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** The same on a terminal of its own, to which what is written to its standard input is typed. Linux only. */
export function startOnTerminal(
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
): CliProcess {
  const words = ['exec', process.execPath, cliPath(), ...parameters];
  const line = words.map((word) => (word === 'exec' ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
  return watch(
    spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  );
}

function watch(child: ChildProcess): CliProcess {
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const result = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code, signal, stdout, stderr } as CliResult;
  });
  return {
    process: child,
    result,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
  };
}

export function runCli(
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CliResult> {
  return startCli(parameters, env).result;
}

/** Call it in a file whose tests start the command line: none outlives its test. */
export function endCliAfterEach(): void {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });
}

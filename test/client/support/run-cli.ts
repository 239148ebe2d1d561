import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, inject, vi } from 'vitest';
import { nodeEnvironment } from '../../support/node-environment.ts';

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
      env: { ...nodeEnvironment(), HOME: '/nonexistent', ...env },
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
      env: { ...nodeEnvironment(), HOME: '/nonexistent', SHELL: '/bin/sh', ...env },
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

let turns: Promise<unknown> = Promise.resolve();
let runs = 0;

/**
 * Carries out what is installed as the command line in this process, where a start of Node costs more than the command:
 * for what is not about signals, terminals or standard input. One at a time, since each has the process's arguments,
 * environment and output to itself.
 */
export function runCli(
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CliResult> {
  const turn = turns.then(() => carryOut(parameters, { ...nodeEnvironment(), HOME: '/nonexistent', ...env }));
  turns = turn.catch(() => undefined);
  return turn;
}

async function carryOut(parameters: readonly string[], env: Record<string, string>): Promise<CliResult> {
  const own = { argv: process.argv, env: { ...process.env }, exitCode: process.exitCode };
  const written = { stdout: '', stderr: '' };
  const outputs = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += text;
      return true;
    }),
  );
  setEnvironment(env);
  process.argv = [process.execPath, cliPath(), ...parameters];
  process.exitCode = undefined;
  try {
    // The program is over when its module is loaded.
    await import(/* @vite-ignore */ `${pathToFileURL(cliPath())}?run=${++runs}`);
    return { code: Number(process.exitCode ?? 0), signal: null, ...written };
  } finally {
    for (const output of outputs) output.mockRestore();
    process.stdout.removeAllListeners('error');
    process.argv = own.argv;
    process.exitCode = own.exitCode;
    setEnvironment(own.env);
  }
}

/** In place, since `os.homedir()` looks at the real one. */
function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}

/** Call it in a file whose tests start the command line: none outlives its test. */
export function endCliAfterEach(): void {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { CliError, exitCodes, SIGNAL_BASE } from '../cli-error.ts';

/** How often to check whether a process group has ended, in milliseconds. */
const LOOK_EVERY_MS = 25;

/**
 * Waits for a line before it becomes the command, so that everything is ready when the command starts. Ends when we are
 * killed before that.
 */
const GATE = 'read -r _ <&3 || exit; exec 3<&-; exec "$@"';

/** A command, with all that it starts. */
export interface ChildCommand {
  /** Its exit code; 128 and the signal's number where a signal ended it. Rejects when it cannot be started. */
  readonly exitCode: Promise<number>;
  /** Whether it has a process group of its own; false where it shares the terminal, which signals it then. */
  readonly ownGroup: boolean;
  /** What `kill` takes to reach all of it. */
  readonly target: number | undefined;
  /** Lets it begin. */
  begin(): void;
  /** Passes a signal on. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL to what is left `graceMs` milliseconds later. Resolves when all of it has ended. */
  end(graceMs: number): Promise<void>;
}

/**
 * Makes a command ready in a process group of its own, so that a signal also reaches what the command starts. On a
 * terminal it stays in ours: a new group may not read from the terminal, and a prompt for a password would fail.
 */
export function prepareCommand(command: readonly string[], env: NodeJS.ProcessEnv): ChildCommand {
  const [file = '', ...parameters] = command;
  const ownGroup = process.platform !== 'win32' && !process.stdin.isTTY;
  const child =
    process.platform === 'win32'
      ? spawn(file, parameters, { stdio: 'inherit', env })
      : spawn('/bin/sh', ['-c', GATE, 'sh', ...command], {
          stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
          env,
          detached: ownGroup,
        });
  const gate = child.stdio[3] as Writable | undefined;
  // It was ended before it began.
  gate?.on('error', () => undefined);
  const target = child.pid === undefined || !ownGroup ? child.pid : -child.pid;
  const exitCode = exitOf(child, file);
  let exited = false;
  const exit = exitCode.then(
    () => {
      exited = true;
    },
    () => {
      exited = true;
    },
  );

  const isRunning = (): boolean => {
    if (child.pid === undefined) return false;
    return exited ? ownGroup && hasRunningMember(child.pid) : true;
  };

  const send = (name: NodeJS.Signals): void => {
    // A process group keeps its number as long as it has members. The number of an ended process may be in use again.
    if (target === undefined || (exited && !ownGroup)) return;
    try {
      process.kill(target, name);
    } catch {
      // It has ended by itself.
    }
  };

  return {
    exitCode,
    ownGroup,
    target,
    begin: () => void gate?.end('begin\n'),
    signal: send,
    end: async (graceMs) => {
      const deadline = performance.now() + graceMs;
      if (graceMs > 0) send('SIGTERM');
      while (isRunning() && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_EVERY_MS, graceMs)));
      }
      if (isRunning()) send('SIGKILL');
      await exit;
    },
  };
}

function exitOf(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new CliError(`${file}: command not found`, exitCodes.notFound, { cause: error })
          : new CliError(`${file} cannot be executed: ${error.message}`, exitCodes.notExecutable, {
              cause: error,
            }),
      );
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** State and process group, behind the name, which may have anything in it but is the last in parentheses. */
const STAT = /^.*\) (\w) -?\d+ (\d+) /s;

/**
 * Whether a process group has a member that still runs. Where nobody collects the exit codes of orphans (PID 1 of many
 * containers does not), the dead stay in their group as zombies, and signal 0 succeeds for ever.
 */
function hasRunningMember(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || readdirSync('/proc').some((entry) => runsIn(entry, group));
}

function runsIn(entry: string, group: number): boolean {
  if (!/^\d+$/.test(entry)) return false;
  try {
    const [, state = '', itsGroup] = STAT.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
    return Number(itsGroup) === group && !'ZX'.includes(state);
  } catch {
    return false;
  }
}

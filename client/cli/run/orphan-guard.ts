import { spawn } from 'node:child_process';

/**
 * First it reads whom to end, and by when (in whole seconds of the wall clock, which every shell can read). Then it
 * reads until our end of the pipe closes: `done` means that all is well, a number is a new deadline, and the end without
 * `done` that we were killed. $1: the grace in seconds, $2: the same rounded up. One second less, since both ends of the
 * difference are rounded down.
 */
const SCRIPT = `
read -r target deadline || exit
while read -r line; do
  [ "$line" = done ] && exit
  deadline=$line
done
kill -TERM "$target"
left=$((deadline - $(date +%s) - 1))
if [ "$left" -ge "$2" ]; then sleep "$1"; elif [ "$left" -gt 0 ]; then sleep "$left"; fi
kill -KILL "$target"`;

export interface OrphanGuard {
  /** Whom to end (a process, or the negative number of a process group), and when the lease can lapse. */
  watch(target: number, remainingMs: number): void;
  /** The lease was kept alive. */
  extend(remainingMs: number): void;
  dismiss(): void;
}

/**
 * Ends a command whose `token-orchestrator run` was killed with SIGKILL: nobody would keep its lease alive, and the
 * next holder of the key would meet it. A shell that waits on a pipe, since the dead can do nothing themselves; a
 * second Node process would cost 40 MB for each command.
 */
export function startOrphanGuard(graceMs: number): OrphanGuard {
  if (process.platform === 'win32') {
    return { watch: () => undefined, extend: () => undefined, dismiss: () => undefined };
  }
  const graceSeconds = graceMs / 1000;
  const parameters = ['-c', SCRIPT, 'sh', String(graceSeconds), String(Math.ceil(graceSeconds))];
  const guard = spawn('/bin/sh', parameters, {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: process.env.PATH },
  });
  // Without it the command runs as well, only unguarded.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  const deadline = (remainingMs: number): number => Math.floor((Date.now() + remainingMs) / 1000);
  return {
    watch: (target, remainingMs) => void guard.stdin.write(`${target} ${deadline(remainingMs)}\n`),
    extend: (remainingMs) => void guard.stdin.write(`${deadline(remainingMs)}\n`),
    dismiss: () => void guard.stdin.end('done\n'),
  };
}

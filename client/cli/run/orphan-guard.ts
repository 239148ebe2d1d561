import { spawn } from 'node:child_process';

/**
 * The first line names the process to end and the deadline, in whole seconds of the wall clock, which every shell can
 * read. Each further line is a new deadline, or `done`. The end of the input without `done` means that we were killed.
 * $1 is the grace in seconds, $2 the same rounded up. One second is taken off because both times are rounded down.
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
  /** What to end (a process, or the negative number of a process group), and how long the lease lasts. */
  watch(target: number, remainingMs: number): void;
  /** The lease was kept alive. */
  extend(remainingMs: number): void;
  dismiss(): void;
}

/**
 * Ends the command when `token-orchestrator run` is killed with SIGKILL: nobody keeps the lease alive any more, and the
 * command must not run on beside the key's next holder. It is a shell that waits on a pipe; a second Node process would
 * cost 40 MB for each command.
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
  // The command runs without a guard then.
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

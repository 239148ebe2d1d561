import { spawn } from 'node:child_process';

/**
 * First it reads whom to end. Then it reads until our end of the pipe closes: another line means that all is well;
 * none, that we were killed.
 */
const SCRIPT =
  'read -r target || exit; read -r _ && exit; kill -TERM "$target"; sleep "$1"; kill -KILL "$target"';

export interface OrphanGuard {
  /** Whom to end: a process, or the negative number of a process group. */
  watch(target: number): void;
  dismiss(): void;
}

/**
 * Ends a command whose `token-orchestrator run` was killed with SIGKILL: nobody would keep its lease alive, and the
 * next holder of the key would meet it. A shell that waits on a pipe, since the dead can do nothing themselves; a
 * second Node process would cost 40 MB for each command.
 */
export function startOrphanGuard(graceMs: number): OrphanGuard {
  if (process.platform === 'win32') return { watch: () => undefined, dismiss: () => undefined };
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(graceMs / 1000)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: process.env.PATH },
  });
  // Without it the command runs as well, only unguarded.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return {
    watch: (target) => void guard.stdin.write(`${target}\n`),
    dismiss: () => void guard.stdin.end('done\n'),
  };
}

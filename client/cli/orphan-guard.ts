import { spawn } from 'node:child_process';

/** Reads until our end of the pipe closes. A line means that all is well; none, that we were killed. */
const SCRIPT = 'read -r _ && exit; kill -TERM "$1"; sleep "$2"; kill -KILL "$1"';

/**
 * Ends a command whose `token-orchestrator run` was killed with SIGKILL: nobody would keep its lease alive, and the
 * next holder of the key would meet it. A shell that waits on a pipe, since the dead can do nothing themselves; a
 * second Node process would cost 40 MB for each command.
 * @returns what calls the guard off
 */
export function guardAgainstOrphan(target: number | undefined, graceMs: number): () => void {
  if (target === undefined || process.platform === 'win32') return () => undefined;
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(target), String(graceMs / 1000)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  // Without a shell the command runs as well, only unguarded.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  return () => {
    guard.stdin.end('done\n');
    guard.unref();
  };
}

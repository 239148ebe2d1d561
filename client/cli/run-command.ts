import { constants } from 'node:os';
import type { OrchestratorClient } from '../sdk/create-client.ts';
import type { OrchestratorError } from '../sdk/errors.ts';
import type { HeldLease } from '../sdk/with-lease.ts';
import { type ChildCommand, prepareCommand } from './child-command.ts';
import { SIGNAL_BASE } from './exit-codes.ts';
import { startOrphanGuard } from './orphan-guard.ts';

export interface RunRequest {
  readonly command: readonly string[];
  readonly pool?: string | undefined;
  readonly leaseSeconds?: number | undefined;
  readonly holder?: string | undefined;
  readonly waitMs: number;
  /** Between SIGTERM and SIGKILL, in milliseconds; less where the lease ends sooner. */
  readonly graceMs: number;
  readonly onReleaseFailed: (error: OrchestratorError) => void;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;
/** What a terminal sends to everybody on it, us and the command. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT'];

/** Of the time to the deadline the command gets this share to end by itself. */
const GRACE_SHARE = 0.75;

/** A signal came before the command was started. */
class SignalledError extends Error {
  readonly exitCode: number;

  constructor(name: NodeJS.Signals) {
    super(`Ended by ${name}`);
    this.exitCode = SIGNAL_BASE + constants.signals[name];
  }
}

/**
 * Runs a command that holds a key. What is left of the command is ended before the lease can lapse, so that the key's
 * next holder never meets it.
 * @returns the command's exit code
 * @throws LeaseEndedError or LeaseLostError when the lease was lost, and the command ended; what acquiring throws
 */
export async function runCommand(client: OrchestratorClient, request: RunRequest): Promise<number> {
  const { command, waitMs, graceMs, onReleaseFailed, ...wanted } = request;
  const waiting = new AbortController();
  let running: { readonly child: ChildCommand; readonly lease: HeldLease } | undefined;

  const onSignal = (name: NodeJS.Signals): void => {
    if (running === undefined) waiting.abort(new SignalledError(name));
    else if (running.child.ownGroup || !FROM_TERMINAL.includes(name)) running.child.signal(name);
  };
  // Ctrl-Z stops us, and with us the keep-alives: the command must not go on alone.
  const onStop = (): void => {
    if (running?.child.ownGroup) running.child.signal('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  const onContinue = (): void => {
    if (running?.child.ownGroup)
      running.child.signal(running.lease.remainingMs() > 0 ? 'SIGCONT' : 'SIGKILL');
  };
  const handlers = [
    ...FORWARDED.map((name) => [name, onSignal] as const),
    ...(process.platform === 'win32'
      ? []
      : ([
          ['SIGTSTP', onStop],
          ['SIGCONT', onContinue],
        ] as const)),
  ];
  for (const [name, handler] of handlers) process.on(name, handler);

  const options = { ...wanted, waitMs, signal: waiting.signal, safetyMarginMs: graceMs / GRACE_SHARE };
  try {
    return await client.withLease({ ...options, onReleaseFailed }, async (lease, signal) => {
      signal.throwIfAborted();
      // At any moment at least the safety margin is left, which is never more than a third of the lease.
      const leastMs = Math.min(graceMs, lease.keepAliveEveryMs * GRACE_SHARE);
      const guard = startOrphanGuard(leastMs);
      try {
        const child = prepareCommand(command, environmentOf(lease));
        running = { child, lease };
        if (child.target !== undefined) guard.watch(child.target);
        child.begin();
        return await superviseCommand(child, lease, signal, graceMs);
      } finally {
        guard.dismiss();
      }
    });
  } catch (error) {
    if (error instanceof SignalledError) return error.exitCode;
    throw error;
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler);
  }
}

/** Waits for the command, or ends it when the lease is lost; either way nothing of it is left. */
async function superviseCommand(
  child: ChildCommand,
  lease: HeldLease,
  signal: AbortSignal,
  graceMs: number,
): Promise<number> {
  const end = (): Promise<void> => child.end(Math.min(graceMs, lease.remainingMs() * GRACE_SHARE));
  let ending: Promise<void> | undefined;
  const onAbort = (): void => {
    ending ??= end();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await child.exitCode;
  } finally {
    // What the command left running in its group would use the key after its release.
    await (ending ?? end());
    signal.removeEventListener('abort', onAbort);
  }
}

function environmentOf(lease: HeldLease): NodeJS.ProcessEnv {
  return {
    ...process.env,
    TOKEN_ORCHESTRATOR_KEY: lease.keyId,
    TOKEN_ORCHESTRATOR_VALUE: lease.value,
    TOKEN_ORCHESTRATOR_FENCING_TOKEN: String(lease.fencingToken),
  };
}

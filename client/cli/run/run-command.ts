import { constants } from 'node:os';
import type { AcquireOptions } from '../../sdk/acquire-lease.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import type { OrchestratorError } from '../../sdk/errors.ts';
import type { HeldLease } from '../../sdk/held-lease.ts';
import { SIGNAL_BASE } from '../cli-error.ts';
import { type ChildCommand, prepareCommand } from './child-command.ts';
import { type OrphanGuard, startOrphanGuard } from './orphan-guard.ts';
import { callTerminalWitness, type TerminalWitness } from './terminal-witness.ts';

export interface RunRequest {
  readonly command: readonly string[];
  readonly acquire: AcquireOptions;
  /** Between SIGTERM and SIGKILL, in milliseconds; less where the lease ends sooner. */
  readonly graceMs: number;
  readonly onReleaseFailed: (error: OrchestratorError) => void;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;
/** What a terminal sends to us and the command alike. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT'];

/** The share of the time to the deadline that the command gets to end by itself. */
const GRACE_SHARE = 0.75;

/** A signal came before the command was started, or after it had ended. */
class SignalledError extends Error {
  readonly exitCode: number;

  constructor(name: NodeJS.Signals) {
    super(`Ended by ${name}`);
    this.exitCode = SIGNAL_BASE + constants.signals[name];
  }
}

interface Running {
  readonly lease: HeldLease;
  readonly child: ChildCommand;
  readonly guard: OrphanGuard;
  /** Where the command shares our terminal. */
  readonly witness: TerminalWitness | undefined;
}

/**
 * Runs a command that holds a key. What is left of the command is ended before the lease can lapse, so that the key's
 * next holder never meets it.
 * @returns the command's exit code
 * @throws LeaseEndedError or LeaseLostError when the lease was lost, and the command ended; what acquiring throws
 */
export async function runCommand(client: OrchestratorClient, request: RunRequest): Promise<number> {
  const { command, acquire, graceMs, onReleaseFailed } = request;
  const around = new AbortController();
  let running: Running | undefined;

  const stopListening = listen({
    onSignal: (name) => {
      // Ends the waiting for a key, or the release of one that hangs.
      if (running === undefined) around.abort(new SignalledError(name));
      else void passOn(running, name);
    },
    // Ctrl-Z stops us, and with us the keep-alives: the command must not go on alone.
    onStop: () => {
      if (running?.child.ownGroup) running.child.signal('SIGSTOP');
      process.kill(process.pid, 'SIGSTOP');
    },
    onContinue: () => {
      if (running?.child.ownGroup) running.child.signal(running.lease.graceMs() > 0 ? 'SIGCONT' : 'SIGKILL');
    },
  });

  const options = {
    ...acquire,
    signal: around.signal,
    safetyMarginMs: graceMs / GRACE_SHARE,
    onKeptAlive: () => running?.guard.extend(running.lease.remainingMs()),
    onReleaseFailed,
  };
  try {
    return await client.withLease(options, async (lease, signal) => {
      signal.throwIfAborted();
      const guard = startOrphanGuard(graceMs);
      try {
        const child = prepareCommand(command, environmentOf(lease));
        running = { lease, child, guard, witness: child.ownGroup ? undefined : callTerminalWitness() };
        if (child.target !== undefined) guard.watch(child.target, lease.remainingMs());
        child.begin();
        return await superviseCommand(child, lease, signal, graceMs);
      } finally {
        guard.dismiss();
        running?.witness?.dismiss();
        running = undefined;
      }
    });
  } catch (error) {
    if (error instanceof SignalledError) return error.exitCode;
    throw error;
  } finally {
    stopListening();
  }
}

async function passOn({ child, witness }: Running, name: NodeJS.Signals): Promise<void> {
  if (witness !== undefined && FROM_TERMINAL.includes(name) && (await witness.sawSignal())) return;
  child.signal(name);
}

/** @returns what ends the listening */
function listen(on: {
  readonly onSignal: (name: NodeJS.Signals) => void;
  readonly onStop: () => void;
  readonly onContinue: () => void;
}): () => void {
  const handlers: (readonly [NodeJS.Signals, (name: NodeJS.Signals) => void])[] = FORWARDED.map(
    (name) => [name, on.onSignal] as const,
  );
  // Windows has none of these.
  if (process.platform !== 'win32') handlers.push(['SIGTSTP', on.onStop], ['SIGCONT', on.onContinue]);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** Waits for the command, or ends it when the lease is lost; either way nothing of it is left. */
async function superviseCommand(
  child: ChildCommand,
  lease: HeldLease,
  signal: AbortSignal,
  graceMs: number,
): Promise<number> {
  const end = (): Promise<void> => child.end(Math.min(graceMs, lease.graceMs() * GRACE_SHARE));
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

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** Writes a line for each signal that reaches our process group, until our end of the pipe closes. */
const SCRIPT = `trap echo INT QUIT; cat <&3 & while kill -0 $! 2>/dev/null; do wait $!; done`;

/** How long we wait for the witness to report a signal that we got, in milliseconds. */
const TESTIMONY_MS = 500;

export interface TerminalWitness {
  /** Whether a signal that reached us just now went to our whole process group, as the terminal sends it. */
  sawSignal(): Promise<boolean>;
  dismiss(): void;
}

/**
 * On a terminal the command shares our process group, so Ctrl-C reaches both. Passed on, it would arrive twice, and many
 * programs stop at once at the second one. A `kill -INT` of us alone must be passed on. Node does not say who sent a
 * signal; but of the two, only Ctrl-C reaches a shell that runs beside us.
 */
export function callTerminalWitness(): TerminalWitness {
  const witness = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  witness.on('error', () => undefined);
  const testimonies: number[] = [];
  witness.stdout?.on('data', () => void testimonies.push(performance.now()));
  witness.unref();
  (witness.stdout as Readable & { unref?(): void }).unref?.();
  return {
    sawSignal: async () => {
      const since = performance.now() - TESTIMONY_MS;
      await pause(TESTIMONY_MS);
      const fitting = testimonies.findIndex((at) => at >= since);
      // Each stands for one signal: the next one needs its own.
      testimonies.splice(0, fitting + 1);
      return fitting >= 0;
    },
    dismiss: () => void witness.stdio[3]?.destroy(),
  };
}

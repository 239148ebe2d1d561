import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const JAR = fileURLToPath(new URL('../support/mongo-stand-in/target/mongo-stand-in.jar', import.meta.url));

export const isStandInBuilt = existsSync(JAR);

if (!isStandInBuilt) {
  const line =
    'Tests that stop a MongoDB are skipped: build test/support/mongo-stand-in with Maven to run them.';
  if (!['', '0', 'false'].includes(process.env.CI ?? '')) throw new Error(line);
  process.stderr.write(`${line}\n`);
}

/** A virtual machine that lives for a second needs neither its best compiler nor a collector with threads of its own. */
const STARTS_SOON = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** A MongoDB that a test may stop: the stand-in, in a process of its own. */
export interface StandIn {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startStandIn(port = 0): Promise<StandIn> {
  const child = spawn('java', [...STARTS_SOON, '-jar', JAR, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [uri] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The stand-in ended with ${code}`))),
  ]);
  return { port: Number(new URL(uri).port), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

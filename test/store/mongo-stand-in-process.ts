import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
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

/** A MongoDB that a test may stop: the stand-in, in a process of its own. */
export interface StandIn {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startStandIn(port = 0): Promise<StandIn> {
  const child = spawn('java', ['-jar', JAR, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
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

/** A way to the server that can be cut without either end noticing. */
export interface Wire {
  readonly port: number;
  /** Nothing passes any more, on old connections and new ones. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function layWire(to: number): Promise<Wire> {
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectSocket(to, '127.0.0.1');
    for (const [from, onward] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => isCut || onward.write(data));
      from.on('close', () => onward.destroy());
      from.on('error', () => onward.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return {
    port: address.port,
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

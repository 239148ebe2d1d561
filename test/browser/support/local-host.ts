import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The local host as a process of its own, on a database and a port of its own. */
export interface LocalHost {
  readonly url: string;
  /** An admin's. */
  readonly credential: string;
  /** The link that signs in. */
  readonly signInLink: string;
  /** Ends the process; the database stays. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and database. */
  start(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
  /** Calls the API as the admin, or as whoever the credential names. @throws when the answer is no success */
  call<Body>(method: string, path: string, body?: unknown, credential?: string): Promise<Body>;
}

export async function startLocalHost(): Promise<LocalHost> {
  const folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-browser-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const credential = `admin.${'browsertest'.repeat(4)}`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'infra/local/main.ts'], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        SQLITE_PATH: join(folder, 'orchestrator.db'),
        BOOTSTRAP_CREDENTIAL: credential,
        MONGODB_URI: '',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await untilListening(child);
  };
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    // A browser keeps connections open; the second signal ends the process at once.
    const impatience = setTimeout(() => child?.kill('SIGTERM'), 500);
    await exited;
    clearTimeout(impatience);
  };

  await start();
  return {
    url,
    credential,
    signInLink: `${url}/#credential=${credential}`,
    start,
    stop,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
    call: async (method, path, body, as = credential) => {
      const response = await fetch(`${url}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${as}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
  };
}

async function untilListening(child: ChildProcess): Promise<void> {
  let printed = '';
  for await (const chunk of child.stdout ?? []) {
    printed += chunk;
    if (printed.includes('listens on')) {
      child.stdout?.resume();
      return;
    }
  }
  throw new Error(`The local host ended before it listened: ${printed}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

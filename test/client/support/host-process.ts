import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { createClient, type OrchestratorClient } from '../../../client/sdk/create-client.ts';

const MAIN = fileURLToPath(new URL('../../../infra/local/main.ts', import.meta.url));

/** The real local host, as a process of its own, on SQLite in a folder of its own. */
export class HostProcess {
  /** `<clientId>.<secret>` of an admin. */
  readonly credential = `client_test.${randomBytes(32).toString('base64url')}`;
  readonly folder: string;
  port = 0;
  #process: ChildProcess | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<HostProcess> {
    const host = new HostProcess(await mkdtemp(join(tmpdir(), 'token-orchestrator-')));
    await host.start();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What a client needs to know. */
  get environment(): Record<string, string> {
    return { TOKEN_ORCHESTRATOR_URL: this.url, TOKEN_ORCHESTRATOR_CREDENTIAL: this.credential };
  }

  client(url = this.url): OrchestratorClient {
    return createClient({ url, credential: this.credential });
  }

  /** Starts it, or starts it again on the port that it had. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        PORT: String(this.port),
        BOOTSTRAP_CREDENTIAL: this.credential,
        LOG_LEVEL: 'ERROR',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    for await (const chunk of child.stdout) {
      const [, port] = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(String(chunk)) ?? [];
      if (port === undefined) continue;
      this.port = Number(port);
      break;
    }
    if (this.port === 0) throw new Error('The local host did not start');
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One local host for the tests of a file. */
export function useHost(): HostProcess {
  let host: HostProcess | undefined;
  beforeAll(async () => {
    host = await HostProcess.create();
  });
  afterAll(() => host?.dispose());
  return new Proxy({} as HostProcess, {
    get: (_, name) => {
      const value: unknown = Reflect.get(host as HostProcess, name, host);
      return typeof value === 'function' ? value.bind(host) : value;
    },
  });
}

/** Looks until it holds. Only for what other processes do in their own time. */
export async function eventually<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

let pools = 0;

/** A pool of its own for one test. */
export async function makePool(
  client: OrchestratorClient,
  options: { readonly leaseSeconds?: number; readonly keys?: number } = {},
): Promise<string> {
  const { leaseSeconds = 60, keys = 1 } = options;
  const pool = `pool-${process.pid}-${++pools}`;
  await client.pools.put(pool, { leaseSeconds, keyTtlSeconds: null });
  if (keys > 0) await client.keys.create({ pool, count: keys });
  return pool;
}

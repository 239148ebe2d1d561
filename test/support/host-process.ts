import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createClient, type OrchestratorClient } from '../../client/sdk/create-client.ts';
import { nodeEnvironment } from './node-environment.ts';

const PROGRAMS = fileURLToPath(new URL('../../infra/local/', import.meta.url));

/** How a program ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of `infra/local` in a process of its own, with nothing of this process's environment but the path. */
class LocalProgram {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(file: string, folder: string, environment: Record<string, string>, options: string[] = []) {
    const started = ['--disable-warning=ExperimentalWarning', join(PROGRAMS, file), ...options];
    this.#child = spawn(process.execPath, started, {
      cwd: folder,
      env: { ...nodeEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.stdout += data.toString();
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The match, as soon as the program has printed it. @throws when it ends before */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      const more = once(this.#child.stdout as NodeJS.ReadableStream, 'data');
      const ended = this.ended.then(({ code, stderr }) => {
        throw new Error(`The program ended with ${code} and never printed ${pattern}: ${stderr}`);
      });
      await Promise.race([more, ended]);
    }
  }
}

export interface HostCall {
  body?: unknown;
  /** The host's admin unless told. */
  credential?: string;
  headers?: Record<string, string>;
}

export interface HostAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** The local host in a process and a folder of its own, on SQLite and a port that is free. */
export class HostProcess {
  readonly folder: string;
  program!: LocalProgram;
  port = 0;
  /** The admin's that it was given, or that it printed; empty when it printed none. */
  credential: string;
  readonly #environment: Record<string, string>;

  constructor(folder: string, environment: Record<string, string>) {
    this.folder = folder;
    this.#environment = environment;
    this.credential = environment.BOOTSTRAP_CREDENTIAL ?? '';
  }

  /** A running one, with an admin's credential that is known. */
  static async create(): Promise<HostProcess> {
    const BOOTSTRAP_CREDENTIAL = `client_test.${randomBytes(32).toString('base64url')}`;
    const host = new HostProcess(await makeFolder(), { BOOTSTRAP_CREDENTIAL, LOG_LEVEL: 'ERROR' });
    await host.start();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the command line needs to know. */
  get environment(): Record<string, string> {
    return { TOKEN_ORCHESTRATOR_URL: this.url, TOKEN_ORCHESTRATOR_CREDENTIAL: this.credential };
  }

  client(url = this.url): OrchestratorClient {
    return createClient({ url, credential: this.credential });
  }

  /** Starts it, or starts it again on the port that it had. */
  async start(): Promise<void> {
    this.program = new LocalProgram('main.ts', this.folder, {
      ...this.#environment,
      PORT: String(this.port),
    });
    const [, port] = await this.program.printed(/listens on http:\/\/\S+:(\d+)\n.*POST \S+leases/s);
    this.port = Number(port);
    this.credential ||= /Credential {2}([\w-]+\.[\w-]+)/.exec(this.program.stdout)?.[1] ?? '';
  }

  /** As `kill -9`; the database stays. */
  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.ended;
  }

  /** Ends it for good: as one ends that keeps what Node has compiled for it. */
  async remove(): Promise<void> {
    this.program.kill('SIGTERM');
    await this.program.ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  async call<Body>(method: string, path: string, options: HostCall = {}): Promise<HostAnswer<Body>> {
    const { body, credential = this.credential, headers } = options;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }
}

/** One local host for the tests of a file. */
export function useHost(): HostProcess {
  let host: HostProcess | undefined;
  beforeAll(async () => {
    host = await HostProcess.create();
  });
  afterAll(() => host?.remove());
  return new Proxy({} as HostProcess, {
    get: (_, name) => {
      const value: unknown = Reflect.get(host as HostProcess, name, host);
      return typeof value === 'function' ? value.bind(host) : value;
    },
  });
}

/** Programs of the local host, each in a folder that is removed after the test, as is whatever still runs. */
export function useHostProcesses() {
  const folders: string[] = [];
  const programs: LocalProgram[] = [];

  afterEach(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.splice(0).map((program) => program.ended));
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  return {
    async makeFolder(): Promise<string> {
      const folder = await makeFolder();
      folders.push(folder);
      return folder;
    },

    async startHost(folder: string, environment: Record<string, string> = {}): Promise<HostProcess> {
      const host = new HostProcess(folder, environment);
      const started = host.start();
      programs.push(host.program);
      await started;
      return host;
    },

    /** Runs a program to its end. */
    run(
      file: 'main.ts' | 'setup-database.ts',
      folder: string,
      environment: Record<string, string> = {},
      ...options: string[]
    ) {
      const program = new LocalProgram(file, folder, environment, options);
      programs.push(program);
      return program.ended;
    },
  };
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'token-orchestrator-'));
}

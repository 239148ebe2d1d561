import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

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

  constructor(file: string, folder: string, environment: Record<string, string>) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(PROGRAMS, file)], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...environment },
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

/** A running local host. */
export interface HostProcess {
  readonly program: LocalProgram;
  readonly url: string;
  readonly port: number;
  /** The one it printed; undefined when it printed none. */
  readonly credential: string | undefined;
  /** A request with a credential, the printed one unless told. */
  call<Body>(method: string, path: string, options?: HostCall): Promise<HostAnswer<Body>>;
}

export interface HostCall {
  body?: unknown;
  credential?: string;
  headers?: Record<string, string>;
}

export interface HostAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
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

  const makeFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-'));
    folders.push(folder);
    return folder;
  };

  const spawnProgram = (file: string, folder: string, environment: Record<string, string>): LocalProgram => {
    const program = new LocalProgram(file, folder, environment);
    programs.push(program);
    return program;
  };

  return {
    makeFolder,

    /** Starts the host in this folder, on a port that is free. */
    async startHost(folder: string, environment: Record<string, string> = {}): Promise<HostProcess> {
      const program = spawnProgram('main.ts', folder, { PORT: '0', ...environment });
      const [, url, port] = (await program.printed(
        /listens on (http:\/\/\S+:(\d+))\n.*POST \S+leases/s,
      )) as string[];
      const credential = /Credential {2}([\w-]+\.[\w-]+)/.exec(program.stdout)?.[1];
      return {
        program,
        url: url as string,
        port: Number(port),
        credential,
        call: (method, path, options = {}) =>
          call(`${url}${path}`, method, { credential: credential ?? '', ...options }),
      };
    },

    /** Runs a program to its end. */
    run(file: 'main.ts' | 'setup-database.ts', folder: string, environment: Record<string, string> = {}) {
      return spawnProgram(file, folder, environment).ended;
    },
  };
}

async function call<Body>(url: string, method: string, options: HostCall): Promise<HostAnswer<Body>> {
  const { body, credential, headers } = options;
  const response = await fetch(url, {
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

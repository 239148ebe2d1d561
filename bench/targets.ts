import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scene } from './fill.ts';

// What is measured, each in a process of its own on the loopback address, with its files in a temporary folder.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PEERS = fileURLToPath(new URL('peers/', import.meta.url));
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];

export type TargetName = 'now' | 'before' | 'echo' | 'redis' | 'postgres' | 'mongo' | 'express';

export const CREDENTIAL = `bench.${randomBytes(32).toString('base64url')}`;

export interface Running {
  readonly port: number;
  /** Of the process that serves HTTP, in milliseconds so far; undefined where the system does not tell. */
  cpuMs(): number | undefined;
  memoryBytes(): number;
  stop(): Promise<void>;
}

/** Everything that a run of the benchmark starts, and what it leaves until {@link Bench.close}. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'bench-'));
  readonly #before: string;
  readonly #mongodbUri: string | undefined;
  #running: Running | undefined;
  readonly #databases = new Map<string, { process: ChildProcess; environment: Record<string, string> }>();

  /** @param before the commit that `before` is */
  constructor(before: string, mongodbUri: string | undefined) {
    this.#mongodbUri = mongodbUri;
    this.#before = join(this.folder, 'before');
    execFileSync('git', ['worktree', 'add', '--detach', this.#before, before], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#before, 'node_modules'));
    chmodSync(this.folder, 0o755);
    if (!existsSync(join(PEERS, 'node_modules')))
      execFileSync('npm', ['ci'], { cwd: PEERS, stdio: 'inherit' });
  }

  async start(target: TargetName, scene: Scene): Promise<Running> {
    this.#running = await this.#start(target, scene);
    return this.#running;
  }

  async #start(target: TargetName, scene: Scene): Promise<Running> {
    const folder = mkdtempSync(join(this.folder, 'run-'));
    if (target === 'now' || target === 'before' || target === 'mongo')
      return this.#startHost(target, scene, folder);
    const environment: Record<string, string> = {
      KEYS: String(scene.keys),
      LEASED: String(scene.leased ?? 0),
      ...(target === 'express' && { MONGODB_URI: this.#databaseUri() }),
      ...(await this.#startDatabase(target)),
    };
    return serving([join(PEERS, `${target}.js`)], folder, environment);
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    for (const { process } of this.#databases.values()) {
      process.kill('SIGTERM');
      await once(process, 'exit');
    }
    execFileSync('git', ['worktree', 'remove', '--force', this.#before], { cwd: ROOT });
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startHost(target: 'now' | 'before' | 'mongo', scene: Scene, folder: string): Promise<Running> {
    const root = target === 'before' ? this.#before : ROOT;
    const SQLITE_PATH = join(folder, 'bench.db');
    let environment: Record<string, string> = { SQLITE_PATH };
    if (target === 'mongo') {
      environment = { MONGODB_URI: this.#databaseUri(), VALUE_ENCRYPTION_KEY: `bench:${'x'.repeat(32)}` };
      this.#fill(root, scene, environment);
    } else {
      copyFileSync(this.#filled(root, scene), SQLITE_PATH);
    }
    return serving([join(root, 'infra/local/main.ts')], folder, {
      ...environment,
      BOOTSTRAP_CREDENTIAL: CREDENTIAL,
      LOG_LEVEL: 'ERROR',
    });
  }

  /** A database of this scene to copy, made once. */
  #filled(root: string, scene: Scene): string {
    const name = `${root === ROOT ? 'now' : 'before'}-${JSON.stringify(scene).replaceAll(/\W+/g, '-')}.db`;
    const file = join(this.folder, name);
    if (!existsSync(file)) this.#fill(root, scene, { SQLITE_PATH: file });
    return file;
  }

  #fill(root: string, scene: Scene, environment: Record<string, string>): void {
    const script = fileURLToPath(new URL('fill.ts', import.meta.url));
    execFileSync(process.execPath, [...NODE_OPTIONS, script, root, JSON.stringify(scene)], {
      env: { PATH: process.env.PATH, SQLITE_SYNCHRONOUS: 'normal', ...environment },
      stdio: 'inherit',
    });
  }

  /** A new database each time. */
  #databaseUri(): string {
    const uri = new URL(this.#mongodbUri ?? '');
    uri.pathname = `/bench_${randomBytes(6).toString('hex')}`;
    return uri.href;
  }

  /** Starts Redis or PostgreSQL, once, in a folder of its own, each waiting for the disk at a commit as the service does. */
  async #startDatabase(target: TargetName): Promise<Record<string, string>> {
    if (target !== 'redis' && target !== 'postgres') return {};
    const running = this.#databases.get(target);
    if (running !== undefined) return running.environment;
    const folder = join(this.folder, target);
    mkdirSync(folder);
    const started = target === 'redis' ? startRedis(folder) : startPostgres(folder);
    this.#databases.set(target, started);
    const ready = () => existsSync(join(folder, target === 'redis' ? 'redis.sock' : '.s.PGSQL.5432'));
    while (!ready()) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return started.environment;
  }
}

function startRedis(folder: string) {
  const REDIS_SOCKET = join(folder, 'redis.sock');
  const options = {
    port: '0',
    unixsocket: REDIS_SOCKET,
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const process = spawn('redis-server', words, { stdio: 'ignore' });
  return { process, environment: { REDIS_SOCKET } };
}

function startPostgres(folder: string) {
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) execFileSync('chown', ['postgres', folder]);
  const programs = execFileSync('pg_config', ['--bindir']).toString().trim();
  const [user, ...words] = isRoot ? ['setpriv', '--reuid=postgres', '--clear-groups'] : ['env'];
  const data = join(folder, 'data');
  const options = { stdio: 'ignore', cwd: folder } as const;
  execFileSync(
    user as string,
    [...words, join(programs, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust'],
    options,
  );
  const settings = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${folder}`];
  const server = spawn(
    user as string,
    [...words, join(programs, 'postgres'), '-D', data, ...settings],
    options,
  );
  return { process: server, environment: { PGHOST: folder } };
}

async function serving(
  script: string[],
  folder: string,
  environment: Record<string, string>,
): Promise<Running> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, ...script], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      const match = /listens on http:\/\/\S+:(\d+)/.exec(printed);
      if (match !== null) resolve(Number(match[1]));
    });
  });
  const proc = (name: string) => {
    const file = `/proc/${child.pid}/${name}`;
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  return {
    port,
    cpuMs() {
      const fields = proc('stat')?.split(') ').at(-1)?.split(' ');
      return fields && (Number(fields[11]) + Number(fields[12])) * 10;
    },
    memoryBytes: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(proc('status') ?? '')?.[1]),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

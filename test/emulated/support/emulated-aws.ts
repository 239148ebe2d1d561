import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('../runtime/requirements.txt', import.meta.url));
const SERVER = fileURLToPath(new URL('moto-server.py', import.meta.url));
const ASKER = fileURLToPath(new URL('ask-aws.py', import.meta.url));

const ACCOUNT = {
  AWS_ACCESS_KEY_ID: 'emulated',
  AWS_SECRET_ACCESS_KEY: 'emulated',
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** A program in Python that says something line by line. */
class Teller {
  readonly lines: Interface;
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<never>;
  #errors = '';

  constructor(python: string, script: string, env: Record<string, string>) {
    this.process = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.process.stderr.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data).slice(-4000);
    });
    this.lines = createInterface(this.process.stdout);
    this.#ended = once(this.process, 'close').then(() => {
      throw new Error(`${script} ended: ${this.#errors}`);
    });
    this.#ended.catch(() => undefined);
  }

  /** The next line. @throws Error, where the program ends without it */
  async next(): Promise<string> {
    const [line] = await Promise.race([once(this.lines, 'line'), this.#ended]);
    return line;
  }

  async end(): Promise<void> {
    if (this.process.exitCode === null && this.process.kill()) await once(this.process, 'close');
  }
}

/** An AWS account on this machine: moto's server, and what a person at a terminal does with it. */
export class EmulatedAws {
  /** Made for this account, and gone with it. */
  readonly folder: string;
  /** What leads a program here and nowhere else. */
  readonly environment: Record<string, string>;
  readonly #server: Teller;
  readonly #asker: Teller;
  readonly #python: string;

  private constructor(python: string, folder: string, server: Teller, endpoint: string) {
    this.#python = python;
    this.folder = folder;
    this.#server = server;
    this.environment = { ...ACCOUNT, HOME: folder, PATH: process.env.PATH ?? '', AWS_ENDPOINT_URL: endpoint };
    this.#asker = new Teller(python, ASKER, this.environment);
  }

  static async start(): Promise<EmulatedAws> {
    const python = await makePython();
    const folder = await mkdtemp(join(tmpdir(), 'emulated-aws-'));
    // The SDK, which Lambda's runtime brings, in reach of the functions below the folder.
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(ROOT, 'node_modules/@aws-sdk'), join(folder, 'node_modules/@aws-sdk'));
    const server = new Teller(python, SERVER, { ...ACCOUNT, HOME: folder, TMPDIR: folder });
    const endpoint = await server.next();
    return new EmulatedAws(python, folder, server, endpoint);
  }

  /** Runs a command line in the repository. Resolves to all that it printed. @throws Error, where it fails */
  async run(command: string, variables: Record<string, string> = {}): Promise<string> {
    const [file = '', ...words] = command.split(' ');
    const env = { ...this.environment, CI: 'true', ...variables };
    const child = spawn(file, words, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [[code], ...printed] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ]);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${printed.join('\n')}`);
    return printed.join('\n');
  }

  /**
   * Asks AWS' API, as boto3 has it.
   * @param wanted what of the answer, all its pages together, in JMESPath
   */
  async ask<Answer>(
    service: string,
    operation: string,
    wanted: string,
    options: Record<string, unknown> = {},
  ): Promise<Answer> {
    this.#asker.process.stdin.write(`${JSON.stringify([service, operation, wanted, options])}\n`);
    return JSON.parse(await this.#asker.next()) as Answer;
  }

  /** Unpacks what was uploaded for a function. Resolves to its file. */
  async fetchCode(bucket: string, key: string): Promise<string> {
    const object = await fetch(`${this.environment.AWS_ENDPOINT_URL}/${bucket}/${key}`, {
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=emulated/20260101/eu-central-1/s3/aws4_request',
      },
    });
    if (!object.ok) throw new Error(`${key} is ${object.status}`);
    const archive = join(this.folder, key);
    const folder = archive.replace('.zip', '');
    await writeFile(archive, Buffer.from(await object.arrayBuffer()));
    await promisify(execFile)(this.#python, ['-m', 'zipfile', '-e', archive, folder]);
    return join(folder, 'index.mjs');
  }

  async stop(): Promise<void> {
    await this.#asker.end();
    await this.#server.end();
    await rm(this.folder, { recursive: true });
  }
}

/** An environment with moto, kept until its requirements change. */
async function makePython(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12);
  const folder = join(ROOT, 'node_modules/.cache', `moto-${hash}`);
  const python = join(folder, 'bin/python');
  if (existsSync(join(folder, 'complete'))) return python;
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(python, ['-m', 'pip', 'install', '-q', '--no-deps', '--no-compile', '-r', REQUIREMENTS]);
  await writeFile(join(folder, 'complete'), '');
  return python;
}

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import {
  bundleFunctions,
  bundleTracing,
  type FunctionBundle,
} from '../../../../infra/bundle/bundle-functions.ts';

const RUNNER = fileURLToPath(new URL('invoke-bundle.mjs', import.meta.url));

const READER = fileURLToPath(new URL('../../../../infra/bundle/read-stack.ts', import.meta.url));

/** What one invocation of a function answered, and the lines that it printed. */
export interface Invoked {
  readonly name: string;
  readonly answer: unknown;
  readonly lines: readonly string[];
}

/** Bundles in a folder with nothing else in reach: no node_modules, no environment but what a test gives. */
export class BundleFolder {
  readonly bundles: readonly FunctionBundle[];
  readonly #folder: string;

  /** @param names of the functions that are needed; all of them take ten times as long as a few */
  static async make(names?: readonly string[]): Promise<BundleFolder> {
    const folder = await mkdtemp(join(tmpdir(), 'bundles-'));
    await copyFile(RUNNER, join(folder, 'invoke.mjs'));
    return new BundleFolder(folder, await bundleFunctions(join(folder, 'functions'), names));
  }

  private constructor(folder: string, bundles: readonly FunctionBundle[]) {
    this.#folder = folder;
    this.bundles = bundles;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** As in a deployment that traces. */
  async addTracing(): Promise<void> {
    await bundleTracing(this.path('functions'));
  }

  /** Invokes a function's bundle in a process of its own. */
  async invoke<Answer>(name: string, event: unknown, env: Record<string, string>): Promise<Answer> {
    return (await this.run<Answer>(name, event, env)).answer;
  }

  /** As {@link invoke}, with the lines that the function printed. */
  async run<Answer>(
    name: string,
    event: unknown,
    env: Record<string, string>,
  ): Promise<{ answer: Answer; printed: Record<string, unknown>[] }> {
    const [invoked] = await this.runAll([[name, event]], env);
    const { answer, lines } = invoked as Invoked;
    return { answer: answer as Answer, printed: lines.map((line) => JSON.parse(line)) };
  }

  /** Invokes functions one after the other in one process, where each keeps what an environment of its own would. */
  async runAll(
    invocations: readonly (readonly [name: string, event: unknown])[],
    env: Record<string, string>,
  ): Promise<Invoked[]> {
    const given = invocations.map(([name, event]) => {
      return { file: pathToFileURL(this.path(`functions/${name}/index.mjs`)).href, event };
    });
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'invoke.mjs', JSON.stringify(given)],
      { cwd: this.#folder, env },
    );
    const parts = stdout.split(/^ANSWER (.*)$/m);
    return invocations.map(([name], index) => ({
      name,
      answer: JSON.parse(parts[2 * index + 1] ?? 'null'),
      lines: (parts[2 * index] as string).split('\n').filter((line) => line.startsWith('{')),
    }));
  }

  /** A stack of one of the bundles, as `npm run read-stack` reads it. */
  async readStack(name: string, stack: string): Promise<string> {
    const reading = promisify(execFile)(process.execPath, [READER, name, this.path('source-maps')]);
    reading.child.stdin?.end(stack);
    return (await reading).stdout;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

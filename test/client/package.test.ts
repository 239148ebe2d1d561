import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const execute = promisify(execFile);
const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));

let tarball: string;
let project: string;

beforeAll(async () => {
  const folder = inject('clientProject');
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  tarball = join(folder, name ?? '');
  project = await mkdtemp(join(tmpdir(), 'token-orchestrator-empty-'));
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  // It depends on nothing, so nothing has to be fetched.
  await execute('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: project });
});
afterAll(() => rm(project, { recursive: true, force: true }));

test('the package has what it needs and nothing else', async () => {
  const { stdout } = await execute('tar', ['-tzf', tarball]);
  const files = stdout
    .trim()
    .split('\n')
    .map((file) => file.replace('package/', ''));
  expect(files.filter((file) => !file.endsWith('.d.ts')).sort()).toEqual([
    'LICENSE',
    'README.md',
    'dist/cli.js',
    'dist/commander-license.txt',
    'dist/csv-parse-license.txt',
    'dist/index.js',
    'package.json',
  ]);
  const manifest = JSON.parse(
    await readFile(join(project, 'node_modules/token-orchestrator/package.json'), 'utf8'),
  );
  expect(manifest).not.toHaveProperty('dependencies');
  expect(await readdir(join(project, 'node_modules'))).toEqual(
    expect.not.arrayContaining(['zod', 'commander', 'csv-parse']),
  );
});

test('an empty project that installed it has both the library and the command', async () => {
  const script = "import { createClient } from 'token-orchestrator'; console.log(typeof createClient)";
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  expect(stdout).toBe('function\n');
  const version = await execute(join(project, 'node_modules/.bin/token-orchestrator'), ['--version']);
  expect(version.stdout).toBe('0.1.0\n');
});

describe('the types check without zod, in a strict project', () => {
  const source = `
    import { createClient, type Key, type Lease, LeaseEndedError, NoKeyAvailableError } from 'token-orchestrator';

    const client = createClient({ url: 'https://leases.example.com', credential: 'a.b' });
    const result: string = await client.withLease({ pool: 'p', waitMs: 1 }, async (lease, signal) => {
      const value: string = lease.value;
      const token: number = lease.fencingToken;
      const left: number = lease.remainingMs();
      signal.throwIfAborted();
      return value + token + left;
    });
    const lease: Lease = await client.acquire();
    const { keys }: { keys: Key[] } = await client.keys.create({ pool: 'p', count: 3 });
    const state: 'free' | 'leased' | 'cooling' | 'paused' | undefined = keys[0]?.state;
    try {
      await client.release(lease.leaseId);
    } catch (error) {
      if (error instanceof LeaseEndedError) {
        const reason: 'released' | 'lapsed' | 'unblocked' | 'deleted' | 'unknown' = error.reason;
        console.log(reason, error.code satisfies 'lease_ended');
      }
      if (error instanceof NoKeyAvailableError) console.log(error.retryAfterMs.toFixed());
    }
    // @ts-expect-error a lease has no such field: the types are not any
    console.log(result, state, lease.nonsense);
    // @ts-expect-error a number is expected
    await client.keys.create({ count: 'three' });
  `;

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('module %s, moduleResolution %s', async (module, moduleResolution) => {
    const folder = join(project, moduleResolution);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.ts'), source);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      target: 'es2022',
      noEmit: true,
      types: [],
      module,
      moduleResolution,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }));
    const tsc = await execute(process.execPath, [join(MODULES, 'typescript/bin/tsc'), '-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(tsc.stdout).toBe('');
  });
});

test('publint has nothing to say', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({
    pkgDir: join(project, 'node_modules/token-orchestrator'),
    strict: true,
  });
  expect(messages).toEqual([]);
});

test('@arethetypeswrong/cli has nothing to say, but that it is an ES module', async () => {
  const attw = join(MODULES, '@arethetypeswrong/cli/dist/index.js');
  const options = ['--ignore-rules', 'cjs-resolves-to-esm', '--no-color', '--no-emoji', '--format', 'json'];
  const { stdout } = await execute(process.execPath, [attw, tarball, ...options]).catch(
    (error: { stdout: string }) => error,
  );
  const { problems } = JSON.parse(stdout) as { problems: Record<string, unknown> };
  expect(Object.keys(problems).filter((kind) => kind !== 'CJSResolvesToESM')).toEqual([]);
});

test('the library runs where there is nothing but what browsers, Bun and Deno have', async () => {
  const source = await readFile(join(project, 'node_modules/token-orchestrator/dist/index.js'), 'utf8');
  const web = {
    AbortController,
    crypto,
    DOMException,
    performance,
    setTimeout,
    clearTimeout,
    URL,
    URLSearchParams,
  };
  const seen: string[] = [];
  const fetch = async (url: string, { method }: { method: string }): Promise<Response> => {
    seen.push(`${method} ${url}`);
    const lease = { leaseId: 'l', keyId: 'k', value: 'v', expiresInMs: 60_000, keepAliveEveryMs: 20_000 };
    return method === 'DELETE' ? new Response(null, { status: 204 }) : Response.json(lease);
  };
  const context = createContext({ ...web, fetch });
  // The modules of node:vm are experimental; what the file exports is one statement at its end.
  const script = source.replace(/^export \{([^}]*)\};?\s*$/m, (_, names: string) => `({ ${names} });`);
  const { createClient } = runInContext(script, context) as typeof import('../../client/sdk/index.ts');
  const client = createClient({ url: 'https://leases.example.com', credential: 'a.b' });
  expect(await client.withLease({}, (lease) => lease.value)).toBe('v');
  expect(seen).toEqual([
    'POST https://leases.example.com/v1/leases',
    'DELETE https://leases.example.com/v1/leases/l',
  ]);
});

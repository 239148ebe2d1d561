import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { useHost, useHostProcesses } from '../support/host-process.ts';
import { nodeEnvironment } from '../support/node-environment.ts';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FENCE = /^```(\w+)\n([\s\S]*?)^```$/gm;

const host = useHost();
const hosts = useHostProcesses();
let project: string;

/** The code blocks of a page, in their order. */
async function blocksOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  return [...text.matchAll(FENCE)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code as string);
}

async function run(file: string, parameters: string[], env: Record<string, string> = {}) {
  const commands = [join(project, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH];
  return execute(file, parameters, {
    cwd: project,
    env: {
      ...nodeEnvironment(),
      ...host.environment,
      PATH: commands.join(':'),
      HOME: join(project, 'home'),
      ...env,
    },
  });
}

/** Where a page waits for a keep-alive, the leases of `licences` are short, so that the test does not wait for long. */
async function preparePools(licenceSeconds: number): Promise<void> {
  for (const [pool, leaseSeconds] of [
    ['licences', licenceSeconds],
    ['worker-slots', 60],
  ] as const) {
    await host.client().pools.put(pool, { leaseSeconds, keyTtlSeconds: null });
    await host.client().keys.create({ pool, count: 3 });
  }
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'token-orchestrator-docs-'));
  await mkdir(join(project, 'home'));
  await cp(join(inject('clientProject'), 'node_modules'), join(project, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  await cp(join(ROOT, 'examples'), join(project, 'examples'), {
    recursive: true,
    filter: (source) => !source.includes('node_modules'),
  });
});
afterAll(() => rm(project, { recursive: true, force: true }));

test('the programs of the pages and the examples check against the package as it is published', async () => {
  const files: string[] = [];
  for (const [index, code] of (await blocksOf('docs/sdk.md', 'ts')).entries()) {
    files.push(`block-${index}.ts`);
    await writeFile(join(project, `block-${index}.ts`), code);
  }
  for (const file of await readdir(join(project, 'examples'))) {
    if (/\.[jt]s$/.test(file)) files.push(`examples/${file}`);
  }
  expect(files.length).toBeGreaterThan(6);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2024',
    module: 'nodenext',
    allowJs: true,
    checkJs: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

test('what README.md shows of the library and the command line is what the pages show, which run below', async () => {
  for (const [page, language] of [
    ['docs/sdk.md', 'ts'],
    ['docs/cli.md', 'sh'],
  ] as const) {
    const shown = await blocksOf('README.md', language);
    expect(shown.length).toBeGreaterThan(0);
    expect(await blocksOf(page, language)).toEqual(expect.arrayContaining(shown));
  }
});

describe('docs/sdk.md', () => {
  test('every program of it runs', async () => {
    await preparePools(2);
    const output: string[] = [];
    for (const [index, code] of (await blocksOf('docs/sdk.md', 'ts')).entries()) {
      const file = join(project, `run-${index}.ts`);
      await writeFile(file, code);
      output.push((await run(process.execPath, [file])).stdout);
    }
    expect(output[0]).toMatch(/^I hold key_\S+\ndone\n$/);
    expect(output[1]).toBe('the service ended it: unblocked\n');
    expect(output[2]).toMatch(/^slot key_\S+, fencing token \d+\n$/);
    expect(output[3]).toMatch(/^my turn with key_\S+; 0 wait\n$/);
    expect(output[4]).toBe('I hold 2 keys\n');
    expect(output[5]).toBe('cooling\n');
    expect(output[6]).toContain("pool: 'worker-slots'");
    expect(output[7]).toBe('key.created: 2 by client_test\n');
    expect(output).toHaveLength(8);
  });

  test('every error class of it is exported', async () => {
    const text = await readFile(join(ROOT, 'docs/sdk.md'), 'utf8');
    const names = [...text.matchAll(/^\| `(\w+Error)` \|/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    const script = "import * as sdk from 'token-orchestrator'; console.log(Object.keys(sdk).join())";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    const exported = stdout
      .trim()
      .split(',')
      .filter((name) => name.endsWith('Error'));
    expect(exported.filter((name) => name !== 'OrchestratorError').sort()).toEqual(names.sort());
  });
});

test('every line of docs/cli.md runs', async () => {
  await preparePools(60);
  const script = (await blocksOf('docs/cli.md', 'sh')).join('\n');
  // -x: what is run is seen where one fails.
  const { stdout, stderr } = await run('sh', ['-exc', script]);
  expect(stdout).toMatch(/^rendering with key_/m);
  expect(stdout).toMatch(/^the command said 3$/m);
  expect(stdout).toMatch(/^refused: 1$/m);
  expect(stdout).toMatch(/^calling with a value of \d+ characters$/m);
  expect(stdout).toMatch(/^Released$/m);
  expect(stdout).toMatch(/^Revoked, 0 leases ended$/m);
  expect(stderr).toContain('2000/2000');
  const commands = [
    ...new Set(
      [...script.matchAll(/token-orchestrator ((?:keys|pools|clients) )?([\w-]+)/g)].map(
        ([, group = '', name]) => group + name,
      ),
    ),
  ];
  expect(commands.filter((command) => !command.startsWith('/')).sort()).toEqual(
    expect.arrayContaining([
      'acquire',
      'clients create',
      'events',
      'keep-alive',
      'keys create',
      'keys import',
      'keys label',
      'pools queue',
      'pools set',
      'release',
      'run',
    ]),
  );
});

describe('in a clone', () => {
  let clone: string;
  const inClone = (lines: string, folder = clone) =>
    execute('sh', ['-ec', lines], {
      cwd: folder,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: join(project, 'home'),
        npm_config_prefix: join(project, 'global'),
        npm_config_offline: 'true',
      },
    });
  const untracked = async () => (await inClone('git status --porcelain --untracked-files=all')).stdout;

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'token-orchestrator-clone-'));
    for (const part of [
      'client',
      'shared',
      'examples',
      'package.json',
      'tsconfig.json',
      '.gitignore',
      '.npmrc',
    ]) {
      await cp(join(ROOT, part), join(clone, part), {
        recursive: true,
        filter: (source) => !/node_modules|dist$/.test(source),
      });
    }
    // In place of `npm ci`.
    await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    await inClone('git init --quiet; git add --all');
  });
  afterAll(() => rm(clone, { recursive: true, force: true }));

  test('both ways to install work as they are written, and leave nothing untracked', async () => {
    const before = await untracked();
    const [install = ''] = await blocksOf('docs/cli.md', 'bash');
    await inClone(install.replace('npm ci\n', ''));
    const { stdout } = await execute(join(project, 'global/bin/token-orchestrator'), ['--version']);
    expect(stdout).toBe('0.1.0\n');

    const [build = '', inProject = '', ...rest] = await blocksOf('docs/sdk.md', 'sh');
    expect(install).toContain(build);
    expect(rest).toEqual([]);
    const empty = join(project, 'installed');
    await mkdir(empty);
    await writeFile(join(empty, 'package.json'), '{ "private": true }');
    await inClone(inProject.replace('/path/to', clone), empty);
    expect(await readdir(join(empty, 'node_modules'))).toContain('token-orchestrator');

    await inClone('cd examples; npm install');
    expect(await untracked()).toBe(before);
  });
});

describe('examples', () => {
  const example = async (name: string): Promise<string> =>
    (await run(process.execPath, [join(project, 'examples', name)])).stdout;

  test('ten workers share three licences, of a pool that keeps its policy', async () => {
    const client = host.client();
    await client.pools.put('example-licences', { leaseSeconds: 33, maxKeys: 3 });
    const output = await example('share-licences.js');
    expect(await client.pools.get('example-licences')).toMatchObject({ leaseSeconds: 33, maxKeys: 3 });
    expect(output.match(/^worker \d renders with key_/gm)).toHaveLength(10);
    const [, most] = /^10 workers are done, at most (\d+) at a time$/m.exec(output) ?? [];
    expect(Number(most)).toBeGreaterThan(0);
    expect(Number(most)).toBeLessThanOrEqual(3);
  });

  test('each worker has a test account of its own', async () => {
    const output = await example('test-accounts.js');
    expect(output.match(/^worker \d tests "/gm)).toHaveLength(6);
    expect(output).toMatch(/^0 jobs are left$/m);
  });

  test('an API key that got a 429 rests, and one that was revoked is deleted', async () => {
    const client = host.client();
    await client.pools.put('example-third-party-keys', { keyTtlSeconds: null, cooldownSeconds: 77 });
    const output = await example('third-party-keys.ts');
    expect(await client.pools.get('example-third-party-keys')).toMatchObject({ cooldownSeconds: 77 });
    expect(output.match(/^call \d is done by account-\d$/gm)).toHaveLength(6);
    expect(output).toMatch(/^account-\d rests: too many requests$/m);
    expect(output).toMatch(/^account-\d is deleted: it was revoked$/m);
    const { keys } = await client.keys.list({ pool: 'example-third-party-keys' });
    expect(keys.map(({ state }) => state).sort()).toEqual(['cooling', 'free']);
  });

  test('a guarded resource rejects an old fencing token', async () => {
    const output = await example('guarded-resource.js');
    expect(output).toMatch(/^rejected: token \d+ is older than \d+\nthe file says: second\n$/);
  });

  test('a cron job does not overlap', async () => {
    const job = join(project, 'examples/nightly-job.sh');
    const setUp = (await readFile(job, 'utf8')).match(/^# {3}(token-orchestrator .*)$/gm) ?? [];
    expect(setUp).toHaveLength(2);
    await run('sh', ['-ec', setUp.map((line) => line.slice(1)).join('\n')]);
    expect((await run(job, [])).stdout).toMatch(/^started with key_\S+\nfinished\n$/);
    const lease = await host.client().acquire({ pool: 'nightly-job' });
    expect((await run(job, [])).stdout).toBe('it runs already, elsewhere: nothing to do\n');
    await host.client().release(lease.leaseId);
    await expect(run(job, [], { TOKEN_ORCHESTRATOR_CREDENTIAL: 'a.b' })).rejects.toMatchObject({ code: 77 });
  });

  test('a webhook receiver takes the events of the service, and nothing that is not signed', async () => {
    const EVENTS_WEBHOOK_SECRET = `whsec_${randomBytes(32).toString('base64')}`;
    const receiver = spawn(process.execPath, [join(project, 'examples/webhook-receiver.js')], {
      env: { EVENTS_WEBHOOK_SECRET, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
    const [, port] = /port (\d+)$/.exec(String((await lines.next()).value)) ?? [];
    const EVENTS_WEBHOOK_URL = `http://127.0.0.1:${port}/`;
    const sending = await hosts.startHost(await hosts.makeFolder(), {
      EVENTS_WEBHOOK_URL,
      EVENTS_WEBHOOK_SECRET,
    });
    await sending.client().pools.put('example-events', {});
    expect((await lines.next()).value).toMatch(/^\d{4}-\S+Z pool\.changed example-events$/);
    const unsigned = await fetch(EVENTS_WEBHOOK_URL, {
      method: 'POST',
      headers: { 'webhook-id': 'event_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) },
      body: '{}',
    });
    expect(unsigned.status).toBe(401);
    receiver.kill();
  });
});

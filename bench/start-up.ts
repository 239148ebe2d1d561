import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { BUNDLE_FOLDER, BUNDLE_OPTIONS, bundleFunctions } from '../infra/bundle/bundle-functions.ts';
import { createSqliteStore } from '../shared/store/sqlite/sqlite-store.ts';

/**
 * `npm run bench:start`: how long a process takes that imports a function's bundle, side by side with one that does
 * nothing. Every case is run once per round, so that whatever else the machine does meets all of them alike.
 */
const ROUNDS = Number(process.argv[2] ?? 25);

interface Case {
  readonly name: string;
  readonly script: string;
  readonly env?: Record<string, string>;
  readonly bytes?: number;
}

const folder = await mkdtemp(join(tmpdir(), 'start-up-'));
const url = (file: string): string => pathToFileURL(file).href;

/** What a bundle of this entry weighs, and where it is. */
async function bundle(name: string, contents: string, options: BuildOptions = {}) {
  const outfile = join(folder, `${name}.mjs`);
  const { metafile } = await build({
    ...BUNDLE_OPTIONS,
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile,
    metafile: true,
    ...options,
  });
  return { file: outfile, bytes: Object.values(metafile?.outputs ?? {})[0]?.bytes ?? 0 };
}

const functions = await bundleFunctions();
const acquireBytes = functions.find(({ name }) => name === 'acquire-lease')?.bytes ?? 0;
const acquire = url(join(BUNDLE_FOLDER, 'acquire-lease/index.mjs'));
const SDK = ['@aws-sdk/client-secrets-manager', '@aws-sdk/credential-providers'];
// What sends spans is a file of its own in every build.
const OPTIONAL = [
  ...BUNDLE_OPTIONS.external.filter((name) => !name.startsWith('@aws-sdk/')),
  '*/open-telemetry.ts',
];
const plain = await bundle('plain', "export * from '../functions/acquire-lease.ts';", {
  alias: {},
  plugins: [],
  external: [...OPTIONAL, ...SDK],
});
const driver = await bundle('driver', "export * from '../shared/store/mongo/mongo-store.ts';");
const plainDriver = await bundle('plain-driver', "export * from '../shared/store/mongo/mongo-store.ts';", {
  alias: {},
  plugins: [],
  external: [...OPTIONAL, ...SDK],
});
const secrets = await bundle(
  'secrets',
  "import { SecretsManagerClient, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager'; export const client = new SecretsManagerClient({ region: 'eu-central-1' }); export { GetSecretValueCommand };",
  { alias: {}, plugins: [], external: OPTIONAL },
);
const chain = await bundle(
  'chain',
  "import { fromNodeProviderChain } from '@aws-sdk/credential-providers'; export const credentials = fromNodeProviderChain();",
  { alias: {}, plugins: [], external: OPTIONAL },
);

const event = {
  version: '2.0',
  routeKey: 'POST /v1/leases',
  rawPath: '/v1/leases',
  headers: {},
  isBase64Encoded: false,
  requestContext: {
    requestId: 'bench',
    http: { method: 'POST', path: '/v1/leases' },
    authorizer: { lambda: { clientId: 'bench', role: 'admin', pools: '' } },
  },
};
const invoke = `const { handler } = await import('${acquire}'); await handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 9000 }); process.exit(0);`;
const SQLITE_PATH = join(folder, 'bench.db');
const store = createSqliteStore({ path: SQLITE_PATH });
await store.prepare(Date.now());
await store.close();
const cache = join(folder, 'compile-cache');

const cases: Case[] = [
  { name: 'empty process', script: '' },
  { name: 'import acquire-lease', script: `await import('${acquire}');`, bytes: acquireBytes },
  {
    name: 'import answer-unmatched',
    script: `await import('${url(join(BUNDLE_FOLDER, 'answer-unmatched/index.mjs'))}');`,
    bytes: functions.find(({ name }) => name === 'answer-unmatched')?.bytes ?? 0,
  },
  {
    name: 'import acquire-lease, plain build',
    script: `await import('${url(plain.file)}');`,
    bytes: plain.bytes,
  },
  {
    name: 'import acquire-lease + load the driver',
    script: `await import('${acquire}'); await import('${url(driver.file)}');`,
  },
  {
    name: 'the same, plain build',
    script: `await import('${url(plain.file)}'); await import('${url(plainDriver.file)}');`,
  },
  { name: 'import acquire-lease + first event on SQLite', script: invoke, env: { SQLITE_PATH } },
  {
    name: 'import acquire-lease, warm compile cache',
    script: `await import('${acquire}');`,
    env: { NODE_COMPILE_CACHE: cache },
  },
  {
    name: 'Secrets Manager client, as the runtime has it',
    script: `await import('@aws-sdk/client-secrets-manager').then(({ SecretsManagerClient }) => new SecretsManagerClient({ region: 'eu-central-1' }));`,
  },
  {
    name: 'Secrets Manager client, bundled',
    script: `await import('${url(secrets.file)}');`,
    bytes: secrets.bytes,
  },
  {
    name: 'AWS credential chain, bundled',
    script: `await import('${url(chain.file)}');`,
    bytes: chain.bytes,
  },
];
const { MONGODB_TEST_URI } = process.env;
if (MONGODB_TEST_URI) {
  cases.push({
    name: 'import acquire-lease + first event on MongoDB',
    script: invoke,
    env: { MONGODB_URI: MONGODB_TEST_URI },
  });
}

// Beside node_modules, which the unbundled SDK is found in.
const scripts = join(import.meta.dirname, '../dist/start-up');
await mkdir(scripts, { recursive: true });
const files = await Promise.all(
  cases.map(async ({ script }, index) => {
    const file = join(scripts, `${index}.mjs`);
    await writeFile(file, script);
    return file;
  }),
);

const samples = cases.map((): number[] => []);
for (let round = -1; round < ROUNDS; round++) {
  cases.forEach(({ name, env }, index) => {
    const start = performance.now();
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', files[index] as string],
      { env: { ...env } },
    );
    const ms = performance.now() - start;
    if (status !== 0) throw new Error(`${name} failed: ${stderr.toString()}`);
    // The first round fills the compile cache and the page cache.
    if (round >= 0) samples[index]?.push(ms);
  });
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const base = samples[0] ?? [];
console.log(`Node ${process.versions.node}, ${cpus()[0]?.model}, ${cpus().length} cores, ${ROUNDS} rounds\n`);
console.log('| process | bundle | median | times an empty process |\n|---|---|---|---|');
cases.forEach(({ name, bytes }, index) => {
  const values = samples[index] ?? [];
  // Round by round, so that a busy moment divides out.
  const ratio = median(values.map((ms, round) => ms / (base[round] ?? ms)));
  const size = bytes === undefined ? '' : `${Math.round(bytes / 1000)} KB`;
  console.log(`| ${name} | ${size} | ${median(values).toFixed(0)} ms | ${ratio.toFixed(1)} |`);
});
await rm(folder, { recursive: true });
await rm(scripts, { recursive: true });

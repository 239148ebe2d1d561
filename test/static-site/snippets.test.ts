import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  acquireSnippet,
  keepAliveSnippet,
  releaseSnippet,
  withLeaseSnippet,
} from '../../static-site/src/try-it/snippets.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'token-orchestrator-snippets-'));
});
afterAll(() => rm(project, { recursive: true, force: true }));

test('each program on Try it compiles by itself under strict TypeScript', async () => {
  const url = 'https://leases.example.com';
  const programs = [undefined, "client_1.it's"].flatMap((credential) => {
    const context = { url, credential };
    const request = { pool: 'licences', leaseSeconds: 10, holder: `it's "me" \\ \${here}` };
    return [
      acquireSnippet(context, request).sdk,
      keepAliveSnippet(context, 'lease_1').sdk,
      releaseSnippet(context, 'lease_1').sdk,
      withLeaseSnippet(context, 'licences'),
    ];
  });
  const files = programs.map((_, index) => `program-${index}.ts`);
  await Promise.all(
    programs.map((program, index) => writeFile(join(project, `program-${index}.ts`), program)),
  );
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: 'es2024',
    module: 'nodenext',
    allowImportingTsExtensions: true,
    paths: { 'token-orchestrator': [join(ROOT, 'client/sdk/index.ts')] },
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const failed = await promisify(execFile)(process.execPath, [tsc, '-p', project]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  expect(failed).toBe('');
});

import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeDeclarations } from './declarations.ts';

const CLIENT = fileURLToPath(new URL('../', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));
/** What the command line contains. */
const BUNDLED = ['commander', 'csv-parse'];

/** Builds into a folder what is published as `dist`: `index.js` with its types, and `cli.js`. */
export async function buildPackage(dist: string): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await Promise.all([buildSdk(dist), buildCli(dist), writeDeclarations(dist)]);
  for (const name of BUNDLED) {
    await copyFile(join(MODULES, name, 'LICENSE'), join(dist, `${name}-license.txt`));
  }
}

/** For every runtime: the neutral platform has no built-in modules, so that an import of one fails here. */
async function buildSdk(dist: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: [join(CLIENT, 'sdk/index.ts')],
    metafile: true,
    outfile: join(dist, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
  });
  // Of the contract the library takes types only: a value would bring all of zod with it.
  const strangers = Object.keys(metafile.inputs).filter((input) => !/(^|\/)client\/sdk\//.test(input));
  if (strangers.length > 0) throw new Error(`The library must not contain ${strangers.join(', ')}`);
}

/** What it uses goes into the bundle: whoever installs the package for the SDK, in a browser say, gets no dependency. */
async function buildCli(dist: string): Promise<void> {
  const outfile = join(dist, 'cli.js');
  await build({
    entryPoints: [join(CLIENT, 'cli/main.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: [
        '#!/usr/bin/env node',
        // commander is CommonJS, which esbuild wraps in calls of a `require` that modules do not have.
        "import { createRequire } from 'node:module';",
        'const require = createRequire(import.meta.url);',
      ].join('\n'),
    },
  });
  await chmod(outfile, 0o755);
}

if (import.meta.main) await buildPackage(join(CLIENT, 'dist'));

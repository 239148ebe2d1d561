import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { directBuiltIns } from './direct-built-ins.ts';
import {
  DRIVER_REPLACEMENTS,
  OPTIONAL_DRIVER_PACKAGES,
  saslprepOnDemand,
  versionAlone,
} from './driver-packages.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Where the bundles are: one folder per function, with nothing in it but `index.mjs`, and where it traces `tracing.mjs`. */
export const BUNDLE_FOLDER: string = join(PROJECT, 'dist/functions');

/** Their source maps, beside the assets and not in them: 3 MB per function, for `npm run read-stack`. */
export const SOURCE_MAP_FOLDER: string = join(PROJECT, 'dist/source-maps');

/** Every function: those of the routes, the authorizer, and those of the schedule. */
export const FUNCTION_NAMES: readonly string[] = [
  ...Object.values(routes).map((route) => route.function),
  unmatchedRoute.function,
  'authorize',
  'expire-leases',
  'send-events',
];

/** What sends spans, where a deployment traces. */
const TRACING_FILE = 'tracing.mjs';

/** The driver is CommonJS and asks for built-in modules at run time. */
const REQUIRE = "import{createRequire as _require}from'node:module';const require=_require(import.meta.url);";

export interface FunctionBundle {
  readonly name: string;
  readonly bytes: number;
}

/** How every function is bundled. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  banner: { js: REQUIRE },
  legalComments: 'none',
  alias: DRIVER_REPLACEMENTS,
  plugins: [saslprepOnDemand, directBuiltIns, versionAlone],
  // The Lambda runtime brings the SDK; only a function that reads a secret or sends events loads it.
  external: [...OPTIONAL_DRIVER_PACKAGES, '@aws-sdk/client-secrets-manager', '@aws-sdk/client-eventbridge'],
  absWorkingDir: PROJECT,
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** A function as Lambda loads it: with its database connected, where it has one. */
const functionEntry: Plugin = {
  name: 'function-entry',
  setup(build) {
    build.onResolve({ filter: /^function:/ }, ({ path }) => ({
      path: path.slice('function:'.length),
      namespace: 'function',
    }));
    build.onLoad({ filter: /.*/, namespace: 'function' }, ({ path: name }) => ({
      contents:
        `export { handler } from './functions/${name}.ts';` +
        (name === unmatchedRoute.function
          ? ''
          : "import { connectEarly } from './shared/runtime/runtime.ts'; await connectEarly();"),
      resolveDir: PROJECT,
    }));
  },
};

/** What sends spans is a file of its own, so that no function carries it that does not trace. */
const tracingApart: Plugin = {
  name: 'tracing-apart',
  setup(build) {
    build.onResolve({ filter: /open-telemetry\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `./${TRACING_FILE}`, external: true } : undefined,
    );
  },
};

/** Bundles functions, all unless told, into `folder`; returns how large each is. */
export async function bundleFunctions(
  folder: string = BUNDLE_FOLDER,
  names: readonly string[] = FUNCTION_NAMES,
): Promise<FunctionBundle[]> {
  const entryPoints = names.map((name) => ({ in: `function:${name}`, out: `${name}/index` }));
  const { outputFiles } = await build({
    ...BUNDLE_OPTIONS,
    plugins: [functionEntry, tracingApart, ...BUNDLE_OPTIONS.plugins],
    entryPoints,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    sourcemap: 'external',
    write: false,
  });

  const sourceMaps = join(dirname(folder), 'source-maps');
  await rm(folder, { recursive: true, force: true });
  const bundles: FunctionBundle[] = [];
  for (const { path, contents } of outputFiles) {
    const name = dirname(path.slice(folder.length + 1));
    const isMap = path.endsWith('.map');
    const file = isMap ? join(sourceMaps, `${name}.mjs.map`) : path;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
    if (!isMap) bundles.push({ name, bytes: contents.length });
  }
  return bundles;
}

/** Puts beside each function what sends spans, which it loads where its environment says where to. */
export async function bundleTracing(folder: string = BUNDLE_FOLDER): Promise<void> {
  const entryPoints = ['shared/runtime/open-telemetry.ts'];
  // As ES modules: what nobody calls is left out, 240 of 310 KB.
  const mainFields = ['module', 'main'];
  const { outputFiles } = await build({ ...BUNDLE_OPTIONS, entryPoints, mainFields, write: false });
  for (const { contents } of outputFiles) {
    await Promise.all(FUNCTION_NAMES.map((name) => writeFile(join(folder, name, TRACING_FILE), contents)));
  }
}

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnLoadResult, Plugin } from 'esbuild';

const driverFolder = dirname(createRequire(import.meta.url).resolve('mongodb/package.json'));

function replacement(file: string): string {
  return fileURLToPath(new URL(`replacements/${file}`, import.meta.url));
}

/**
 * In place of the driver's index: what the store imports, and the few names that the driver itself takes from there.
 * An import of the store that is not listed fails the bundling.
 */
const DRIVER_INDEX = `
export { MongoBulkWriteError } from './bulk/common.js';
export {
  MongoClientClosedError, MongoError, MongoErrorLabel, MongoNetworkError, MongoNotConnectedError, MongoServerClosedError,
  MongoServerError, MongoSystemError, MongoTopologyClosedError, MongoUnexpectedServerResponseError,
  MongoWriteConcernError,
} from './error.js';
export { MongoClient } from './mongo_client.js';
export { TopologyType } from './sdam/common.js';
`;

/** Its tables are unpacked when it is loaded, and only SCRAM-SHA-256 needs them. */
const ON_DEMAND_SASLPREP = `
exports.saslprep = (...input) => require('@mongodb-js/saslprep').saslprep(...input);
`;

/** Parts of the driver that this service has no use for, with the names that the rest of the driver knows them by. */
const UNUSED_PARTS: Readonly<Record<string, readonly string[]>> = {
  'lib/client-side-encryption/auto_encrypter.js': ['AutoEncrypter'],
  'lib/cmap/auth/mongodb_oidc.js': ['MongoDBOIDC'],
  'lib/cmap/auth/mongodb_oidc/automated_callback_workflow.js': ['AutomatedCallbackWorkflow'],
  'lib/cmap/auth/mongodb_oidc/human_callback_workflow.js': ['HumanCallbackWorkflow'],
  'lib/cmap/auth/mongodb_oidc/token_cache.js': ['TokenCache'],
  'lib/operations/client_bulk_write/executor.js': ['ClientBulkWriteExecutor'],
};

/** Optional packages that the driver asks for and does without. */
export const OPTIONAL_DRIVER_PACKAGES: string[] = [
  '@mongodb-js/zstd',
  'gcp-metadata',
  'kerberos',
  'mongodb-client-encryption',
  'snappy',
  'socks',
];

/**
 * The MongoDB driver without what the functions never use: 285 KB of URL parsing that Node has built in, the AWS SDK
 * (a function's credentials are in its environment), client-side encryption, OIDC, GridFS, bulk writes over several
 * collections. Whoever asks for one of these parts is told so by name.
 */
export const leanDriver: Plugin = {
  name: 'lean-driver',
  setup(build) {
    build.onResolve({ filter: /^whatwg-url$/ }, () => ({ path: replacement('built-in-url.ts') }));
    build.onResolve({ filter: /^@aws-sdk\/credential-providers$/ }, () => ({
      path: replacement('role-credentials.ts'),
    }));
    build.onResolve({ filter: /^@mongodb-js\/saslprep$/ }, ({ namespace, resolveDir }) =>
      namespace === 'on-demand'
        ? undefined
        : { path: 'saslprep', namespace: 'on-demand', pluginData: resolveDir },
    );
    build.onLoad({ filter: /^saslprep$/, namespace: 'on-demand' }, ({ pluginData }) => ({
      contents: ON_DEMAND_SASLPREP,
      resolveDir: pluginData as string,
    }));
    build.onLoad({ filter: /[\\/]mongodb[\\/](package\.json|lib[\\/].*\.js)$/ }, ({ path }) =>
      loadPart(path),
    );
  },
};

function loadPart(path: string): OnLoadResult | undefined {
  const part = path.slice(driverFolder.length + 1).replaceAll('\\', '/');
  if (part === 'package.json') {
    // The driver tells the server its name and version; the other 7 KB are for npm.
    const { name, version } = createRequire(import.meta.url)(path) as { name: string; version: string };
    return { contents: JSON.stringify({ name, version }), loader: 'json' };
  }
  if (part === 'lib/index.js') return { contents: DRIVER_INDEX };
  const names = UNUSED_PARTS[part];
  if (names === undefined) return undefined;
  const classes = names.map(
    (name) =>
      `exports.${name} = class { constructor() { throw new Error('${name} is not part of the bundled driver'); } };`,
  );
  return { contents: classes.join('\n') };
}

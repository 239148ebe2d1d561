import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** Packages of the driver that are replaced: 285 KB of URL parsing that Node has built in, 401 KB of AWS SDK. */
export const DRIVER_REPLACEMENTS: Record<string, string> = {
  'whatwg-url': replacement('built-in-url.ts'),
  '@aws-sdk/credential-providers': replacement('role-credentials.ts'),
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

/** Loads SASLprep when it is first called: it unpacks its tables when loaded, and only SCRAM-SHA-256 needs them. */
export const saslprepOnDemand: Plugin = {
  name: 'saslprep-on-demand',
  setup(build) {
    build.onResolve({ filter: /^@mongodb-js\/saslprep$/ }, ({ path, namespace, resolveDir }) =>
      namespace === 'on-demand' ? undefined : { path, namespace: 'on-demand', pluginData: resolveDir },
    );
    build.onLoad({ filter: /.*/, namespace: 'on-demand' }, ({ path, pluginData }) => ({
      contents: `exports.saslprep = (...input) => require('${path}').saslprep(...input);`,
      resolveDir: pluginData as string,
    }));
  },
};

/** Of the description of a package, which the driver reads its own version from, that alone: the rest is 7 KB. */
export const versionAlone: Plugin = {
  name: 'version-alone',
  setup(build) {
    build.onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

function replacement(file: string): string {
  return fileURLToPath(new URL(`replacements/${file}`, import.meta.url));
}

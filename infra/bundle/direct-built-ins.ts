import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Takes Node's built-in modules without the wrapper that an `import` of one makes. That wrapper reads every export at
 * once, and so runs what Node itself loads lazily: `import { STATUS_CODES } from 'node:http'`, one line in a package of
 * middy, loads the whole of undici for `http.WebSocket`, a third of a function's start.
 */
export const directBuiltIns: Plugin = {
  name: 'direct-built-ins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'built-in' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents:
        path === 'node:http'
          ? // Only the reason phrases are used, and only in errors: not even this module need be loaded before.
            `module.exports = { get STATUS_CODES() { return process.getBuiltinModule('${path}').STATUS_CODES; } };`
          : `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

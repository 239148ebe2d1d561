import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

// What Node compiles is kept for the next process, a worker of vitest or a program that a test starts: its start takes half
// as long.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

/** What every project has in common. */
const COMMON = {
  // node:sqlite is what the embedded store stands on; its warning in every worker says nothing new.
  execArgv: ['--disable-warning=ExperimentalWarning'],
  setupFiles: ['test/support/keep-compiled.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

/** Whose tests start no process and leave nothing in their own: files share a worker, and so what they import. */
const IN_PROCESS = ['test/domain/**/*.test.ts', 'test/functions/**/*.test.ts'];

const projects: TestProjectConfiguration[] = [
  { test: { ...COMMON, name: 'in process', include: IN_PROCESS, isolate: false } },
  // Files share a worker, so that it synthesizes a template once for all of them that look at it.
  {
    test: {
      ...COMMON,
      name: 'aws',
      include: ['test/infra/aws/**/*.test.ts'],
      isolate: false,
      // CDK's own run of cloudformation-validate takes seconds and only warns; `template.test.ts` fails by its findings.
      env: { CDK_VALIDATION: 'false' },
    },
  },
  {
    test: {
      ...COMMON,
      name: 'client',
      include: ['test/client/**/*.test.ts'],
      globalSetup: ['test/client/support/client-package-setup.ts'],
    },
  },
  {
    test: {
      ...COMMON,
      name: 'isolated',
      include: ['test/**/*.test.ts'],
      // `npm run test:browser`, `test:power-cut` and `test:emulated` have configurations of their own.
      exclude: [
        ...IN_PROCESS,
        'test/infra/aws/**',
        'test/client/**',
        'test/browser/**',
        'test/power-cut/**',
        'test/emulated/**',
      ],
    },
  },
];

export default defineConfig({
  test: {
    projects,
    // By itself vitest leaves one core alone, of two cores half of all.
    maxWorkers: '100%',
    // Once for all projects, which read what it provides.
    globalSetup: ['test/support/mongodb-global-setup.ts'],
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'functions/**/*.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});

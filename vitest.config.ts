import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:browser`, see vitest.browser.config.ts.
    exclude: ['test/browser/**'],
    globalSetup: ['test/support/mongodb-global-setup.ts', 'test/client/support/client-package-setup.ts'],
    // node:sqlite is what the embedded store stands on; its warning in every worker says nothing new.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'functions/**/*.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});

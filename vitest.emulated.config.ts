import { defineConfig } from 'vitest/config';

/** `npm run test:emulated`: a deployment on moto, and the bundles as Lambda runs them. Takes under two minutes. */
export default defineConfig({
  test: {
    include: ['test/emulated/**/*.test.ts'],
    globalSetup: ['test/support/mongodb-global-setup.ts', 'test/emulated/support/prepare.ts'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2, // One file mostly waits.
  },
});

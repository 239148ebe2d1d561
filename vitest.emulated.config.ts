import { defineConfig } from 'vitest/config';

/** `npm run test:emulated`: the bundles as Lambda runs them, frozen from one invocation to the next. Takes a minute. */
export default defineConfig({
  test: {
    include: ['test/emulated/**/*.test.ts'],
    globalSetup: ['test/support/mongodb-global-setup.ts'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    hookTimeout: 180_000,
  },
});

import { defineConfig } from 'vitest/config';
import { findChromium } from './test/browser/support/find-chromium.ts';

const hasChromium = findChromium() !== undefined;
if (!hasChromium) {
  const line = 'There is no Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM_PATH';
  if (process.env.CI === 'true') throw new Error(line);
  process.stdout.write(`Browser tests skipped. ${line}\n`);
}

export default defineConfig({
  test: {
    include: hasChromium ? ['test/browser/**/*.test.ts'] : [],
    passWithNoTests: !hasChromium,
    // Two browsers at a time: with more, a small machine is too busy to say anything about the dashboard.
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
});

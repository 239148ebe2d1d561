import { beforeAll, expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

/** The most cumulative layout shift. Google calls more than 0.1 in need of improvement. */
const MAX_SHIFT = 0.01;

beforeAll(async () => {
  await host().call('PUT', '/pools/held', { leaseSeconds: 200 });
  await host().call('PUT', '/pools/in-turn', { fair: true });
  await host().call('POST', '/keys', { pool: 'in-turn' });
  await host().call('POST', '/keys', { pool: 'held', count: 4 });
  for (let index = 0; index < 3; index += 1) await host().call('POST', '/leases', { pool: 'held' });
});

test.each([
  ['/', '[data-condition]'],
  ['/pool?name=held', '[data-state="leased"]'],
  ['/pool?name=in-turn', '[data-key]'],
  ['/try-it', '[data-lease]'],
  ['/clients', '[data-client]'],
  ['/events', '[data-event]'],
])('%s comes in without moving what is already there', async (path, arrived) => {
  for (const viewport of [
    { width: 1440, height: 1400 },
    { width: 360, height: 740 },
  ]) {
    const { page } = await open(`${host().url}${path}#credential=${host().credential}`, { viewport });
    await page.locator(arrived).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
          // The observer gets the entries so far in the first frame.
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
        }),
    );
    expect(shift).toBeLessThanOrEqual(MAX_SHIFT);
  }
});

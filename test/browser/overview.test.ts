import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();
const POOLS = 11;
const rows = (page: Page) => page.locator('[data-pool]');

beforeAll(async () => {
  const { call } = host();
  for (let index = 1; index < POOLS; index += 1) {
    const pool = `pool-${String(index).padStart(2, '0')}`;
    await call('PUT', `/pools/${pool}`, { leaseSeconds: 600, keyTtlSeconds: null });
    await call('POST', '/keys', { pool, count: 1 });
  }
  await call('POST', '/leases', { pool: 'pool-07' });
});

test('the first screen of a laptop has the numbers of every pool, the exhausted ones first', async () => {
  const { page } = await open(host().signInLink, { viewport: { width: 1280, height: 800 } });
  await expect.poll(() => rows(page).count()).toBe(POOLS);
  expect(await rows(page).first().getAttribute('data-pool')).toBe('pool-07');
  expect((await rows(page).first().innerText()).split(/\s+/)).toEqual(
    expect.arrayContaining(['pool-07', 'no', 'free', 'key', '1', '0', '0', 'in', 'min']),
  );
  await page.getByLabel('All pools together').getByText('1 of 10').waitFor();
  const last = await rows(page).last().boundingBox();
  expect((last?.y ?? 800) + (last?.height ?? 800)).toBeLessThan(800);
  // Of the pool in use there is a line to see.
  expect(await rows(page).first().locator('.chart-leased-line').getAttribute('d')).toMatch(
    /^M[\d.]+ [\d.]+[\d.HV]*H100$/,
  );
  await page
    .getByRole('img', {
      name: 'Keys of pool-07 in use in the last hour; 1 leased and 0 cooling of 1 keys now',
    })
    .waitFor();
  await page.getByLabel('Pool in the chart').selectOption('pool-03');
  await page.getByRole('img', { name: 'Keys of pool-03 in use in the last hour; 0 leased' }).waitFor();

  await page.getByLabel('Filter pools by name').fill('-1');
  await expect.poll(() => rows(page).count()).toBe(1);
  await page.getByLabel('Filter pools by name').fill('none');
  await page.getByText('No pool has “none” in its name.').waitFor();
});

test('an answer without news renders no pool anew', async () => {
  const { page, requested } = await open(host().signInLink);
  await expect.poll(() => rows(page).count()).toBe(POOLS);
  await page.evaluate(() => {
    const changes: string[] = [];
    Object.assign(window, { changes });
    new MutationObserver((found) => {
      for (const { target, type } of found)
        if (target.nodeName !== '#text' && target.nodeName !== 'path')
          changes.push(`${type} ${target.nodeName}`);
    }).observe(document.querySelector('[data-pool]')?.parentElement as Element, {
      childList: true,
      subtree: true,
      attributes: true,
    });
  });
  const polls = (): number => requested.filter((address) => address.includes('/v1/pools?')).length;
  const soFar = polls();
  await expect.poll(polls).toBeGreaterThan(soFar + 1);
  expect(await page.evaluate(() => (window as unknown as { changes: string[] }).changes)).toEqual([]);
});

test('on a phone a pool is two lines, and axe finds nothing', async () => {
  const { page } = await open(host().signInLink, {
    viewport: { width: 390, height: 844 },
    colorScheme: 'dark',
  });
  await expect.poll(() => rows(page).count()).toBe(POOLS);
  expect((await rows(page).first().boundingBox())?.height).toBeLessThan(72);
  expect(await findViolations(page)).toEqual([]);
});

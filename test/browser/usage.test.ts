import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { Usage, UsagePoint } from '../../shared/contract/usage.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();
const MINUTE = 60_000;

beforeAll(async () => {
  await host().call('PUT', '/pools/seats', { keyTtlSeconds: null });
  await host().call('POST', '/keys', { pool: 'seats', count: 20 });
});

/** Recorded every minute but for the ten from the thirtieth on, with one in which somebody was refused. */
function pointsFrom(from: number, stepMinutes: number): UsagePoint[] {
  return Array.from({ length: 55 }, (_, index) => ({
    at: new Date(from + index * stepMinutes * MINUTE).toISOString(),
    minutes: stepMinutes,
    refusedMinutes: index === 5 ? 1 : 0,
    peak: 12,
    keys: 20,
    leased: 10,
    leastLeased: 8,
    free: 8,
    cooling: 2,
    waiting: 0,
  })).filter((_, index) => index < 30 || index >= 40);
}

/** Answers for the service, which records a minute at a time, and says what was asked. */
async function answerUsage(page: Page): Promise<string[]> {
  const asked: string[] = [];
  const windowOf = (hours: number) => {
    const stepMinutes = hours;
    const to = (Math.floor(Date.now() / MINUTE) + 1) * MINUTE;
    const from = to - 60 * stepMinutes * MINUTE;
    const times = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    return { ...times, stepMinutes, resolutionMinutes: 1, points: pointsFrom(from, stepMinutes) } as const;
  };
  await page.route('**/v1/usage?**', (route) => {
    const { points, ...times } = windowOf(1);
    return route.fulfill({ json: { ...times, pools: [{ pool: 'seats', points }] } });
  });
  await page.route('**/v1/pools/*/usage?**', (route) => {
    const { pathname, searchParams } = new URL(route.request().url());
    asked.push(`${pathname} ${searchParams.get('hours')}`);
    const totals = { minutes: 45, refusedMinutes: 3, peak: 12, p50: 8, p95: 11, p99: 12, p999: 12 };
    const keys = { count: 20, relation: 'exact' } as const;
    const usage: Usage = { pool: 'seats', keys, totals, ...windowOf(Number(searchParams.get('hours'))) };
    return route.fulfill({ json: usage });
  });
  return asked;
}

/** How many lines a path has: one more than gaps. */
const linesOf = (path: string | null): number => path?.match(/M/g)?.length ?? 0;

test('charts are full from the first paint on, and what nobody recorded is a gap', async () => {
  const { page } = await open(host().url);
  const asked = await answerUsage(page);
  await page.goto(host().signInLink);
  const chart = page.getByRole('img', { name: /^Keys of seats in use in the last hour/ });
  await page.getByLabel('Pool in the chart').selectOption('seats');
  await chart.waitFor();
  const line = chart.locator('.chart-leased-line');
  expect(linesOf(await line.getAttribute('d'))).toBe(3);
  const spark = page.locator('[data-pool="seats"] .chart-leased-line');
  expect(linesOf(await spark.getAttribute('d'))).toBe(3);
  expect(await chart.locator('.chart-refused').count()).toBe(1);
  await page.getByText('a caller was refused').waitFor();
  await page
    .getByText(
      '12 keys would have covered 99.9 % of the 45 known minutes of the last hour; you have 20; refused in 3 minutes',
    )
    .waitFor();
  expect(await findViolations(page)).toEqual([]);

  // The numbers of a moment are those below the pointer.
  const legend = page.getByRole('region', { name: 'Keys in use' });
  const says = (text: RegExp) => expect.poll(() => legend.innerText()).toMatch(text);
  await says(/leased\s+0\s/);
  const box = (await chart.boundingBox()) as { x: number; y: number; width: number; height: number };
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
  await says(/leased\s+10\s+cooling\s+2\s+all keys\s+20\s/);
  await page.mouse.move(box.x + box.width * 0.58, box.y + box.height / 2);
  await says(/leased\s+cooling\s+all keys\s/);

  for (const [name, hours] of [
    ['24 hours', 24],
    ['7 days', 168],
    ['1 year', 8760],
  ] as const) {
    await page.getByLabel('Time in the chart').selectOption(name);
    const other = page.getByRole('img', {
      name: `Keys of seats in use in the last ${name.replace(/^1 /, '')}`,
    });
    await other.waitFor();
    // Nothing is known of now: these have what is recorded only.
    expect(linesOf(await other.locator('.chart-leased-line').getAttribute('d'))).toBe(2);
    expect(asked.at(-1)).toBe(`/v1/pools/seats/usage ${hours}`);
  }
});

test('a pool has its chart on its own page too, on demand', async () => {
  const { page } = await open(host().url);
  await answerUsage(page);
  await page.goto(`${host().url}/pool?name=seats#credential=${host().credential}`);
  await page.getByRole('button', { name: 'Usage' }).click();
  await page.getByText('12 keys would have covered 99.9 %').waitFor();
});

test('while nothing is recorded, the chart shows what the page has seen', async () => {
  const { page } = await open(host().signInLink);
  await page.getByLabel('Pool in the chart').selectOption('seats');
  const chart = page.getByRole('img', { name: /^Keys of seats in use/ });
  expect(linesOf(await chart.locator('.chart-keys-line').getAttribute('d'))).toBe(1);
});

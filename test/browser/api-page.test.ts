import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

test('the API page shows every route, from this origin alone and under the strict policy', async () => {
  const { page, requested } = await open(`${host().url}/docs`);
  await page.getByRole('heading', { name: /Token Orchestrator/ }).waitFor();
  const document = (await (await fetch(`${host().url}/docs/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
  expect(operations.length).toBeGreaterThan(15);
  await expect.poll(() => page.locator('.opblock').count()).toBe(operations.length);
  expect(requested.filter((url) => !url.startsWith(host().url) && !url.startsWith('data:'))).toEqual([]);

  await page.locator('.opblock', { hasText: 'Acquire a key' }).first().click();
  await page.getByText('no_key_available').first().waitFor();
});

test.each([
  { colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const)('the API page is accessible in $colorScheme at $viewport.width px', async (options) => {
  const { page } = await open(`${host().url}/docs`, options);
  await page.locator('.opblock', { hasText: 'Acquire a key' }).first().click();
  await page.getByText('no_key_available').first().waitFor();
  // Swagger UI decides the order of its headings, which axe calls moderate.
  expect(await findViolations(page, ['serious', 'critical'])).toEqual([]);
});

test('dashboard and API page lead to each other, in the theme that was chosen', async () => {
  const { page } = await open(host().signInLink, { colorScheme: 'light' });
  await page.getByRole('button', { name: 'Theme: as the system. Change to light' }).click();
  await page.getByRole('button', { name: 'Theme: light. Change to dark' }).click();
  await page.getByRole('link', { name: 'API' }).click();
  await page.getByRole('heading', { name: /Token Orchestrator/ }).waitFor();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
    'rgb(11, 12, 16)',
  );
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

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

test.each(['light', 'dark'] as const)(
  'the API page is accessible in %s, on a phone too',
  async (colorScheme) => {
    for (const viewport of [
      { width: 1280, height: 860 },
      { width: 360, height: 740 },
    ]) {
      const { page } = await open(`${host().url}/docs`, { colorScheme, viewport });
      await page.locator('.opblock', { hasText: 'Acquire a key' }).first().click();
      await page.getByText('no_key_available').first().waitFor();
      // The order of Swagger UI's headings is its own.
      expect(await findViolations(page, ['serious', 'critical'])).toEqual([]);
    }
  },
);

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

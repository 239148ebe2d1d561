import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

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

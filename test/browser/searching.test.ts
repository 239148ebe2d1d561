import type { Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

/** A key as the service describes it. */
function keyNamed(keyId: string) {
  const createdAt = new Date().toISOString();
  return {
    keyId,
    pool: 'default',
    state: 'free',
    fencingToken: 1,
    createdAt,
    expiresAt: null,
    expiresInMs: null,
  };
}

/** Responds to searches: `pages` has the ids on each page; `hold` gets the requests for pages after them. */
async function answerSearches(page: Page, pages: readonly string[][], hold?: (route: Route) => void) {
  const asked: number[] = [];
  await page.route('**/v1/keys?**search=**', async (route) => {
    const place = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
    asked.push(place);
    const ids = pages[place];
    if (ids === undefined) return hold?.(route);
    const isLast = place === pages.length - 1 && hold === undefined;
    const body = { keys: ids.map(keyNamed), ...(!isLast && { nextCursor: String(place + 1) }) };
    await route.fulfill({ json: body });
  });
  return asked;
}

test('a search goes on through empty pages by itself until something shows, and to the end', async () => {
  await host().call('POST', '/keys', { count: 3 });
  const { page } = await open(`${host().url}/pool?name=default#credential=${host().credential}`);
  await page.locator('[data-key]').first().waitFor();
  await answerSearches(page, [[], [], [], ['key_far_away'], [], []]);
  await page.getByRole('searchbox').fill('key_far');
  await page.locator('[data-key="key_far_away"]').waitFor();
  await page.getByText('The only one').waitFor();
  await answerSearches(page, [[], [], []]);
  await page.getByRole('searchbox').fill('key_nowhere');
  await page.getByText('No such key').waitFor();
});

test('a search that goes on says so, and can be stopped and taken up again', async () => {
  await host().call('POST', '/keys', { count: 3 });
  const { page } = await open(`${host().url}/pool?name=default#credential=${host().credential}`);
  await page.locator('[data-key]').first().waitFor();
  let held: Route | undefined;
  const asked = await answerSearches(page, [[], ['key_found'], []], (route) => {
    held = route;
  });
  await page.getByRole('searchbox').fill('key_');
  await page.getByText('1 found, searching…').waitFor();
  await expect.poll(() => held).toBeDefined();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('1 so far').waitFor();
  await held?.fulfill({ json: { keys: [], nextCursor: '4' } });

  const button = page.getByRole('button', { name: 'Search on' });
  await button.waitFor();
  expect(asked).not.toContain(4);
  await button.click();
  await expect.poll(() => asked).toContain(4);
});

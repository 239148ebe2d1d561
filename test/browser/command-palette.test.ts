import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();
let keyId: string;

beforeAll(async () => {
  await host().call('PUT', '/pools/render-farm', { keyTtlSeconds: null });
  const { keys } = await host().call<{ keys: [{ keyId: string }] }>('POST', '/keys', { pool: 'render-farm' });
  keyId = keys[0].keyId;
});

const options = (page: Page) => page.getByRole('listbox', { name: 'Commands' }).getByRole('option');

/** Opens the palette by keyboard, types, and returns what it offers. */
async function ask(page: Page, text: string): Promise<string[]> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Page, pool, key id or action' }).waitFor();
  await page.keyboard.type(text);
  return options(page).allInnerTexts();
}

const headingIs = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();

test('by keyboard alone one goes to a page, a pool and a key by its id', async () => {
  const { page } = await open(host().signInLink);
  await page.locator('[data-pool]').first().waitFor();
  expect(await ask(page, 'RENDER')).toEqual(['render-farm\nPool', 'RENDER\nKey']);
  expect(await findViolations(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await headingIs(page, 'render-farm');

  await ask(page, 'page');
  const active = (): Promise<string | null> =>
    options(page).and(page.locator('[aria-selected=true]')).innerText();
  expect(await active()).toBe('Overview\nPage');
  await page.keyboard.press('ArrowDown');
  expect(await active()).toBe('Holders\nPage');
  const combobox = page.getByRole('combobox', { name: 'Page, pool, key id or action' });
  const described = await combobox.getAttribute('aria-activedescendant');
  expect(await page.locator(`[id="${described}"]`).innerText()).toBe('Holders\nPage');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await headingIs(page, 'Holders');

  expect(await ask(page, keyId)).toEqual([`${keyId}\nKey`]);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Key' }).getByText('Fencing token').waitFor();
  expect(new URL(page.url()).search).toBe(`?name=render-farm&key=${keyId}`);
});

test('what the buttons of a page do is done by their names, and what nothing is named says so', async () => {
  const { page } = await open(`${host().url}/pool?name=render-farm#credential=${host().credential}`);
  await page.locator('[data-key]').first().waitFor();
  expect(await ask(page, 'action create')).toEqual(['Create keys\nAction']);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Create keys in render-farm' }).waitFor();
  // Not over another dialog.
  await page.keyboard.press('Control+k');
  expect(await options(page).count()).toBe(0);
  await page.keyboard.press('Escape');

  expect(await ask(page, 'no such thing')).toEqual([]);
  await page.getByText('Nothing has this name.').waitFor();
  await page.keyboard.press('Escape');
  await ask(page, 'key_nowhere');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('This key is gone').waitFor();
});

test('a client is offered only what it may see, and the palette has a button for those without a keyboard', async () => {
  const { credential } = await host().call<{ credential: string }>('POST', '/clients', { role: 'client' });
  const { page } = await open(`${host().url}/#credential=${credential}`, {
    viewport: { width: 390, height: 844 },
  });
  await headingIs(page, 'Try it');
  await page.getByRole('button', { name: 'Go to, or do (Ctrl K)' }).click();
  await options(page).filter({ hasText: 'Try it' }).waitFor();
  const offered = await options(page).allInnerTexts();
  expect(offered.filter((text) => /Page|Pool|Key/.test(text))).toEqual(['Try it\nPage']);
  await options(page)
    .filter({ hasText: /^Theme/ })
    .click();
  await page.getByRole('button', { name: 'Theme: light. Change to dark' }).waitFor();
});

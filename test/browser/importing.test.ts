import type { Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import type { HeldLease } from '../../shared/contract/leases.ts';
import type { Pool } from '../../shared/contract/pools.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

/** The dialog in which secrets are imported into a new pool. */
async function openImport(pool: string) {
  const { call, url, credential } = host();
  await call('PUT', `/pools/${pool}`, {});
  const { page } = await open(`${url}/pool?name=${pool}#credential=${credential}`);
  await page.getByRole('button', { name: 'Create keys' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Import secrets, one key each').check();
  return {
    page,
    dialog,
    text: dialog.getByLabel('Secrets, one a line'),
    /** Typed by the browser's driver, thousands of lines would take a minute. */
    chooseFile: (lines: readonly string[]) =>
      dialog.getByLabel('Read them from a file').setInputFiles({
        name: 'keys.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from(lines.join('\n')),
      }),
    submit: dialog.getByRole('button', { name: /^Import/ }),
    free: async () => (await call<Pool>('GET', `/pools/${pool}`)).counts.free.count,
    acquire: () => call<HeldLease>('POST', '/leases', { pool }),
  };
}

function secrets(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `secret-${index}`);
}

/** Holds back the requests that create keys; returns those that came. */
async function holdCreations(page: Page): Promise<Route[]> {
  const held: Route[] = [];
  await page.route('**/v1/keys', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    held.push(route);
    return undefined;
  });
  return held;
}

test('secrets that are pasted, one a line, become keys, each for its holder alone', async () => {
  const { page, dialog, text, submit, acquire, free } = await openImport('pasted');
  await text.focus();
  await page.keyboard.insertText('  sk-first \r\n\n\tsk-second\n');
  expect(await submit.innerText()).toBe('Import 2 keys');
  expect(await findViolations(page)).toEqual([]);
  await submit.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('2 keys imported into pasted').waitFor();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('[data-key]').count()).toBe(2);
  expect(await page.content()).not.toContain('sk-');
  expect(await free()).toBe(2);
  expect([(await acquire()).value, (await acquire()).value].toSorted()).toEqual(['sk-first', 'sk-second']);
});

test('a file of many lines is imported in batches, with its progress', async () => {
  const { page, dialog, chooseFile, submit, free } = await openImport('bulk');
  const held = await holdCreations(page);
  await chooseFile(secrets(2500));
  await expect.poll(() => submit.innerText()).toBe('Import 2,500 keys');
  await submit.click();
  for (const done of [0, 1000, 2000]) {
    await expect.poll(() => held.length).toBe(done / 1000 + 1);
    await dialog.getByText(`${done.toLocaleString('en')} of 2,500 imported`).waitFor();
    expect(await dialog.getByRole('progressbar').getAttribute('value')).toBe(String(done));
    if (done === 1000) expect(await findViolations(page)).toEqual([]);
    await held.at(-1)?.continue();
  }
  await page.getByRole('status').getByText('2,500 keys imported into bulk').waitFor();
  await dialog.waitFor({ state: 'detached' });
  expect(await free()).toBe(2500);
});

test('a refusal names the lines, and an import that was mended goes on behind what is imported', async () => {
  const { page, dialog, text, chooseFile, submit, free } = await openImport('mended');
  await host().call('POST', '/keys', { pool: 'mended', values: ['secret-1002', 'secret-1004'] });
  await text.fill([...secrets(3), '', 'secret-1'].join('\n'));
  await submit.click();
  await dialog.getByText('Line 5 is the same as line 2').waitFor();
  expect(await text.getAttribute('aria-invalid')).toBe('true');
  expect(await findViolations(page)).toEqual([]);

  await text.fill(['', 'x'.repeat(4097)].join('\n'));
  await submit.click();
  await dialog.getByText('Line 2: Must have at most 4096 bytes').waitFor();
  expect(await free()).toBe(2);

  await chooseFile(secrets(1006));
  await expect.poll(() => submit.innerText()).toBe('Import 1,006 keys');
  await submit.click();
  await dialog
    .getByText('1,000 lines imported, and taken out of the text. Lines 3, 5: Is in the pool already')
    .waitFor();
  expect(await text.inputValue()).toBe(secrets(1006).slice(1000).join('\n'));
  expect(await free()).toBe(1002);

  await text.fill('secret-1000\nsecret-1001\nsecret-1003\nsecret-1005');
  await submit.click();
  await dialog.waitFor({ state: 'detached' });
  expect(await free()).toBe(1006);
});

test('an import whose answer was lost is repeated without a second key', async () => {
  const { page, dialog, text, submit, free } = await openImport('unsure');
  const loseAnswer = async (route: Route): Promise<void> => {
    await route.fetch();
    await route.abort();
  };
  await page.route('**/v1/keys', loseAnswer, { times: 1 });
  await text.fill('once');
  await submit.click();
  await dialog.getByText('it is unknown whether this was done').waitFor();
  expect(await free()).toBe(1);
  await submit.click();
  await dialog.waitFor({ state: 'detached' });
  expect(await free()).toBe(1);
});

test('a dialog that is closed stops the import after the batch under way', async () => {
  const { page, dialog, chooseFile, submit, free } = await openImport('stopped');
  const held = await holdCreations(page);
  await chooseFile(secrets(2500));
  await expect.poll(() => submit.innerText()).toBe('Import 2,500 keys');
  await submit.click();
  await expect.poll(() => held.length).toBe(1);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await held[0]?.continue();
  await page.getByRole('status').getByText('1,000 keys imported into stopped').waitFor();
  expect(await free()).toBe(1000);
  expect(held.length).toBe(1);
});

test.each(['value,region\nsk-1,eu', '[{"value": "sk-1"}]'])(
  'a form that only the command line reads is not taken for secrets: %j',
  async (content) => {
    const { dialog, text, submit, free } = await openImport(content.startsWith('[') ? 'json' : 'csv');
    await text.fill(content);
    await submit.click();
    await dialog.getByText(/^This looks like (CSV|JSON)/).waitFor();
    expect(await free()).toBe(0);
  },
);

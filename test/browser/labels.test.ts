import { expect, test } from 'vitest';
import type { Key } from '../../shared/contract/keys.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

/** The page of a pool with one key, and what the API says of the key. */
async function openKey(pool: string, labels?: Key['labels']) {
  const { call, url, credential } = host();
  await call('PUT', `/pools/${pool}`, {});
  const { keys } = await call<{ keys: [Key] }>('POST', '/keys', { pool, labels });
  const [{ keyId }] = keys;
  const { page } = await open(`${url}/pool?name=${pool}#credential=${credential}`);
  const row = page.locator(`[data-key="${keyId}"]`);
  await row.waitFor();
  return {
    page,
    row,
    opener: row.getByRole('button', { name: `Labels of ${keyId}` }),
    dialog: page.getByRole('dialog'),
    labels: async () => (await call<Key>('GET', `/keys/${keyId}`)).labels,
  };
}

test('labels are added, changed and removed by keyboard, and found by the search', async () => {
  const { page, row, opener, dialog, labels } = await openKey('noted', { account: 'ci-7', old: 'x' });
  const { keyboard } = page;
  await row.getByText('account=ci-7, old=x').waitFor();
  await opener.focus();
  await keyboard.press('Enter');
  // The first field has the focus; its neighbour is the text.
  await keyboard.press('Tab');
  await keyboard.type('ci-8');
  await dialog.getByRole('button', { name: 'Remove label 2' }).focus();
  await keyboard.press('Enter');
  const focused = page.locator(':focus');
  await expect.poll(() => focused.inputValue()).toBe('account');
  await dialog.getByRole('button', { name: 'Add a label' }).focus();
  await keyboard.press('Enter');
  await keyboard.type('region');
  await keyboard.press('Tab');
  await keyboard.type('eu-central');
  expect(await findViolations(page)).toEqual([]);
  await keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  expect(await labels()).toEqual({ account: 'ci-8', region: 'eu-central' });
  await row.getByText('account=ci-8, region=eu-central').waitFor();
  await expect.poll(() => opener.evaluate((element) => element === document.activeElement)).toBe(true);

  await page.getByRole('searchbox').fill('region=eu');
  await page.getByText('The only one').waitFor();
  await page.getByRole('searchbox').fill('region=us');
  await page.getByText('No such key').waitFor();
});

test('all labels of a key can be taken off', async () => {
  const { row, opener, dialog, labels } = await openKey('bare', { only: 'one' });
  await opener.click();
  await dialog.getByRole('button', { name: 'Remove label 1' }).click();
  await dialog.getByRole('button', { name: 'Save labels' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await labels()).toEqual({});
  expect(await row.getByText('only=one').count()).toBe(0);
});

test('a label that cannot be is refused at its field, and there are at most eight', async () => {
  const { page, opener, dialog, labels } = await openKey('strict', { account: 'ci-7' });
  await opener.click();
  const save = dialog.getByRole('button', { name: 'Save labels' });
  const explained = async (label: string): Promise<string> => {
    const field = dialog.getByLabel(label);
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    return page.locator(`[id="${await field.getAttribute('aria-describedby')}"]`).innerText();
  };
  await dialog.getByRole('button', { name: 'Add a label' }).click();
  await dialog.getByLabel('Name 2').fill('account');
  await dialog.getByLabel('Text 2').fill('x');
  expect(await explained('Name 2')).toBe('There is a label of this name already');
  expect(await save.isDisabled()).toBe(true);
  await dialog.getByLabel('Name 2').fill('no spaces');
  expect(await explained('Name 2')).toContain('Letters, digits');
  expect(await findViolations(page)).toEqual([]);

  // The rest is found by the API.
  await dialog.getByLabel('Name 2').fill('bell');
  await dialog.getByLabel('Text 2').fill('rings\u0007');
  await save.click();
  await dialog.getByText('Must have no control characters').waitFor();
  expect(await explained('Text 2')).toBe('Must have no control characters');
  expect(await labels()).toEqual({ account: 'ci-7' });

  for (let count = 3; count <= 8; count += 1)
    await dialog.getByRole('button', { name: 'Add a label' }).click();
  expect(await dialog.getByRole('button', { name: 'At most 8 labels' }).isDisabled()).toBe(true);
});

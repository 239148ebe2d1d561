import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Key } from '../../shared/contract/keys.ts';
import type { HeldLease } from '../../shared/contract/leases.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

const acquire = (pool: string, holder: string) => host().call<HeldLease>('POST', '/leases', { pool, holder });

/** A pool with so many keys, of which some are leased, the first one longest. */
async function makePool(pool: string, count: number, holders: readonly string[]): Promise<HeldLease[]> {
  await host().call('PUT', `/pools/${pool}`, { leaseSeconds: 600, keyTtlSeconds: null });
  await host().call('POST', '/keys', { pool, count });
  const leases = [];
  for (const holder of holders) leases.push(await acquire(pool, holder));
  return leases;
}

const openPool = async (pool: string, query = '', options = {}): Promise<Page> =>
  (await open(`${host().url}/pool?name=${pool}${query}#credential=${host().credential}`, options)).page;

const rows = (page: Page) => page.locator('[data-key]');
const holdersOf = async (page: Page): Promise<string[]> =>
  (await page.locator('[data-key] .key-row-holder').allInnerTexts()).map((text) => text.split('\n')[0] ?? '');

test('leased keys come first, the longest-held one before all, and each heading sorts', async () => {
  await makePool('ordered', 6, ['zoe', 'Adam', 'mia']);
  const page = await openPool('ordered');
  await expect.poll(() => holdersOf(page)).toEqual(['zoe', 'Adam', 'mia', '–', '–', '–']);
  expect(await rows(page).first().locator('.key-row-held').innerText()).toMatch(/^\d+ s$/);
  for (const [state, count] of [
    ['all', 6],
    ['free', 3],
    ['leased', 3],
    ['cooling', 0],
  ])
    await page.getByLabel(`${state} ${count}`, { exact: true }).waitFor({ state: 'attached' });

  const holder = page.getByRole('columnheader', { name: 'Holder' });
  await holder.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => holdersOf(page)).toEqual(['Adam', 'mia', 'zoe', '–', '–', '–']);
  expect(await holder.getAttribute('aria-sort')).toBe('ascending');
  await page.keyboard.press('Enter');
  // Who holds nothing stays behind.
  await expect.poll(() => holdersOf(page)).toEqual(['zoe', 'mia', 'Adam', '–', '–', '–']);
  expect(await holder.getAttribute('aria-sort')).toBe('descending');
});

test('a sorted list that is not whole says so, and is loaded on demand', async () => {
  await makePool('partial', 320, ['first', 'second']);
  const page = await openPool('partial');
  await expect.poll(async () => (await holdersOf(page)).slice(0, 3)).toEqual(['first', 'second', '–']);
  await page.getByRole('columnheader', { name: 'Fencing token' }).getByRole('button').click();
  await page.getByText(/^Sorted among the \d\d\d keys that are loaded/).waitFor();
  await page.getByRole('button', { name: 'Load up to 10,000' }).click();
  await page.getByText('All 320', { exact: true }).waitFor();
  expect(await page.getByText('Sorted among').count()).toBe(0);
});

test('a row opens the whole story of its key, which has an address of its own', async () => {
  const [lease] = await makePool('told', 2, ['render-7']);
  const keyId = lease?.keyId as string;
  await host().call('PATCH', `/keys/${keyId}`, { labels: { account: 'ci-7' } });
  const page = await openPool('told');
  const opener = page.getByRole('button', { name: keyId, exact: true });
  await opener.focus();
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('dialog', { name: 'Key' });
  await drawer.getByText('account=ci-7').waitFor();
  expect(await drawer.innerText()).toMatch(/render-7 client_test[\s\S]+for \d+ s, since/);
  await drawer.getByText('Nothing has happened').or(drawer.getByText('No event')).first().waitFor();
  expect(new URL(page.url()).search).toBe(`?name=told&key=${keyId}`);
  expect(await findViolations(page)).toEqual([]);

  await drawer.getByRole('button', { name: 'Unblock' }).click();
  await page
    .getByRole('dialog', { name: 'Unblock this key?' })
    .getByRole('button', { name: 'Unblock key' })
    .click();
  await drawer.getByText('cooling').waitFor();
  await drawer.locator('[data-event="lease.unblocked"]').waitFor();

  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  await expect.poll(() => opener.evaluate((element) => element === document.activeElement)).toBe(true);
  expect(new URL(page.url()).search).toBe('?name=told');
  await page.locator(`[data-key="${keyId}"] .key-row-token`).click();
  await drawer.waitFor();
  await page.goBack();
  await drawer.waitFor({ state: 'detached' });

  const linked = await openPool('told', '&key=key_nowhere');
  await linked.getByRole('dialog').getByText('This key is gone').waitFor();
});

test('many keys are unblocked at once, and one that somebody else holds by now is left alone and named', async () => {
  const leases = await makePool('many', 4, ['a', 'b', 'c']);
  const page = await openPool('many');
  await expect.poll(() => rows(page).count()).toBe(4);
  await page.getByLabel('Select all 4 in the list').focus();
  await page.keyboard.press('Space');
  const bar = page.getByRole('toolbar', { name: 'Selected keys' });
  await bar.getByText('4 selected').waitFor();
  await bar.getByRole('button', { name: 'Unblock' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Of 4 keys 3 are leased or cooling').waitFor();
  expect(await findViolations(page)).toEqual([]);

  const changed = leases[1] as HeldLease;
  await host().call('DELETE', `/leases/${changed.leaseId}`);
  const taken = [await acquire('many', 'd'), await acquire('many', 'e')];
  expect(taken.map(({ keyId }) => keyId)).toContain(changed.keyId);
  await dialog.getByRole('button', { name: 'Unblock 3 keys' }).click();
  await dialog.getByText('2 of 3 done, 1 failed').waitFor();
  const failed = dialog.locator('[data-failed]');
  expect(await failed.count()).toBe(1);
  expect(await failed.innerText()).toContain(`${changed.keyId}\nSomebody else holds it now`);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  const { keys } = await host().call<{ keys: Key[] }>('GET', '/keys?pool=many');
  expect(keys.map(({ lease, state }) => lease?.holder ?? state).sort()).toEqual([
    'cooling',
    'cooling',
    'd',
    'e',
  ]);
  // What is done is selected no more.
  await bar.getByText('2 selected').waitFor();
  await bar.getByRole('button', { name: 'Clear the selection' }).click();
  await bar.waitFor({ state: 'detached' });
});

test('a key is paused and resumed from its story, and many at once', async () => {
  const [lease] = await makePool('repair', 3, ['driver']);
  const page = await openPool('repair', `&key=${lease?.keyId}`);
  const drawer = page.getByRole('dialog', { name: 'Key' });
  await drawer.getByRole('button', { name: 'Pause' }).click();
  const asked = page.getByRole('dialog', { name: 'Pause 1 key?' });
  await asked.getByLabel('Reason').fill('In repair');
  await asked.getByRole('button', { name: 'Pause 1 key' }).click();
  await asked.waitFor({ state: 'detached' });
  await drawer.getByText(/^by client_test, since .*: In repair. The lease goes on$/).waitFor();
  await drawer.locator('[data-event="key.paused"]').waitFor();
  await drawer.getByRole('button', { name: 'Resume' }).click();
  await drawer.getByRole('button', { name: 'Pause' }).waitFor();
  await page.keyboard.press('Escape');

  const bar = page.getByRole('toolbar', { name: 'Selected keys' });
  const dialog = page.getByRole('dialog');
  for (const verb of ['Pause', 'Resume']) {
    await page.getByLabel('Select all 3 in the list').check();
    await bar.getByRole('button', { name: verb }).click();
    await dialog.getByRole('button', { name: `${verb} 3 keys` }).click();
    await dialog.getByText('3 of 3 done', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    const states = verb === 'Pause' ? ['leased', 'paused', 'paused'] : ['leased', 'free', 'free'];
    await expect
      .poll(() => rows(page).evaluateAll((all) => all.map((row) => row.getAttribute('data-state'))))
      .toEqual(states);
  }
});

test('no row moves away under the pointer; once that leaves, the leased ones are first again', async () => {
  const [first, second] = (await makePool('pointed', 2, ['first', 'second'])) as [HeldLease, HeldLease];
  const page = await openPool('pointed');
  const order = () => rows(page).evaluateAll((all) => all.map((row) => row.getAttribute('data-key')));
  await expect.poll(order).toEqual([first.keyId, second.keyId]);
  await rows(page).last().hover();
  await host().call('DELETE', `/leases/${first.leaseId}`);
  await page.locator(`[data-key=${first.keyId}][data-state=free]`).waitFor();
  expect(await order()).toEqual([first.keyId, second.keyId]);
  await page.mouse.move(1, 1);
  await expect.poll(order).toEqual([second.keyId, first.keyId]);
});

test('many keys are refreshed or deleted, with the leases that were shown', async () => {
  await makePool('cleared', 3, ['a']);
  const page = await openPool('cleared');
  await expect.poll(() => rows(page).count()).toBe(3);
  const bar = page.getByRole('toolbar', { name: 'Selected keys' });
  const dialog = page.getByRole('dialog');
  for (const index of [0, 1]) await rows(page).nth(index).getByRole('checkbox').check();
  await bar.getByRole('button', { name: 'Refresh' }).click();
  await dialog.getByRole('button', { name: 'Refresh 2 keys' }).click();
  await dialog.getByText('2 of 2 done', { exact: true }).waitFor();
  await page.keyboard.press('Escape');

  for (const index of [0, 1]) await rows(page).nth(index).getByRole('checkbox').check();
  await bar.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByText('1 holder will be told').waitFor();
  await dialog.getByRole('button', { name: 'Delete 2 keys' }).click();
  await dialog.getByText('2 of 2 done', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => rows(page).count()).toBe(1);
});

test('on a phone a free key is one line, a leased one two, and both can be sorted', async () => {
  await makePool('pocket', 3, ['walker']);
  const page = await openPool('pocket', '', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  await expect.poll(() => rows(page).count()).toBe(3);
  const heightOf = async (index: number): Promise<number> =>
    (await rows(page).nth(index).boundingBox())?.height ?? 0;
  expect([await heightOf(0), await heightOf(1)]).toEqual([68, 44]);
  expect(await rows(page).first().innerText()).toMatch(/walker\s+held \d+ s|walker[\s\S]*\d+ s/);
  expect((await rows(page).last().innerText()).split('\n').length).toBe(2);
  await page.getByLabel('Sort by').selectOption('Held');
  await expect.poll(async () => await rows(page).first().getAttribute('data-state')).toBe('leased');
  expect(await findViolations(page)).toEqual([]);
});

test('who may only read has nothing to select, and reads the story', async () => {
  await makePool('shown', 1, ['watched']);
  const { credential } = await host().call<{ credential: string }>('POST', '/clients', { role: 'viewer' });
  const { page } = await open(`${host().url}/pool?name=shown#credential=${credential}`);
  await rows(page).first().click();
  const drawer = page.getByRole('dialog', { name: 'Key' });
  await drawer.getByText('watched').waitFor();
  expect(await drawer.getByRole('button', { name: 'Unblock' }).count()).toBe(0);
  expect(await page.getByRole('checkbox').count()).toBe(0);
});

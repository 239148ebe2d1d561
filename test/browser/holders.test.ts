import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { Key } from '../../shared/contract/keys.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();
const held = (page: Page) => page.locator('[data-held]');
const holdersOf = (page: Page): Promise<string[]> => page.locator('[data-held] th').allInnerTexts();

let farm: { clientId: string; credential: string };

beforeAll(async () => {
  const { call } = host();
  farm = await call('POST', '/clients', { role: 'client' });
  for (const pool of ['licences', 'phones']) {
    await call('PUT', `/pools/${pool}`, { leaseSeconds: 600, keyTtlSeconds: null });
    await call('POST', '/keys', { pool, count: 4 });
  }
  await call('POST', '/leases', { pool: 'phones', holder: 'oldest' });
  await call('POST', '/leases', { pool: 'licences', holder: 'render-1' }, farm.credential);
  await call('POST', '/leases', { pool: 'phones', holder: 'render-2' }, farm.credential);
  await call('POST', '/leases', { pool: 'licences', holder: 'youngest' });
});

const openHolders = async (query = '', options = {}): Promise<Page> =>
  (await open(`${host().url}/holders${query}#credential=${host().credential}`, options)).page;

test('who holds what is told across pools, the oldest lease first, and narrowed down', async () => {
  const page = await openHolders();
  await expect.poll(() => holdersOf(page)).toEqual(['oldest', 'render-1', 'render-2', 'youngest']);
  expect((await held(page).nth(1).innerText()).split('\t')).toEqual([
    'render-1',
    farm.clientId,
    'licences',
    expect.stringMatching(/^key_/),
    expect.stringMatching(/^\d+ s$/),
    expect.stringMatching(/^(9|10) min \d\d s$/),
    'End lease',
  ]);
  await page.getByLabel('Filter by holder').fill('RENDER');
  await expect.poll(() => holdersOf(page)).toEqual(['render-1', 'render-2']);
  await page.getByLabel('Pool', { exact: true }).selectOption('phones');
  await expect.poll(() => holdersOf(page)).toEqual(['render-2']);
  expect(new URL(page.url()).search).toBe('?pool=phones');
  await page.getByLabel('Filter by holder').fill('nobody');
  await page.getByText('No lease matches.').waitFor();
  expect(await findViolations(page)).toEqual([]);
});

test('a lease is ended where it is listed, and its key opens from there', async () => {
  const page = await openHolders('?pool=licences', { viewport: { width: 390, height: 844 } });
  await expect.poll(() => holdersOf(page)).toEqual(['render-1', 'youngest']);
  expect(await findViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'End lease of youngest' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unblock key' }).click();
  await expect.poll(() => holdersOf(page)).toEqual(['render-1']);
  await page.getByTitle(/^Key key_/).click();
  await page.getByRole('dialog', { name: 'Key' }).getByText('render-1').waitFor();
});

test('all leases of a client are ended at once, and those of no other', async () => {
  const { page } = await open(`${host().url}/clients#credential=${host().credential}`);
  await page.getByRole('link', { name: `2 leases of ${farm.clientId}` }).click();
  await expect.poll(() => holdersOf(page)).toEqual(['render-1', 'render-2']);
  await page.getByRole('button', { name: `End all leases of ${farm.clientId}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Unblock 2 keys' }).click();
  await dialog.getByText('2 of 2 done').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('No lease matches.').waitFor();
  await page.getByRole('button', { name: 'Every client' }).click();
  await expect.poll(() => holdersOf(page)).toContain('oldest');
  const { keys } = await host().call<{ keys: Key[] }>('GET', '/keys?pool=phones&state=leased');
  expect(keys.map(({ lease }) => lease?.holder)).toEqual(['oldest']);
});

test('of many leases the oldest are shown, with a word about the others, which come on demand', async () => {
  const { call } = host();
  await call('PUT', '/pools/many', { leaseSeconds: 600, keyTtlSeconds: null });
  await call('POST', '/keys', { pool: 'many', count: 205 });
  const many = await call<typeof farm>('POST', '/clients', { role: 'client', description: 'Many' });
  for (let index = 0; index < 205; index += 1)
    await call('POST', '/leases', { pool: 'many', holder: `worker-${index}` }, many.credential);
  const page = await openHolders(`?client=${many.clientId}`);
  const status = page.locator('#leases-heading ~ * [role=status]');
  await status.filter({ hasText: '100 leases so far' }).waitFor();
  expect((await holdersOf(page)).at(-1)).toBe('worker-99');
  await page.getByRole('button', { name: `End these leases of ${many.clientId}` }).waitFor();
  const more = page.getByRole('button', { name: 'Show more' });
  await more.click();
  await status.filter({ hasText: '200 leases so far' }).waitFor();
  await more.click();
  await status.filter({ hasText: /^205 leases, the oldest first$/ }).waitFor();
  expect(await more.count()).toBe(0);
  await page.getByLabel('Filter by holder').fill('ER-204');
  await expect.poll(() => holdersOf(page)).toEqual(['worker-204']);
  const { page: clients } = await open(`${host().url}/clients#credential=${host().credential}`);
  await clients.getByRole('link', { name: '205 leases of Many' }).waitFor();
});

test('who may only read ends nothing, and a client is offered no such page', async () => {
  const { call, url } = host();
  const viewer = await call<{ credential: string }>('POST', '/clients', { role: 'viewer' });
  const { page } = await open(`${url}/holders#credential=${viewer.credential}`);
  await held(page).first().waitFor();
  expect(await page.getByRole('button', { name: /^End/ }).count()).toBe(0);
  const { page: theirs } = await open(`${url}/holders#credential=${farm.credential}`);
  await theirs.getByRole('heading', { name: 'Nothing here' }).waitFor();
});

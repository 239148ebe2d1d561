import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

/** Signs in as a new admin, so that a test does not see the leases of another. */
async function openAsNewAdmin(address = '/'): Promise<Page> {
  const { credential } = await host().call<{ credential: string }>('POST', '/clients', { role: 'admin' });
  return (await open(`${host().url}${address}#credential=${credential}`)).page;
}

/** The seconds on the countdown of the newest lease. */
async function secondsLeft(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByRole('timer').first().textContent()) ?? '');
}

async function acquire(
  page: Page,
  request: { pool: string; seconds: number; holder: string },
): Promise<void> {
  await page.getByLabel('Pool').fill(request.pool);
  await page.getByLabel('Lease, in seconds').fill(String(request.seconds));
  await page.getByLabel('Holder').fill(request.holder);
  await page.getByRole('button', { name: 'Acquire', exact: true }).click();
}

test('a newcomer creates keys, acquires one, watches it run down, keeps it alive and releases it', async () => {
  const page = await openAsNewAdmin();
  await page.getByRole('button', { name: 'Create keys' }).click();
  await page.getByRole('dialog').getByLabel('How many').fill('3');
  await page.getByRole('dialog').getByRole('button', { name: 'Create keys' }).click();
  await page.getByRole('status').getByText('3 keys created in default').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('[data-condition="ready"]').waitFor();

  await page.getByRole('link', { name: 'Try it' }).click();
  await acquire(page, { pool: 'default', seconds: 20, holder: 'newcomer' });
  await page.getByRole('timer').waitFor();
  expect(await secondsLeft(page)).toBeLessThanOrEqual(20);
  await expect.poll(() => secondsLeft(page), { timeout: 10_000 }).toBeLessThan(17);

  await page.getByRole('button', { name: 'Keep alive', exact: true }).click();
  await page.getByText('Kept alive for another 20 s').waitFor();
  await expect.poll(() => secondsLeft(page)).toBeGreaterThan(17);

  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await page.locator('[data-ended="released"]').waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.locator('[data-condition]').getByText('3', { exact: true }).waitFor();
});

test('a lease that nobody keeps alive lapses before the eyes, and a late keep-alive is told so', async () => {
  const page = await openAsNewAdmin();
  await host().call('POST', '/keys', {});
  await page.getByRole('link', { name: 'Try it' }).click();
  await acquire(page, { pool: 'default', seconds: 2, holder: 'silent' });
  await page.getByRole('timer').waitFor();
  await page.locator('[data-ended="lapsed"]').waitFor();
  await page.getByRole('button', { name: 'Keep alive, too late' }).click();
  await page.getByText('Keep-alive answered 410 lease_ended, reason lapsed').waitFor();
  expect(await page.getByRole('timer').count()).toBe(0);
});

test('an automatic keep-alive outlasts the lease', async () => {
  await host().call('POST', '/keys', {});
  const page = await openAsNewAdmin();
  await page.getByRole('link', { name: 'Try it' }).click();
  await acquire(page, { pool: 'default', seconds: 2, holder: 'heart' });
  await page.getByLabel(/^Automatically/).check();
  await expect
    .poll(() => page.getByText('Kept alive for another 2 s').count(), { timeout: 15_000 })
    .toBeGreaterThan(5);
  expect(await page.getByRole('timer').count()).toBe(1);
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await page.locator('[data-ended="released"]').waitFor();
});

test('an unblocked holder is told by whom it lost the key, and the key cools', async () => {
  await host().call('PUT', '/pools/seats', { leaseSeconds: 120 });
  await host().call('POST', '/keys', { pool: 'seats' });
  const holder = await openAsNewAdmin();
  await holder.getByRole('link', { name: 'Try it' }).click();
  await acquire(holder, { pool: 'seats', seconds: 60, holder: 'victim' });
  await holder.getByRole('timer').waitFor();

  const page = await openAsNewAdmin('/pool?name=seats');
  const row = page.getByRole('row').filter({ hasText: 'victim' });
  await row.getByRole('button', { name: /^Unblock/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('410 lease_ended').waitFor();
  await dialog.getByText('unblocked').waitFor();
  await dialog.getByRole('button', { name: 'Unblock key' }).click();
  await page.locator('[data-state="cooling"]').waitFor();
  await holder.locator('[data-ended="unblocked"]').waitFor();

  await page
    .locator('[data-state="cooling"]')
    .getByRole('button', { name: /^Unblock/ })
    .click();
  await dialog.getByLabel(/force/).check();
  await dialog.getByRole('button', { name: 'Unblock key' }).click();
  await page.locator('[data-state="free"]').waitFor();
});

test.each(['Unblock', 'Delete'])('%s ends the lease that was shown, and no other', async (verb) => {
  const pool = `single-${verb.toLowerCase()}`;
  const acquireFor = (holder: string) =>
    host().call<{ leaseId: string; keyId: string }>('POST', '/leases', { pool, holder });
  await host().call('PUT', `/pools/${pool}`, { leaseSeconds: 120 });
  await host().call('POST', '/keys', { pool });
  const first = await acquireFor('first');
  const page = await openAsNewAdmin(`/pool?name=${pool}`);
  await page.getByRole('button', { name: `${verb} ${first.keyId}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('first').waitFor();

  await host().call('DELETE', `/leases/${first.leaseId}`);
  const second = await acquireFor('second');
  await dialog.getByLabel(/force/).check();
  await dialog.getByRole('button', { name: `${verb} key` }).click();
  await dialog.getByText('Somebody else holds it now').waitFor();
  expect(await host().call('GET', `/leases/${second.leaseId}`)).toMatchObject({ holder: 'second' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('row').filter({ hasText: 'second' }).waitFor();
});

test('an empty pool stands out, and an acquire there says when to come back', async () => {
  await host().call('PUT', '/pools/scarce', { leaseSeconds: 50 });
  await host().call('POST', '/keys', { pool: 'scarce' });
  await host().call('POST', '/leases', { pool: 'scarce', holder: 'hoarder' });
  await host().call('PUT', '/pools/ample', { leaseSeconds: 50 });
  await host().call('POST', '/keys', { pool: 'ample', count: 2 });
  await host().call('POST', '/leases', { pool: 'ample', holder: 'modest' });
  const page = await openAsNewAdmin();
  const row = (pool: string) => page.locator('[data-condition]').filter({ hasText: pool });
  await row('scarce').getByText('no free key').waitFor();
  await row('scarce')
    .getByText(/^in \d+ s/)
    .waitFor();
  await row('ample').getByText('now', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'Try it' }).click();
  await page.getByLabel('Pool').fill('scarce');
  await page.getByRole('button', { name: 'Acquire', exact: true }).click();
  await page.getByText(/^Every key of the pool is taken. Try again in \d+ s/).waitFor();
});

test('the lines to copy do what the buttons do', async () => {
  await host().call('POST', '/keys', {});
  const page = await openAsNewAdmin();
  await page.getByRole('link', { name: 'Try it' }).click();
  await page.getByLabel('My credential in the code').check();
  await page.getByLabel('Holder').fill("it's me");
  const line =
    (await page.locator('figure', { hasText: 'Acquire' }).first().locator('code').textContent()) ?? '';
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)('bash', ['-c', `${line} --silent`]);
  expect(JSON.parse(stdout)).toMatchObject({ pool: 'default', holder: "it's me" });
});

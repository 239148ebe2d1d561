import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

beforeAll(async () => {
  const { call } = host();
  await call('PUT', '/pools/busy', { leaseSeconds: 600, keyTtlSeconds: 6000, fair: true });
  await call('PUT', '/pools/never-expiring', { leaseSeconds: 600, keyTtlSeconds: null, paused: true });
  await call('POST', '/keys', { pool: 'busy', count: 3 });
  await call('POST', '/keys', { pool: 'never-expiring', count: 1 });
  for (let index = 0; index < 3; index += 1)
    await call('POST', '/leases', { pool: 'busy', holder: `agent-${index}` });
  const { keys } = await call<{ keys: { keyId: string }[] }>('GET', '/keys?pool=busy');
  await call('POST', `/keys/${keys[0]?.keyId}/unblock`);
  await call('POST', '/clients', { role: 'viewer', description: 'Wall', pools: ['busy'] });
});

/** Each colour and each width once: what a colour does to contrast and a width to the layout does not depend on the other. */
test.each([
  { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const)(
  'axe finds nothing serious on any view in $colorScheme at $viewport.width px',
  async ({ colorScheme, viewport }) => {
    const found: Record<string, string[]> = {};
    const check = async (view: string, page: Page): Promise<void> => {
      const violations = await findViolations(page);
      if (violations.length > 0) found[view] = violations;
    };

    const { page: signedOut } = await open(host().url, { colorScheme, viewport });
    await signedOut.getByRole('heading', { name: 'Sign in' }).waitFor();
    await check('sign in', signedOut);

    const { page } = await open(host().signInLink, { colorScheme, viewport });
    const dialog = page.getByRole('dialog');
    const close = async (): Promise<void> => {
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    };
    await page.locator('[data-condition]').first().waitFor();
    await check('overview', page);
    await page.getByRole('button', { name: 'Create pool' }).click();
    await dialog.waitFor();
    await check('create pool', page);
    await close();

    await page.getByRole('link', { name: 'busy' }).click();
    await page.locator('[data-state="cooling"]').waitFor();
    await check('pool', page);
    await page.locator('[data-key]').getByRole('checkbox').first().check();
    await page.getByRole('toolbar').waitFor();
    await check('selection', page);
    await page.getByRole('button', { name: 'Clear the selection' }).click();
    await page.locator('[data-state="leased"] .key-row-id button').first().click();
    await dialog.getByText('Fencing token').waitFor();
    await check('key', page);
    await dialog.getByRole('button', { name: 'Labels' }).click();
    const labels = page.getByRole('dialog', { name: 'Labels' });
    await labels.getByLabel('Name 1').fill('no spaces');
    await check('labels', page);
    await page.keyboard.press('Escape');
    await labels.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const deletion = page.getByRole('dialog', { name: 'Delete this key?' });
    await deletion.getByLabel(/force/).check();
    await check('delete key', page);
    await page.keyboard.press('Escape');
    await deletion.waitFor({ state: 'detached' });
    await close();
    await page.getByRole('button', { name: 'Create keys' }).click();
    await dialog.getByLabel('Import secrets').check();
    await dialog.getByLabel('Secrets, one a line').fill('twice\ntwice');
    await dialog.getByRole('button', { name: 'Import 2 keys' }).click();
    await dialog.getByText('Line 2').waitFor();
    await check('import', page);
    await close();
    await page.keyboard.press('Control+k');
    await dialog.getByRole('option').first().waitFor();
    await check('command palette', page);
    await close();

    await page.getByRole('link', { name: 'Holders' }).click();
    await page.locator('[data-held]').first().waitFor();
    await check('holders', page);

    await page.getByRole('link', { name: 'Events', exact: true }).first().click();
    await page.locator('[data-event="lease.unblocked"]').waitFor();
    await check('events', page);

    await page.getByRole('link', { name: 'Try it' }).first().click();
    await page.getByRole('timer').first().waitFor();
    await check('try it', page);

    await page.getByRole('link', { name: 'Clients' }).click();
    await page.getByRole('button', { name: 'Revoke Wall' }).waitFor();
    await check('clients', page);
    await page.getByRole('button', { name: 'Rotate Wall' }).click();
    await dialog.waitFor();
    await check('rotate client', page);
    await close();
    await page.getByRole('button', { name: 'Create client' }).click();
    await dialog.waitFor();
    await check('create client', page);
    await close();

    await page.route('**/v1/**', (route) => route.abort());
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('Connection lost').waitFor();
    await check('connection lost', page);
    expect(found).toEqual({});
  },
);

test('the whole of a pool can be worked by keyboard', async () => {
  const { page } = await open(`${host().url}/pool?name=busy#credential=${host().credential}`);
  await page.locator('[data-state="leased"]').first().waitFor();
  const reached = new Set<string>();
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    });
    reached.add(name.trim().split(' ')[0] ?? '');
  }
  for (const name of [
    'Events',
    'Try',
    'Edit',
    'Delete',
    'Create',
    'Search',
    'Labels',
    'Refresh',
    'Unblock',
  ]) {
    expect([...reached]).toContain(name);
  }
});

test('a chosen theme outlives a reload, before anything is painted in the other one', async () => {
  const { page } = await open(host().signInLink, { colorScheme: 'light' });
  await page.getByRole('button', { name: 'Theme: as the system. Change to light' }).click();
  await page.getByRole('button', { name: 'Theme: light. Change to dark' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Theme: dark. Change to as the system' }).waitFor();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
});

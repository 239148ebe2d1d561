import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

interface Created {
  readonly clientId: string;
  readonly credential: string;
}

test('a client is created, its credential shown once; revoked, its tab is signed out', async () => {
  const { page } = await open(host().signInLink);
  await page.getByRole('link', { name: 'Clients' }).click();
  await page.getByRole('button', { name: 'Create client' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Description').fill('Night shift');
  await dialog.getByRole('button', { name: 'Create client' }).click();
  const credential = (await dialog.locator('[data-credential]').textContent()) ?? '';
  expect(credential).toMatch(/^client_[\w-]+\.[\w-]{32,}$/);
  await page.keyboard.press('Escape');
  expect(await dialog.isVisible()).toBe(true);
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('row').filter({ hasText: 'Night shift' }).waitFor();
  expect(await page.content()).not.toContain(credential);

  const { page: theirs } = await open(`${host().url}/#credential=${credential}`);
  await theirs.getByRole('heading', { name: 'Try it' }).waitFor();

  await page.getByRole('button', { name: 'Revoke Night shift' }).click();
  await dialog.getByRole('button', { name: 'Revoke client' }).click();
  await page.getByRole('row').filter({ hasText: 'Night shift' }).waitFor({ state: 'detached' });
  await theirs.getByText('This credential is wrong, has expired or was revoked.').waitFor();
});

test('a client is rotated: its new credential is shown once, and until when the old one is good', async () => {
  const { credential } = await host().call<Created>('POST', '/clients', {
    role: 'client',
    description: 'Rotated',
    expiresInSeconds: 7_776_000,
  });
  const { page } = await open(`${host().url}/clients#credential=${host().credential}`);
  await page.getByRole('button', { name: 'Rotate Rotated' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('The secret of now stays good').selectOption('for an hour');
  await dialog.getByLabel('The new one expires').selectOption('never');
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  const rotated = (await dialog.locator('[data-credential]').textContent()) ?? '';
  expect(rotated).not.toBe(credential);
  await dialog.getByText('The old one stays good until').waitFor();
  for (const one of [credential, rotated])
    expect(await host().call('GET', '/me', undefined, one)).toBeDefined();
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  expect(await page.content()).not.toContain(rotated);
  const row = page.getByRole('row').filter({ hasText: 'Rotated' });
  expect(await row.getByRole('cell').nth(5).textContent()).toContain('never');

  await page.getByRole('button', { name: 'Rotate Rotated' }).click();
  await dialog.getByText('It was rotated before').waitFor();
  await dialog.getByLabel('The secret of now stays good').selectOption('not at all: it has leaked');
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await dialog.locator('[data-credential]').waitFor();
  expect(await dialog.getByText('The old one stays good').count()).toBe(0);
});

test('revoking oneself asks twice, and the last admin is not revoked at all', async () => {
  const { page } = await open(`${host().url}/clients#credential=${host().credential}`);
  await page.getByRole('row').filter({ hasText: 'this tab' }).getByRole('button', { name: 'Revoke' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Revoke client' });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Revoke my own credential').check();
  await confirm.click();
  await dialog.getByText('This is the last admin for all pools').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  const second = await host().call<Created>('POST', '/clients', { role: 'admin' });
  const { page: theirs } = await open(`${host().url}/clients#credential=${second.credential}`);
  await theirs
    .getByRole('row')
    .filter({ hasText: 'this tab' })
    .getByRole('button', { name: 'Revoke' })
    .click();
  await theirs.getByLabel('Revoke my own credential').check();
  await theirs.getByRole('dialog').getByRole('button', { name: 'Revoke client' }).click();
  await theirs.getByText('This credential is wrong, has expired or was revoked.').waitFor();
});

test('a viewer sees everything and is offered nothing that would be refused', async () => {
  await host().call('PUT', '/pools/watched', { leaseSeconds: 100 });
  await host().call('POST', '/keys', { pool: 'watched', count: 2 });
  await host().call('POST', '/leases', { pool: 'watched', holder: 'somebody' });
  const viewer = await host().call<Created>('POST', '/clients', { role: 'viewer' });
  const { page } = await open(`${host().url}/#credential=${viewer.credential}`);
  await page.getByRole('link', { name: 'watched' }).click();
  await page.getByRole('row').filter({ hasText: 'somebody' }).waitFor();

  const names = await page
    .locator('button:not([role=columnheader] *)')
    .evaluateAll((buttons) =>
      buttons.map((button) => button.getAttribute('aria-label') ?? button.textContent),
    );
  expect(names.filter((name) => !/^(Copy|Theme|Sign out|Go to|Usage|key_)/.test(name ?? ''))).toEqual([]);
  expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual([
    'Overview',
    'Holders',
    'Events',
    'API',
  ]);

  await page.goto(`${host().url}/clients`);
  await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
});

test('a client sees its own leases and Try it, and nothing else', async () => {
  await host().call('PUT', '/pools/worked', { leaseSeconds: 100 });
  await host().call('POST', '/keys', { pool: 'worked', count: 2 });
  const client = await host().call<Created>('POST', '/clients', { role: 'client', pools: ['worked'] });
  await host().call('POST', '/leases', { pool: 'worked', holder: 'theirs' });
  await host().call('POST', '/leases', { pool: 'worked', holder: 'mine' }, client.credential);
  const { page } = await open(`${host().url}/#credential=${client.credential}`);
  await page.getByText('mine').waitFor();
  expect(await page.getByLabel('Pool').inputValue()).toBe('worked');
  expect(await page.getByText('theirs').count()).toBe(0);
  expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual(['Try it', 'API']);

  await page.getByLabel('Pool').fill('default');
  await page.getByRole('button', { name: 'Acquire', exact: true }).click();
  await page.getByRole('alert').getByText('The credential is not valid for pool "default".').waitFor();
});

test('an admin that is limited to some pools is not offered clients', async () => {
  const limited = await host().call<Created>('POST', '/clients', { role: 'admin', pools: ['default'] });
  const { page } = await open(`${host().url}/#credential=${limited.credential}`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual([
    'Overview',
    'Holders',
    'Events',
    'Try it',
    'API',
  ]);
});

import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

test('the printed link signs in, leaves the address, and its credential reaches no URL', async () => {
  const { page, requested } = await open(host().signInLink);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  expect(page.url()).toBe(`${host().url}/`);
  expect(requested.length).toBeGreaterThan(3);
  expect(requested.filter((url) => url.includes(host().credential))).toEqual([]);
  const asked = requested.filter((url) => url.includes('/v1/')).map((url) => new URL(url).pathname);
  // The role comes from /v1/me; no other route is probed.
  expect([...new Set(asked)].sort()).toEqual(['/v1/me', '/v1/pools', '/v1/usage']);
});

test('the credential is kept for the tab only', async () => {
  const { page } = await open(host().signInLink);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).toBe('{}');
  const otherTab = await page.context().newPage();
  await page.close();
  await otherTab.goto(host().url);
  await otherTab.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
});

test('a link that is opened in a new tab is signed in there, and neither address nor storage tell how', async () => {
  const { page } = await open(host().signInLink);
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'default' }).click({ modifiers: ['ControlOrMeta'] });
  const tab = await opened;
  await tab.getByRole('heading', { name: 'default', level: 1 }).waitFor();
  expect(tab.url()).toBe(`${host().url}/pool?name=default`);
  expect(await tab.evaluate(() => JSON.stringify(localStorage) + document.cookie)).toBe('{}');

  await tab.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a new tab is signed in as the tab that was used last', async () => {
  const viewer = await host().call<{ credential: string }>('POST', '/clients', { role: 'viewer' });
  const { page } = await open(host().signInLink);
  const watching = await page.context().newPage();
  await watching.goto(`${host().url}/#credential=${viewer.credential}`);
  await watching.getByRole('heading', { name: 'Overview' }).click();
  const tab = await page.context().newPage();
  await tab.goto(host().url);
  await tab.getByRole('button', { name: 'Sign out (viewer)' }).waitFor();

  await tab.getByRole('button', { name: 'Sign out' }).click();
  await tab.reload();
  await tab.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out (admin)' }).waitFor();
});

test('a wrong credential is said to be wrong, and can be put right', async () => {
  const { page } = await open(host().url);
  await page.getByLabel('Credential').fill(`admin.${'wrong'.repeat(8)}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('This credential is wrong, has expired or was revoked.').waitFor();

  await page.getByLabel('Credential').fill(host().credential);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('signing out forgets the credential', async () => {
  const { page } = await open(host().signInLink);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a view can be opened by its address, signed out or in', async () => {
  const { page } = await open(`${host().url}/pool?name=default`);
  await page.getByLabel('Credential').fill(host().credential);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'default', level: 1 }).waitFor();
});

test('a reload of a tab that is signed in shows no sign-in page meanwhile', async () => {
  const { page } = await open(host().signInLink);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  let held: (() => void) | undefined;
  await page.route('**/v1/me', async (route) => {
    await new Promise<void>((resolve) => {
      held = resolve;
    });
    await route.continue();
  });
  await page.reload();
  await expect.poll(() => held).toBeDefined();
  expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(0);
  held?.();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

test('a lost connection is shown, numbers turn stale, and both recover by themselves', async () => {
  await host().call('POST', '/keys', { count: 4 });
  const { page } = await open(host().signInLink);
  await page.getByText('Live', { exact: true }).waitFor();

  await host().stop();
  await page.getByText('Connection lost').waitFor();
  await page.getByText(/ old$/).waitFor();
  expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
  expect(await page.locator('main .stale').count()).toBeGreaterThan(0);

  await host().start();
  await page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 45_000 });
  await page.getByText('Live', { exact: true }).waitFor();
  expect(await page.locator('main .stale').count()).toBe(0);
});

test('offline, the page says so, and does not claim to repeat what somebody asked for', async () => {
  await host().call('POST', '/keys', {});
  const { page } = await open(`${host().url}/try-it#credential=${host().credential}`);
  await page.getByText('You hold no lease').waitFor();
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Acquire', exact: true }).click();
  await page
    .getByText('You are offline, so it is unknown whether this was done. Look before you try again.')
    .waitFor();
  await page.getByText('You are offline. This page goes on when the connection is back.').waitFor();
  await page.context().setOffline(false);
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
});

test('a tab that is opened while the service is down signs in once it is back', async () => {
  const { page } = await open(host().signInLink);
  await page.getByText('Live', { exact: true }).waitFor();
  // The host stays up, since the reload gets the page from it.
  await page.route('**/v1/**', (route) => route.abort());
  await page.reload();
  await page.getByRole('heading', { name: 'The service does not answer' }).waitFor();
  await page.unroute('**/v1/**');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('a hidden tab asks for nothing, and asks at once when it is shown', async () => {
  const { page, requested } = await open(host().signInLink, { clock: true });
  await page.getByText('Live', { exact: true }).waitFor();
  const setHidden = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await setHidden(true);
  const before = requested.length;
  await page.clock.runFor(60_000);
  expect(requested.length).toBe(before);
  await setHidden(false);
  await expect.poll(() => requested.length).toBeGreaterThan(before);
});

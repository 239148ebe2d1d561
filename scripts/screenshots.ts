import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../test/browser/support/launch-chromium.ts';
import { type LocalHost, startLocalHost } from '../test/browser/support/local-host.ts';

/**
 * Takes pictures of the dashboard at work, for the README: `npm run screenshots [-- FOLDER]`, by default to docs/images.
 * `--all` adds every view, also on a phone, for work on the dashboard.
 */
const FOLDER = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const IMAGES = FOLDER ?? fileURLToPath(new URL('../docs/images/', import.meta.url));
const EVERY_VIEW = process.argv.includes('--all');

const WIDE = { width: 1280, height: 1000 };
const PHONE = { width: 360, height: 780 };

const holders = [
  'render-node-3',
  'render-node-7',
  'ci-linux-12',
  'ci-linux-15',
  'nightly-report',
  'qa-suite',
];

const host = await startLocalHost();
const browser = await launchChromium();
try {
  await mkdir(IMAGES, { recursive: true });
  const traffic = await startTraffic(host);
  for (const scheme of ['light', 'dark'] as const) {
    await takePictures(browser, scheme, WIDE, '');
    if (EVERY_VIEW) await takePictures(browser, scheme, PHONE, '-phone');
  }
  clearInterval(traffic);
} finally {
  await browser.close();
  await host.remove();
}

async function takePictures(
  chromium: Browser,
  colorScheme: 'light' | 'dark',
  viewport: { width: number; height: number },
  suffix: string,
): Promise<void> {
  const context = await chromium.newContext({
    colorScheme,
    viewport,
    deviceScaleFactor: suffix === '' ? 1.5 : 2,
  });
  const page = await context.newPage();
  const take = (view: string) =>
    page.screenshot({
      path: join(IMAGES, `dashboard-${view}-${colorScheme}${suffix}.png`),
      animations: 'disabled',
    });

  if (EVERY_VIEW) {
    await page.goto(host.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await take('sign-in');
  }
  await page.goto(host.signInLink);
  await page.getByText('Live', { exact: true }).waitFor();
  await fillChart(page);
  await take('overview');

  await page.getByRole('link', { name: 'licences' }).click();
  await page.getByRole('row').nth(8).waitFor();
  await take('pool');

  await page.getByRole('link', { name: 'Try it' }).first().click();
  await page.getByLabel('Pool').fill('accounts');
  await page.getByLabel('Holder').fill('me, trying it out');
  await page.getByRole('button', { name: 'Acquire', exact: true }).click();
  await page.getByRole('timer').first().waitFor();
  await take('try-it');
  await page.getByRole('button', { name: 'Release', exact: true }).first().click();

  if (EVERY_VIEW) {
    await page.getByRole('link', { name: 'Events' }).first().click();
    await page.locator('[data-event]').first().waitFor();
    await take('events');
    await page.getByRole('link', { name: 'Clients' }).click();
    await page.getByRole('button', { name: 'Revoke' }).first().waitFor();
    await take('clients');
  }
  await context.close();
}

/** Waits until the chart, which starts with the page, has something to show. */
async function fillChart(page: Page): Promise<void> {
  let answers = 0;
  await page.waitForResponse(
    (response) => response.url().includes('/v1/pools') && ++answers >= (EVERY_VIEW ? 3 : 14),
    {
      timeout: 90_000,
    },
  );
}

/** Makes pools in every condition, and programs that come and go. */
async function startTraffic({ call }: LocalHost): Promise<NodeJS.Timeout> {
  const pools = [
    { pool: 'licences', keys: 24, policy: { leaseSeconds: 60, keyTtlSeconds: 3600 } },
    { pool: 'accounts', keys: 40, policy: { leaseSeconds: 30, keyTtlSeconds: null } },
    { pool: 'gpu-slots', keys: 4, policy: { leaseSeconds: 300, keyTtlSeconds: null } },
    { pool: 'meeting-cards', keys: 6, policy: { leaseSeconds: 3600, keyTtlSeconds: null, paused: true } },
  ];
  await call('POST', '/keys', { count: 12 });
  for (const { pool, keys, policy } of pools) {
    await call('PUT', `/pools/${pool}`, { ...policy, paused: false });
    await call('POST', '/keys', { pool, count: keys });
  }
  const program = await call<{ credential: string }>('POST', '/clients', {
    role: 'client',
    description: 'Programs',
  });
  for (let index = 0; index < 4; index += 1) {
    const holder = `train-job-${index + 41}`;
    await call('POST', '/leases', { pool: 'gpu-slots', holder }, program.credential);
  }
  await call('POST', '/leases', { pool: 'meeting-cards', holder: 'front desk' }, program.credential);
  await call('PUT', '/pools/meeting-cards', pools[3]?.policy);
  await call('POST', '/clients', {
    role: 'client',
    description: 'Render farm',
    pools: ['licences', 'gpu-slots'],
  });
  await call('POST', '/clients', { role: 'client', description: 'CI runners' });
  await call('POST', '/clients', { role: 'viewer', description: 'Wall display' });

  const acquire = async (step: number): Promise<void> => {
    const holder = holders[step % holders.length] as string;
    const pool = step % 3 === 0 ? 'accounts' : step % 3 === 1 ? 'licences' : 'default';
    const request = { pool, holder, leaseSeconds: 12 + (step % 19) };
    const lease = await call<{ leaseId: string; keyId: string }>(
      'POST',
      '/leases',
      request,
      program.credential,
    ).catch(() => undefined);
    if (lease === undefined) return;
    if (step % 4 === 0) await call('POST', `/keys/${lease.keyId}/unblock`);
    else if (step % 5 === 0) await call('DELETE', `/leases/${lease.leaseId}`, undefined, program.credential);
  };
  for (let step = 0; step < 24; step += 1) await acquire(step);
  let step = 24;
  return setInterval(() => {
    step += 1;
    const busy = 1 + Math.round(1.5 * (1 + Math.sin(step / 6)));
    for (let index = 0; index < busy; index += 1) void acquire(step * 3 + index).catch(() => undefined);
  }, 1200);
}

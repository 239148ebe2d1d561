import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { HeldLease } from '../../shared/contract/leases.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

const openEvents = (query = '', options = {}) =>
  open(`${host().url}/events${query}#credential=${host().credential}`, options);

const createKeys = (pool: string, count: number) => host().call('POST', '/keys', { pool, count });

const sentences = (page: Page): Promise<string[]> => page.locator('[data-event] > div').allInnerTexts();
const first = async (page: Page): Promise<string> => (await sentences(page))[0] ?? '';

describe('what happened is told', () => {
  let unblocked: HeldLease;
  let clientId: string;

  beforeAll(async () => {
    const { call } = host();
    await call('PUT', '/pools/story', { leaseSeconds: 600, keyTtlSeconds: null });
    await createKeys('story', 2);
    unblocked = await call<HeldLease>('POST', '/leases', { pool: 'story', holder: 'render-7' });
    const second = await call<HeldLease>('POST', '/leases', { pool: 'story' });
    await call('POST', '/leases', { pool: 'story' }).catch(() => undefined);
    await call('POST', `/keys/${unblocked.keyId}/unblock`);
    await call('DELETE', `/keys/${second.keyId}`);
    await call('PATCH', '/pools/story', { leaseSeconds: 300, fair: true });
    const client = await call<{ clientId: string }>('POST', '/clients', { role: 'client' });
    clientId = client.clientId;
    await call('DELETE', `/clients/${clientId}`);
  });

  test('in sentences, newest first, with the exact time behind the relative one', async () => {
    const { page } = await openEvents();
    await expect.poll(async () => (await sentences(page)).length).toBeGreaterThanOrEqual(8);
    const told = (await sentences(page)).map((text) => text.replaceAll(/\s+/g, ' '));
    const time = '\\d+ (?:s|min) ago \\d+:\\d\\d:\\d\\d .M';
    expect(told.slice(0, 8)).toEqual([
      expect.stringMatching(new RegExp(`^client_test revoked client ${clientId} ${time}$`)),
      expect.stringMatching(new RegExp(`^client_test created client ${clientId} ${time}$`)),
      expect.stringMatching(
        new RegExp(`^client_test changed the policy of story: leaseSeconds, fair ${time}$`),
      ),
      expect.stringMatching(
        /^client_test deleted key_\S+, and with it the lease of client_test .* in story token \d+$/,
      ),
      expect.stringMatching(
        new RegExp(
          `^client_test ended the lease of render-7 \\(client_test\\) on ${unblocked.keyId} ${time} in story token ${unblocked.fencingToken}$`,
        ),
      ),
      expect.stringMatching(new RegExp(`^story had no free key for an acquire ${time}$`)),
      expect.stringMatching(new RegExp(`^client_test created 2 keys ${time} in story$`)),
      expect.stringMatching(new RegExp(`^client_test created pool story ${time}$`)),
    ]);
    const ago = page.locator('[data-event] time', { hasText: /^\d+ (s|min) ago$/ }).first();
    expect(await ago.getAttribute('title')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await page.content()).not.toContain(unblocked.leaseId);
    await page.getByText('No older event was found').waitFor();
  });

  test('of one key from its row, and of one pool from its page', async () => {
    const { page } = await open(`${host().url}/pool?name=story#credential=${host().credential}`);
    await page.getByRole('button', { name: unblocked.keyId, exact: true }).click();
    await expect.poll(() => sentences(page)).toHaveLength(1);
    expect(await first(page)).toContain('ended the lease of render-7');

    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Events', exact: true }).last().click();
    await expect.poll(() => sentences(page)).toHaveLength(6);
    expect(await page.getByLabel('Pool').inputValue()).toBe('story');
  });

  test('narrowed down by filters that the address keeps, all of it by keyboard', async () => {
    const { page } = await openEvents();
    await page.locator('[data-event]').first().waitFor();
    await page.getByLabel('Pool').focus();
    await page.keyboard.type('story');
    await expect.poll(() => sentences(page)).toHaveLength(6);
    await page.keyboard.press('Tab');
    await page.keyboard.type('Lease unb');
    await expect.poll(() => sentences(page)).toHaveLength(1);
    await page.keyboard.press('Tab');
    await page.keyboard.type('key_none');
    await page.getByText('No event matches').waitFor();
    expect(new URL(page.url()).search).toBe('?pool=story&type=lease.unblocked&key=key_none');
    expect(await findViolations(page)).toEqual([]);

    await page.reload();
    await page.getByText('No event matches').waitFor();
    expect(await page.getByLabel('Type').inputValue()).toBe('lease.unblocked');
    await page.getByRole('button', { name: 'Clear the filter' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-event="client.revoked"]').first().waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(await page.getByLabel('Key id').inputValue()).toBe('');

    // A link in a sentence narrows it down as well, and the browser's way back undoes it.
    await page.getByTitle(`Events of client ${clientId}`).first().focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => sentences(page)).toHaveLength(2);
    await page.goBack();
    await expect.poll(async () => (await sentences(page)).length).toBeGreaterThan(2);
    await page.getByTitle('Events of holder render-7').click();
    await expect.poll(() => sentences(page)).toHaveLength(1);
    expect(await page.getByLabel('Holder').inputValue()).toBe('render-7');
  });

  test('a filter that is none says so', async () => {
    const { page } = await openEvents('?type=lease.odd');
    await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
    expect(await page.locator('[data-event]').count()).toBe(0);
  });
});

beforeAll(async () => {
  for (const pool of ['busy', 'calm', 'long', 'lost']) await host().call('PUT', `/pools/${pool}`, {});
});

test('new events come in at the top; while one reads further down they are counted, and nothing moves', async () => {
  for (let count = 1; count <= 40; count += 1) await createKeys('busy', count);
  const { page } = await openEvents('?pool=busy');
  await expect.poll(() => first(page)).toContain('created 40 keys');
  await createKeys('busy', 41);
  await expect.poll(() => first(page)).toContain('created 41 keys');

  await page.evaluate(() => scrollTo(0, 600));
  const read = page.locator('[data-event]').nth(12);
  const before = { text: await read.innerText(), box: await read.boundingBox() };
  await createKeys('busy', 42);
  await createKeys('busy', 43);
  const button = page.getByRole('status').getByRole('button', { name: '2 new events' });
  await button.waitFor();
  expect((await read.innerText()).split('\n')[0]).toBe(before.text.split('\n')[0]);
  expect(await read.boundingBox()).toEqual(before.box);
  expect(await first(page)).toContain('created 41 keys');
  expect(await findViolations(page)).toEqual([]);

  await button.focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => first(page)).toContain('created 43 keys');
  expect(await page.evaluate(() => scrollY)).toBe(0);
  // The focus stays where one goes on by Tab.
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Events');
  expect(await button.count()).toBe(0);

  // Who scrolls back up sees them without a click.
  await page.evaluate(() => scrollTo(0, 600));
  await createKeys('busy', 44);
  await page.getByRole('button', { name: '1 new event' }).waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await expect.poll(() => first(page)).toContain('created 44 keys');
});

test('an answer without news renders nothing anew', async () => {
  await createKeys('calm', 1);
  const { page, requested } = await openEvents('?pool=calm');
  await page.locator('[data-event]').first().waitFor();
  await page.evaluate(() => {
    const rows = document.querySelector('[data-event]')?.parentElement as Element;
    const changes: string[] = [];
    Object.assign(window, { changes });
    new MutationObserver((found) => {
      for (const { target, type } of found) if (target.nodeName !== '#text') changes.push(type);
    }).observe(rows, { childList: true, subtree: true, attributes: true });
  });
  const polls = (): number => requested.filter((address) => address.includes('/v1/events?')).length;
  const soFar = polls();
  await expect.poll(polls).toBeGreaterThan(soFar + 1);
  expect(await page.evaluate(() => (window as unknown as { changes: string[] }).changes)).toEqual([]);
});

test('older ones are shown on demand, up to the 200 newest, and where the others are', async () => {
  for (let count = 1; count <= 205; count += 1) await createKeys('long', 1);
  const { page } = await openEvents('?pool=long', { viewport: { width: 390, height: 844 } });
  await expect.poll(() => page.locator('[data-event]').count()).toBe(50);
  const more = page.getByRole('button', { name: 'Show older' });
  for (const count of [100, 150, 200]) {
    await more.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('[data-event]').count()).toBe(count);
  }
  await page.getByText('The command line lists older ones').waitFor();
  expect(await more.count()).toBe(0);
  expect(await findViolations(page)).toEqual([]);
});

test('an outage is told, and what happened meanwhile comes once the service is back', async () => {
  await createKeys('lost', 1);
  const { page } = await openEvents('?pool=lost');
  await expect.poll(() => first(page)).toContain('created 1 key');
  await host().stop();
  await page.getByText('Connection lost').waitFor();
  await host().start();
  await createKeys('lost', 2);
  await expect.poll(() => first(page)).toContain('created 2 keys');
  expect(await sentences(page)).toHaveLength(3);
});

test('a viewer reads events, a client is offered none', async () => {
  const { call, url } = host();
  const viewer = await call<{ credential: string }>('POST', '/clients', { role: 'viewer' });
  const { page } = await open(`${url}/#credential=${viewer.credential}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Events' }).click();
  await page.locator('[data-event]').first().waitFor();

  const client = await call<{ credential: string }>('POST', '/clients', { role: 'client' });
  const { page: theirs } = await open(`${url}/events#credential=${client.credential}`);
  await theirs.getByRole('heading', { name: 'Nothing here' }).waitFor();
});

import { expect, test } from 'vitest';
import type { Waiting } from '../../shared/contract/tickets.ts';
import { useDashboard } from './support/dashboard.ts';
import { findViolations } from './support/find-violations.ts';

const { host, open } = useDashboard();

interface Wish {
  readonly holder?: string;
  readonly priority?: number;
}

/** A fair pool all of whose keys are leased, with callers who wait. Their tickets lapse unless they ask again. */
async function openQueue(pool: string, wishes: readonly Wish[], viewport = { width: 1280, height: 860 }) {
  const { call, url, credential } = host();
  await call('PUT', `/pools/${pool}`, { fair: true, leaseSeconds: 600, keyTtlSeconds: null });
  await call('POST', '/keys', { pool, count: 30 });
  for (let taken = 0; taken < 30; taken += 15) await call('POST', '/leases', { pool, count: 15 });
  const { page, requested } = await open(`${url}/pool?name=${pool}#credential=${credential}`, { viewport });
  // Not before: tickets may lapse while the page opens.
  const waiting: Waiting[] = [];
  for (const wish of wishes) waiting.push(await call('POST', '/leases', { pool, wait: true, ...wish }));
  const askAgain = async (): Promise<void> => {
    await Promise.all(waiting.map(({ ticket }) => call('POST', '/leases', { pool, wait: true, ticket })));
  };
  const queue = page.getByRole('region', { name: 'Queue' });
  /** The rows of the queue, which is kept alive until there are so many. */
  const rowsOnce = async (count: number): Promise<string[]> => {
    const rows = queue.locator('tbody tr');
    await expect
      .poll(async () => {
        await askAgain();
        return rows.count();
      })
      .toBe(count);
    return rows.allInnerTexts();
  };
  return { page, requested, queue, rowsOnce, waiting };
}

test('the queue of a fair pool says who waits, in which order and for how long, and when nobody does', async () => {
  const { page, queue, rowsOnce, waiting } = await openQueue('in-turn', [
    { holder: 'early-bird' },
    {},
    { holder: 'in-a-hurry', priority: 9 },
  ]);
  const [first, second, third] = await rowsOnce(3);
  expect(first).toMatch(/^1\s+in-a-hurry\s+client_test\s+9\s+\d+:\d\d:\d\d .M\s+\d+ s$/);
  expect(second).toMatch(/^2\s+early-bird\s+client_test\s+0\s/);
  expect(third).toMatch(/^3\s+no label\s+client_test\s+0\s/);
  // Whoever has a ticket can use it: no page shows one.
  const html = await page.content();
  for (const { ticket } of waiting) expect(html).not.toContain(ticket);
  expect(await findViolations(page)).toEqual([]);

  // Nobody asks again, so that the tickets lapse.
  await queue.getByText('Nobody waits').waitFor();
  expect(await findViolations(page)).toEqual([]);
});

test('a long queue is shown from its start, and more of it on demand by keyboard', async () => {
  const wishes = Array.from({ length: 8 }, (_, index) => ({ holder: `caller-${index}` }));
  const { page, queue, rowsOnce } = await openQueue('crowded', wishes, { width: 390, height: 844 });
  await rowsOnce(5);
  await queue.getByText('The first 5').waitFor();
  expect(await findViolations(page)).toEqual([]);
  await queue.getByRole('button', { name: 'Show more' }).focus();
  await page.keyboard.press('Enter');
  expect((await rowsOnce(8)).at(-1)).toContain('caller-7');
  expect(await queue.getByRole('button').count()).toBe(0);
});

test('keys that come into sight because the queue above them shrinks are shown', async () => {
  const wishes = Array.from({ length: 40 }, () => ({}));
  const { page, queue, rowsOnce } = await openQueue('shrinking', wishes, { width: 1280, height: 1000 });
  await rowsOnce(5);
  await queue.getByRole('button', { name: 'Show more' }).click();
  await rowsOnce(40);
  // A scroll, however small, makes the table look which keys are in sight: none.
  await page.evaluate(() => scrollTo(0, 1));
  await expect.poll(() => page.locator('[data-key]').count()).toBe(0);
  await queue.getByText('Nobody waits').waitFor();
  const isKeyAtTheBottom = (): boolean =>
    document.elementFromPoint(400, innerHeight - 30)?.closest('[data-key]') != null;
  await expect.poll(() => page.evaluate(isKeyAtTheBottom)).toBe(true);
});

test('only for a fair pool the queue is asked for', async () => {
  const { url, credential, call } = host();
  await call('POST', '/keys', {});
  const { page, requested } = await open(`${url}/pool?name=default#credential=${credential}`);
  await page.locator('[data-key]').first().waitFor();
  expect(await page.getByRole('heading', { name: 'Queue' }).count()).toBe(0);
  expect(requested.filter((address) => address.includes('/tickets'))).toEqual([]);
});

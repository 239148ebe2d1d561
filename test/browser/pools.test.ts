import { expect, test } from 'vitest';
import type { Pool, PoolPolicy } from '../../shared/contract/pools.ts';
import { useDashboard } from './support/dashboard.ts';

const { host, open } = useDashboard();

test('a pool is created, given a policy, paused and deleted', async () => {
  const { page } = await open(host().signInLink);
  await page.getByRole('button', { name: 'Create pool' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('v1.licences');
  await dialog.getByLabel('Lease, in seconds').fill('30');
  await dialog.getByLabel('Keys never expire').check();
  await dialog.getByRole('button', { name: 'Create pool' }).click();
  await page.getByRole('heading', { name: 'v1.licences', level: 1 }).waitFor();
  await page.reload();
  await page.getByText('No keys in this pool').waitFor();

  await page.getByRole('button', { name: 'Edit policy' }).click();
  await dialog.getByLabel('Paused: no new leases; live ones go on').check();
  await dialog.getByLabel('Lease, in seconds').fill('45');
  await dialog.getByRole('button', { name: 'Save policy' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await host().call('GET', '/pools/v1.licences')).toMatchObject({
    leaseSeconds: 45,
    keyTtlSeconds: null,
    maxKeys: null,
    paused: true,
  });

  await page.getByRole('button', { name: 'Delete pool' }).click();
  const confirm = dialog.getByRole('button', { name: 'Delete pool' });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Type v1.licences to confirm').fill('v1.licences');
  await confirm.click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('link', { name: 'v1.licences' }).waitFor({ state: 'detached' });
});

test('each field of a policy is saved by the form, shown on the page, and can be taken back', async () => {
  const policy: PoolPolicy = {
    leaseSeconds: 45,
    maxLeaseSeconds: 7200,
    cooldownSeconds: 30,
    keyTtlSeconds: 5400,
    targetSize: 3,
    maxKeys: 1200,
    maxLeasesPerClient: 2,
    fair: true,
    agingSeconds: 90,
    paused: true,
  };
  const fields: Record<keyof PoolPolicy, { label: string; shown: string; none?: string }> = {
    leaseSeconds: { label: 'Lease, in seconds', shown: '45 s' },
    maxLeaseSeconds: { label: 'Longest time', shown: '2 h', none: 'kept alive without end' },
    cooldownSeconds: { label: 'Cooldown, in seconds', shown: '30 s' },
    keyTtlSeconds: { label: 'Key lifetime, in seconds', shown: '90 min', none: 'Keys never expire' },
    targetSize: { label: 'Keys that the pool holds by itself', shown: '3', none: 'Keys are made by hand' },
    maxKeys: { label: 'Key limit', shown: '1,200', none: 'As many keys as are made' },
    maxLeasesPerClient: { label: 'Most leases of one client', shown: '2', none: 'As many leases as' },
    fair: { label: 'Fair: who waits', shown: 'yes' },
    agingSeconds: { label: 'Waiting that counts', shown: '90 s' },
    paused: { label: 'Paused: no new leases', shown: 'yes' },
  };
  const names = Object.keys(fields) as (keyof PoolPolicy)[];
  await host().call('PUT', '/pools/full-of-rules', {});
  const { page } = await open(`${host().url}/pool?name=full-of-rules#credential=${host().credential}`);
  const dialog = page.getByRole('dialog');
  const save = async (): Promise<void> => {
    await dialog.getByRole('button', { name: 'Save policy' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  await page.getByRole('button', { name: 'Edit policy' }).click();
  for (const name of names) {
    const { label, none } = fields[name];
    if (none !== undefined) await dialog.getByLabel(none).uncheck();
    if (typeof policy[name] === 'boolean') await dialog.getByLabel(label).check();
    else await dialog.getByLabel(label).fill(String(policy[name]));
  }
  await save();
  expect(await host().call('GET', '/pools/full-of-rules')).toMatchObject(policy);
  await page.getByText('Policy', { exact: true }).click();
  for (const name of names) {
    const fact = page.locator(`[data-policy="${name}"]`);
    await expect.poll(() => fact.locator('dd').innerText()).toBe(fields[name].shown);
  }
  // The pool makes its keys itself.
  expect(await page.getByRole('button', { name: 'Create keys' }).count()).toBe(0);

  await page.getByRole('button', { name: 'Edit policy' }).click();
  for (const name of names) {
    const { label, none } = fields[name];
    if (none !== undefined) await dialog.getByLabel(none).check();
    else if (typeof policy[name] === 'boolean') await dialog.getByLabel(label).uncheck();
    else expect(await dialog.getByLabel(label).inputValue()).toBe(String(policy[name]));
  }
  await save();
  expect(await host().call('GET', '/pools/full-of-rules')).toMatchObject({
    ...policy,
    maxLeaseSeconds: null,
    keyTtlSeconds: null,
    targetSize: null,
    maxKeys: null,
    maxLeasesPerClient: null,
    fair: false,
    paused: false,
  });
});

test('a new pool starts with the defaults of the API, and takes the name of no other', async () => {
  await host().call('PUT', '/pools/by-the-api', {});
  const { page } = await open(host().signInLink);
  await page.getByRole('button', { name: 'Create pool' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('by-the-api');
  await dialog.getByRole('button', { name: 'Create pool' }).click();
  await dialog.getByText('There is a pool of this name already').waitFor();

  await dialog.getByLabel('Name').fill('by-the-form');
  await dialog.getByRole('button', { name: 'Create pool' }).click();
  await page.getByRole('heading', { name: 'by-the-form', level: 1 }).waitFor();
  const policyOf = async (name: string) => {
    const { pool, counts, nextFreeInMs, createdAt, updatedAt, ...policy } = await host().call<Pool>(
      'GET',
      `/pools/${name}`,
    );
    return policy;
  };
  expect(await policyOf('by-the-form')).toEqual(await policyOf('by-the-api'));
});

test('a policy that somebody else changed meanwhile is not overwritten, but loaded again', async () => {
  await host().call('PUT', '/pools/shared', { leaseSeconds: 60, maxKeys: 5 });
  const { page } = await open(`${host().url}/pool?name=shared#credential=${host().credential}`);
  await page.getByRole('button', { name: 'Edit policy' }).click();
  const dialog = page.getByRole('dialog');
  await host().call('PATCH', '/pools/shared', { leaseSeconds: 90 });
  await dialog.getByLabel('Key limit').fill('7');
  await dialog.getByRole('button', { name: 'Save policy' }).click();
  await dialog.getByText('Somebody else changed this policy since it was loaded').waitFor();
  expect(await host().call('GET', '/pools/shared')).toMatchObject({ leaseSeconds: 90, maxKeys: 5 });

  await dialog.getByRole('button', { name: 'Load the changed policy' }).click();
  await expect.poll(() => dialog.getByLabel('Lease, in seconds').inputValue()).toBe('90');
  await dialog.getByLabel('Key limit').fill('7');
  await dialog.getByRole('button', { name: 'Save policy' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await host().call('GET', '/pools/shared')).toMatchObject({ leaseSeconds: 90, maxKeys: 7 });
});

test('a policy that the API refuses is explained beside its field, and nothing typed is lost', async () => {
  const { page } = await open(`${host().url}/pool?name=default#credential=${host().credential}`);
  await page.getByRole('button', { name: 'Edit policy' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Key lifetime, in seconds').fill('10');
  await dialog.getByRole('button', { name: 'Save policy' }).click();
  await dialog.locator('[aria-invalid="true"]').waitFor();
  expect(await dialog.getByLabel('Key lifetime, in seconds').inputValue()).toBe('10');
});

test('keys are filtered by state, found by holder and id, refreshed and deleted', async () => {
  await host().call('PUT', '/pools/cards', { leaseSeconds: 300, keyTtlSeconds: 1000 });
  const { keys } = await host().call<{ keys: { keyId: string }[] }>('POST', '/keys', {
    pool: 'cards',
    count: 5,
  });
  const lease = await host().call<{ keyId: string }>('POST', '/leases', {
    pool: 'cards',
    holder: 'front-desk',
  });
  const { page } = await open(`${host().url}/pool?name=cards#credential=${host().credential}`);
  const rows = page.locator('[data-key]');
  await expect.poll(() => rows.count()).toBe(5);

  await page.getByText('leased', { exact: true }).first().click();
  await expect.poll(() => rows.count()).toBe(1);
  expect(page.url()).toContain('state=leased');
  await page.getByText('all', { exact: true }).click();

  await page.getByRole('searchbox').fill('front');
  await expect.poll(() => rows.count()).toBe(1);
  expect(await rows.first().getAttribute('data-key')).toBe(lease.keyId);
  await page.getByRole('searchbox').fill('nobody has this');
  await page.getByText('No such key').waitFor();
  await page.getByRole('button', { name: 'Show all keys' }).click();
  await expect.poll(() => rows.count()).toBe(5);

  const free = keys.find(({ keyId }) => keyId !== lease.keyId)?.keyId as string;
  await page.getByRole('button', { name: `Refresh ${free}` }).click();
  await page.getByRole('status').getByText('Key refreshed').waitFor();
  await page.getByRole('button', { name: `Delete ${free}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect.poll(() => rows.count()).toBe(4);
});

test('a lease that runs out is shown as over at once, even while no answer comes', async () => {
  await host().call('PUT', '/pools/brief', { leaseSeconds: 100 });
  await host().call('POST', '/keys', { pool: 'brief' });
  await host().call('POST', '/leases', { pool: 'brief' });
  const address = `${host().url}/pool?name=brief#credential=${host().credential}`;
  const { page } = await open(address, { clock: true });
  await page.locator('[data-key][data-state="leased"]').waitFor();
  await page.route('**/v1/keys**', (route) => route.abort());
  await page.clock.fastForward(100_000);
  const row = page.locator('[data-key][data-state="cooling"]');
  await row.getByText('ended').waitFor();
  expect(await row.getByText('leased', { exact: true }).count()).toBe(0);
});

test('a dialog puts the focus on its first field, closes on Escape and gives the focus back', async () => {
  const { page } = await open(`${host().url}/pool?name=default#credential=${host().credential}`);
  const opener = page.getByRole('button', { name: 'Create keys' }).first();
  await opener.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const focused = page.locator(':focus');
  expect(await focused.getAttribute('type')).toBe('number');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => opener.evaluate((element) => element === document.activeElement)).toBe(true);

  await page.getByRole('button', { name: 'Edit policy' }).click();
  expect(await focused.getAttribute('id')).toBe(
    await dialog.getByLabel('Lease, in seconds').getAttribute('id'),
  );
  await page.keyboard.press('Escape');
  await host().call('POST', '/keys', {});
  await page
    .getByRole('button', { name: /^Delete key_/ })
    .first()
    .click();
  // This dialog has no field.
  expect(await focused.textContent()).toBe('Cancel');
});

test('a pool that does not exist is said not to', async () => {
  const { page } = await open(`${host().url}/pool?name=nowhere#credential=${host().credential}`);
  await page.getByRole('heading', { name: 'No such pool' }).waitFor();
});

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { useDashboard } from './support/dashboard.ts';

const DIST = fileURLToPath(new URL('../../static-site/dist/', import.meta.url));
const MAX_SCRIPT_BYTES = 80_000;

const { host } = useDashboard();

test('all scripts together are at most 80 KB, compressed', async () => {
  const names = (await readdir(DIST)).filter((name) => name.endsWith('.js'));
  const sizes = await Promise.all(
    names.map(async (name) => gzipSync(await readFile(join(DIST, name)), { level: 9 }).length),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  process.stdout.write(`scripts: ${total} bytes compressed\n`);
  expect(total).toBeGreaterThan(1000);
  expect(total).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);
});

test('index.html has no inline script or style, and is asked for anew each time', async () => {
  const response = await fetch(host().url);
  const html = await response.text();
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
  expect(response.headers.get('cache-control')).toBe('no-cache');
});

test('files with a hash in their name are kept for good', async () => {
  const html = await (await fetch(host().url)).text();
  const assets = [...html.matchAll(/(?:src|href)="(\/[^"]+-[A-Z0-9]{8}\.\w+)"/g)].map((match) => match[1]);
  expect(assets.length).toBe(4);
  for (const asset of assets) {
    const response = await fetch(host().url + asset);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  }
});

test('a path without a file extension is a view, another one is not found', async () => {
  const view = await fetch(`${host().url}/pool?name=v1.2`);
  expect([view.status, view.headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
  expect((await fetch(`${host().url}/missing.js`)).status).toBe(404);
});

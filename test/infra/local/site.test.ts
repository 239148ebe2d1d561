import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SITE_HEADERS } from '../../../infra/site-headers.ts';
import { send, useLocalServer } from '../../support/local-host.ts';
import { useTestApi } from '../../support/test-api.ts';

describe('the dashboard on the local host', () => {
  const api = useTestApi();
  const servers = useLocalServer();
  let parent: string;
  let port: number;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'site-'));
    const siteFolder = join(parent, 'site');
    await mkdir(siteFolder);
    await writeFile(join(siteFolder, 'index.html'), '<!doctype html><title>Dashboard</title>');
    await writeFile(join(siteFolder, 'main-AB12CD34.js'), 'console.log(1);');
    await writeFile(join(parent, 'secret.txt'), 'a secret beside the folder');
    port = await servers.start(api.functions, { siteFolder });
  });

  afterEach(async () => {
    await rm(parent, { recursive: true });
  });

  it('is served with the security headers that CloudFront adds', async () => {
    const answer = await send(port, { path: '/' });
    expect(answer).toMatchObject({ status: 200, headers: SITE_HEADERS });
    expect(answer.headers['content-type']).toMatch(/^text\/html;\s?charset=utf-8$/);
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.text).toContain('Dashboard');
    expect(SITE_HEADERS['content-security-policy']).toMatch(/default-src 'none'.*script-src 'self';/);
    expect(SITE_HEADERS['content-security-policy']).not.toContain('unsafe');
  });

  it('shows index.html for each of its views, and files as what they are', async () => {
    for (const path of ['/pools/default', '/?x=1', '/pools/default?x=a.b']) {
      expect(await send(port, { path })).toMatchObject({
        status: 200,
        text: expect.stringContaining('Dashboard'),
      });
    }
    const script = await send(port, { path: '/main-AB12CD34.js' });
    expect(script).toMatchObject({ status: 200, headers: SITE_HEADERS });
    expect(script.headers['content-type']).toMatch(/javascript/);
    expect(script.headers['cache-control']).toContain('immutable');
  });

  it('answers 404 for a file that is not there, with the same headers', async () => {
    expect(await send(port, { path: '/missing.js' })).toMatchObject({ status: 404, headers: SITE_HEADERS });
  });

  it('answers 304 for what the browser has', async () => {
    const { headers } = await send(port, { path: '/' });
    const again = await send(port, { path: '/', headers: { 'if-none-match': headers.etag as string } });
    expect(again).toMatchObject({ status: 304, text: '' });
  });

  it('answers HEAD without a body, and refuses other methods', async () => {
    expect(await send(port, { method: 'HEAD', path: '/' })).toMatchObject({ status: 200, text: '' });
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await send(port, { method, path: '/', body: 'x' });
      expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD', ...SITE_HEADERS } });
    }
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/a/../../secret.txt',
    '/site/../../secret.txt',
    '//secret.txt',
    '/./../secret.txt',
    '/\\..\\secret.txt',
    '/secret.txt%00.html',
    '/../site-other/secret.txt',
  ])('shows nothing outside its folder for %s', async (path) => {
    const answer = await send(port, { path });
    expect(answer.text).not.toContain('secret');
    expect(await send(port, { path: '/' })).toMatchObject({ status: 200 });
  });

  it.each([
    'bytes=0-3',
    'bytes=30-10',
    'bytes=-5',
    'bytes=99999-',
    'bytes=a-b',
    'bytes=',
    'x',
    '-',
    'bytes=0-1,3-4',
  ])('survives the range %s', async (range) => {
    const answer = await send(port, { path: '/', headers: { range } });
    expect(answer.status).toBeLessThan(500);
    expect(await send(port, { path: '/' })).toMatchObject({ status: 200 });
  });

  it.each([
    '/%',
    '/%zz',
    '/%ff.js',
    '/%00',
    '*',
    '?',
    '/?%',
    `/${'x'.repeat(4000)}`,
    '/__proto__',
    '/constructor.js',
  ])('survives the path %s', async (path) => {
    const answer = await send(port, { path });
    expect(answer.status).toBeLessThan(500);
    expect(await send(port, { path: '/' })).toMatchObject({ status: 200 });
  });

  it('is not mistaken for the API, nor the API for it', async () => {
    expect(await send(port, { path: '/v1x' })).toMatchObject({ headers: SITE_HEADERS });
    const answer = await send(port, { path: '/v1/nothing.js' });
    expect(answer).toMatchObject({ status: 404, headers: { 'content-type': 'application/problem+json' } });
  });
});

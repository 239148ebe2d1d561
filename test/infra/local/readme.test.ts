import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Pool } from '../../../shared/contract/pools.ts';
import { useHostProcesses } from '../../support/host-process.ts';

const CURL = fileURLToPath(new URL('support/curl.mjs', import.meta.url));

const hosts = useHostProcesses();

it('README.md: its calls work from a fresh start, in their order, and return what it shows', {
  timeout: 60_000,
}, async () => {
  const readme = await readFile('README.md', 'utf8');
  const blocks = (language: string): string[] =>
    [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '');
  const folder = await hosts.makeFolder();
  const host = await hosts.startHost(folder);
  const script = blocks('bash').join('').replaceAll('http://127.0.0.1:3000', host.url);
  const curl = `curl() { '${process.execPath}' '${CURL}' "$@"; }`;
  const { stdout } = await promisify(execFile)('sh', ['-ec', `${curl}\n${script}`], { cwd: folder });

  const [, lease] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(Object.keys(lease)).toEqual(Object.keys(JSON.parse(blocks('json')[0] ?? '')));
  expect(lease).toMatchObject({ pool: 'default', expiresInMs: 60_000, keepAliveEveryMs: 20_000 });
  const { body: pool } = await host.call<Pool>('GET', '/v1/pools/licences');
  expect(pool).toMatchObject({ keyTtlSeconds: null, counts: { free: { count: 3 } } });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { layWire } from '../store/mongo-wire.ts';
import { useHost } from '../support/host-process.ts';
import { nodeEnvironment } from '../support/node-environment.ts';

const SMOKE = fileURLToPath(new URL('../../infra/smoke.ts', import.meta.url));

describe('npm run smoke', () => {
  const host = useHost();

  const start = (url: string, credential?: string, ...options: string[]): ChildProcess =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SMOKE, '--url', url, ...options], {
      env: {
        ...nodeEnvironment(),
        ...(credential !== undefined && { TOKEN_ORCHESTRATOR_CREDENTIAL: credential }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  async function end(smoke: ChildProcess): Promise<{ code: number; lines: string[] }> {
    const [[code], printed] = await Promise.all([
      once(smoke, 'close'),
      text(smoke.stdout as NodeJS.ReadableStream),
    ]);
    return { code, lines: printed.trim().split('\n') };
  }
  const pools = async (): Promise<string[]> => {
    const { body } = await host.call<{ pools: { pool: string }[] }>('GET', '/v1/pools');
    return body.pools.map(({ pool }) => pool);
  };

  it('tells the whole story against a service that is well, and leaves nothing behind', async () => {
    const { code, lines } = await end(start(host.url, host.credential));
    expect(lines.filter((line) => !line.startsWith('ok    '))).toEqual([]);
    expect(lines).toHaveLength(12);
    expect(code).toBe(0);
    expect(await pools()).toEqual(['default']);
    expect(lines.join()).not.toContain(host.credential);
  }, 60_000);

  it('ends at the first step that fails, and says which', async () => {
    const { body } = await host.call<{ credential: string }>('POST', '/v1/clients', {
      body: { role: 'client' },
    });
    const { code, lines } = await end(start(host.url, body.credential));
    expect(lines.at(-1)).toBe('FAIL  this credential is an admin’s: its role is client');
    expect(code).toBe(1);
  });

  it('says that nobody answers', async () => {
    const wire = await layWire({ port: 1 });
    const { code, lines } = await end(start(`http://127.0.0.1:${wire.port}`, 'a.b'));
    await wire.close();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^FAIL {2}the service and its database answer: fetch failed: /);
    expect(code).toBe(1);
  });

  it('cleans up when it is interrupted', async () => {
    const smoke = start(host.url, host.credential);
    const ended = end(smoke);
    await expect.poll(pools, { timeout: 20_000, interval: 20 }).toHaveLength(2);
    smoke.kill('SIGINT');
    expect((await ended).code).toBe(1);
    expect(await pools()).toEqual(['default']);
  }, 60_000);

  it('asks for what it needs', async () => {
    expect(await end(start('nowhere', 'a.b'))).toMatchObject({ code: 2 });
    expect(await end(start(host.url))).toMatchObject({ code: 2 });
  });

  it('refuses a credential on the command line, and repeats nothing of it', async () => {
    const smoke = start(host.url, host.credential, '--credential', 'client_a.s3cr3t');
    const [said, { code }] = await Promise.all([text(smoke.stderr as NodeJS.ReadableStream), end(smoke)]);
    expect(said).toMatch(/^set TOKEN_ORCHESTRATOR_CREDENTIAL .*rotate/);
    expect(said).not.toContain('s3cr3t');
    expect(code).toBe(2);
  });
});

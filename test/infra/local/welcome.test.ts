import { describe, expect, it } from 'vitest';
import { welcome } from '../../../infra/local/welcome.ts';
import { readLocalConfig } from '../../../shared/runtime/config.ts';

const credential = `client_a.${'x'.repeat(43)}`;

describe('the welcome of the local host', () => {
  const at = (address: string, family: string, env: Record<string, string> = {}) =>
    welcome({ address, family, port: 3000 }, readLocalConfig(env), credential);

  it.each([
    ['127.0.0.1', 'IPv4', 'http://127.0.0.1:3000'],
    ['::1', 'IPv6', 'http://[::1]:3000'],
    ['0.0.0.0', 'IPv4', 'http://localhost:3000'],
    ['::', 'IPv6', 'http://localhost:3000'],
  ])('for %s shows an address to open', (address, family, url) => {
    expect(at(address, family)).toContain(`listens on ${url}\n`);
    expect(at(address, family)).toContain(
      `curl -X POST ${url}/v1/keys -H "Authorization: Bearer ${credential}"`,
    );
  });

  it('names the store, and nothing of its connection string', () => {
    expect(at('127.0.0.1', 'IPv4')).toContain('SQLite, .data/orchestrator.db');
    const shown = at('127.0.0.1', 'IPv4', { MONGODB_URI: 'mongodb://app:hunter2@db.example/x' });
    expect(shown).toContain('MongoDB, from MONGODB_URI');
    expect(shown).not.toMatch(/hunter2|db\.example/);
  });

  it('does not show a credential that came from the environment', () => {
    const shown = at('127.0.0.1', 'IPv4', { BOOTSTRAP_CREDENTIAL: credential });
    expect(shown).not.toContain(credential);
    expect(shown).toContain('Bearer $BOOTSTRAP_CREDENTIAL');
  });
});

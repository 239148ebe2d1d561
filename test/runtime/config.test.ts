import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  readLocalConfig,
  readRuntimeConfig,
  readVaultSecret,
} from '../../shared/runtime/config.ts';

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(readLocalConfig({})).toEqual({
      SQLITE_PATH: '.data/orchestrator.db',
      SQLITE_SYNCHRONOUS: 'full',
      CLOCK_SKEW_TOLERANCE_MS: 1000,
      EVENT_RETENTION_HOURS: 24,
      PORT: 3000,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'WARN',
      MONGODB_MAX_POOL_SIZE: 50,
    });
  });

  it('leaves the number of connections to the store and the deployment where no local host runs', () => {
    expect(readRuntimeConfig({})).not.toHaveProperty('MONGODB_MAX_POOL_SIZE');
    expect(readRuntimeConfig({ MONGODB_MAX_POOL_SIZE: '2' })).toMatchObject({ MONGODB_MAX_POOL_SIZE: 2 });
  });

  it('takes * or a list of origins for CORS', () => {
    expect(readLocalConfig({ CORS_ORIGINS: '*' }).CORS_ORIGINS).toEqual(['*']);
    expect(
      readLocalConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).CORS_ORIGINS,
    ).toEqual(['https://a.example', 'http://localhost:5173']);
  });

  it('takes an empty variable for one that is not set, and knows nothing of others', () => {
    expect(readLocalConfig({ PORT: '', MONGODB_URI: '', HOME: '/x' })).toEqual(readLocalConfig({}));
    expect(readRuntimeConfig({ PORT: 'abc' })).toEqual({
      SQLITE_PATH: '.data/orchestrator.db',
      SQLITE_SYNCHRONOUS: 'full',
      CLOCK_SKEW_TOLERANCE_MS: 1000,
      EVENT_RETENTION_HOURS: 24,
    });
  });

  it('takes what is right', () => {
    const env = {
      PORT: '0',
      HOST: '::1',
      MONGODB_URI: 'mongodb+srv://a:b@c.example/d',
      BOOTSTRAP_CREDENTIAL: `ci.${'x'.repeat(32)}`,
      SQLITE_PATH: ':memory:',
      SQLITE_SYNCHRONOUS: 'normal',
      CLOCK_SKEW_TOLERANCE_MS: '0',
      EVENT_RETENTION_HOURS: '1',
      LOG_LEVEL: 'DEBUG',
      MONGODB_MAX_POOL_SIZE: '7',
    };
    expect(readLocalConfig(env)).toEqual({
      ...env,
      PORT: 0,
      CLOCK_SKEW_TOLERANCE_MS: 0,
      EVENT_RETENTION_HOURS: 1,
      MONGODB_MAX_POOL_SIZE: 7,
    });
  });

  it.each([
    ['PORT', 'hunter2', /a whole number from 0 to 65535/],
    ['PORT', '65536', /a whole number from 0 to 65535/],
    ['PORT', '-1', /a whole number/],
    ['PORT', '3e3', /a whole number/],
    ['PORT', ' 80', /a whole number/],
    ['EVENT_RETENTION_HOURS', '0', /a whole number from 1 to 8760/],
    ['CLOCK_SKEW_TOLERANCE_MS', '1s', /a whole number from 0 to 60000/],
    ['CLOCK_SKEW_TOLERANCE_MS', '60001', /a whole number from 0 to 60000/],
    ['MONGODB_MAX_POOL_SIZE', '0', /a whole number from 1 to 1000/],
    ['SQLITE_SYNCHRONOUS', 'hunter2', /must be full or normal/],
    ['CORS_ORIGINS', 'hunter2.example', /\* or origins like/],
    ['CORS_ORIGINS', 'https://hunter2.example/', /\* or origins like/],
    ['CORS_ORIGINS', 'https://Hunter2.example', /\* or origins like/],
    ['CORS_ORIGINS', 'ftp://hunter2.example', /\* or origins like/],
    ['CORS_ORIGINS', 'https://hunter2.example,', /\* or origins like/],
    ['CORS_ORIGINS', '*,https://hunter2.example', /\* or origins like/],
    ['LOG_LEVEL', 'verbose', /DEBUG, INFO, WARN or ERROR/],
    ['MONGODB_URI', 'postgres://app:hunter2@db', /start with mongodb:\/\/ or mongodb\+srv:\/\//],
    ['MONGODB_URI', 'mongodb://app:hunter2 @db', /start with mongodb:\/\//],
    ['BOOTSTRAP_CREDENTIAL', 'hunter2', /<clientId>\.<secret>/],
    ['BOOTSTRAP_CREDENTIAL', `hunter2.${'x'.repeat(31)}`, /at least 32 characters/],
    ['BOOTSTRAP_CREDENTIAL', `.${'x'.repeat(32)}`, /<clientId>\.<secret>/],
    ['BOOTSTRAP_CREDENTIAL', `a.b.${'x'.repeat(32)}`, /<clientId>\.<secret>/],
    ['VALUE_ENCRYPTION_KEY', 'hunter2', /<id>:<secret>/],
    ['VALUE_ENCRYPTION_KEY', 'a:hunter2', /at least 32 characters/],
    ['VALUE_ENCRYPTION_KEY', `a:${'hunter2'.repeat(5)},a:${'x'.repeat(32)}`, /each id once/],
    ['VALUE_ENCRYPTION_KEY', `a:${'hunter2'.repeat(5)},`, /<id>:<secret>/],
    ['VALUE_ENCRYPTION_SECRET_ARN', 'hunter2', /the ARN of a Secrets Manager secret/],
    ['EVENTS_WEBHOOK_URL', 'hunter2', /an address like/],
    ['EVENTS_WEBHOOK_URL', 'ftp://127.0.0.1/hunter2', /an address like/],
    ['EVENTS_WEBHOOK_URL', 'http://app:hunter2@example.com/', /http:\/\/ is for receivers on this machine/],
    ['EVENTS_WEBHOOK_URL', 'http://127.0.0.1.hunter2.example/', /this machine/],
    ['EVENTS_WEBHOOK_SECRET', 'hunter2', /whsec_ and 24 to 64 bytes/],
    ['EVENTS_WEBHOOK_SECRET', `whsec_${'hunter2='.repeat(8)}`, /whsec_ and 24 to 64 bytes/],
    ['EVENTS_WEBHOOK_SECRET', `whsec_${Buffer.alloc(23).toString('base64')}`, /24 to 64 bytes/],
    ['EVENTS_WEBHOOK_SECRET', `whsec_${Buffer.alloc(65).toString('base64')}`, /24 to 64 bytes/],
    ['EVENTS_WEBHOOK_SECRET', `whsec_${Buffer.alloc(32).toString('base64')},`, /several of them/],
    ['DEFAULT_POOL_SIZE', 'hunter2', /a whole number from 0 to 10000/],
    ['DEFAULT_POOL_SIZE', '10001', /a whole number from 0 to 10000/],
  ])('names %s where it is wrong (%s), and what it must be, but not what it is', (variable, value, rule) => {
    const read = () => readLocalConfig({ [variable]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(new RegExp(`^${variable} must ${rule.source.startsWith('start') ? '' : 'be '}`));
    expect(read).toThrow(rule);
    expect(read).not.toThrow(/hunter2/);
  });

  it.each([
    'https://example.com/events?a=b',
    'http://localhost:8080',
    'http://127.0.0.1/',
    'http://[::1]:3/x',
  ])('takes a webhook at %s, and several secrets', (url) => {
    const [one, two] = [Buffer.alloc(24, 1), Buffer.alloc(64, 2)];
    const text = `whsec_${one.toString('base64')}, whsec_${two.toString('base64')}`;
    expect(readLocalConfig({ EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: text })).toMatchObject({
      EVENTS_WEBHOOK_URL: url,
      EVENTS_WEBHOOK_SECRET: [one, two],
    });
  });

  it('wants both the address and the secret of a webhook', () => {
    expect(() => readLocalConfig({ EVENTS_WEBHOOK_URL: 'https://example.com' })).toThrow(
      'EVENTS_WEBHOOK_SECRET is missing: a webhook needs both its address and its secret',
    );
    expect(() =>
      readLocalConfig({ EVENTS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}` }),
    ).toThrow('EVENTS_WEBHOOK_URL is missing');
  });

  it('takes keys for values, the first of which seals, and how large the default pool is', () => {
    const [one, two] = ['1'.repeat(32), 'Az09_-+/='.repeat(9)];
    expect(
      readRuntimeConfig({ VALUE_ENCRYPTION_KEY: `new:${two}, old_1:${one}`, DEFAULT_POOL_SIZE: '10' }),
    ).toMatchObject({
      VALUE_ENCRYPTION_KEY: [
        { id: 'new', secret: two },
        { id: 'old_1', secret: one },
      ],
      DEFAULT_POOL_SIZE: 10,
    });
  });

  it('takes the keys of a secret in the same form, or one secret alone, and never tells what is wrong with it', () => {
    const secret = 's'.repeat(64);
    expect(readVaultSecret(` ${secret}\n`)).toEqual([{ id: 'first', secret }]);
    expect(readVaultSecret(`second:${secret},first:${'t'.repeat(32)}`)).toHaveLength(2);
    for (const wrong of ['', 'hunter2', 'a:hunter2', `a:${secret},a:${secret}`]) {
      expect(() => readVaultSecret(wrong)).toThrow(
        /^The secret of VALUE_ENCRYPTION_SECRET_ARN must be <id>:<secret>/,
      );
      expect(() => readVaultSecret(wrong)).not.toThrow(/hunter2/);
    }
  });

  it('names all that is wrong at once', () => {
    expect(() => readLocalConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(
      /PORT must be .*; LOG_LEVEL must be /,
    );
  });
});

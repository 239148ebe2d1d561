import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareStore } from '../../../infra/local/prepare-store.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';
import { type CapturedLog, captureLog } from '../../support/captured-log.ts';
import { type Watch, watchStore } from '../../support/watch-store.ts';

describe('preparing the database at a start', () => {
  let log: CapturedLog;
  let real: Store;
  let watch: Watch;
  let store: Store;

  beforeEach(() => {
    log = captureLog();
    real = createSqliteStore({ path: ':memory:' });
    watch = {};
    store = watchStore(real, () => watch);
    // Not setImmediate: the store carries out its verbs then.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    log.stop();
    await real.close();
  });

  const linesAfter = async (ms: number): Promise<number> => {
    await vi.advanceTimersByTimeAsync(ms);
    return log.text().match(/Building the database's indexes/g)?.length ?? 0;
  };

  it('says nothing when it is quick', async () => {
    await prepareStore(store);
    expect(await store.pools.list({ limit: 2 })).toHaveLength(1);
    expect(await linesAfter(600_000)).toBe(0);
  });

  it('says after two seconds, and then every ten, that indexes are being built, and has no deadline', async () => {
    const built = Promise.withResolvers<void>();
    watch = { before: (verb) => (verb === 'prepare' ? built.promise : undefined) };
    const prepared = prepareStore(store);
    expect(await linesAfter(1999)).toBe(0);
    expect(await linesAfter(1)).toBe(1);
    expect(log.text()).toContain('2 s so far');
    expect(await linesAfter(9999)).toBe(1);
    expect(await linesAfter(1)).toBe(2);
    expect(await linesAfter(3_600_000)).toBe(362);
    built.resolve();
    await prepared;
    expect(await linesAfter(600_000)).toBe(362);
  });

  it('does not claim to be at work while the database does not answer, or after it failed', async () => {
    const answered = Promise.withResolvers<void>();
    watch = { before: (verb) => (verb === 'ping' ? answered.promise : undefined) };
    const failed = expect(prepareStore(store)).rejects.toThrow(DatabaseUnavailableError);
    expect(await linesAfter(5000)).toBe(0);
    answered.reject(new DatabaseUnavailableError());
    await failed;
    expect(await linesAfter(600_000)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { AUTHORIZER_CACHE_MS, cacheAuthorizer } from '../../../infra/local/authorizer-cache.ts';

describe('the cache of the authorizer', () => {
  const setUp = () => {
    const asked: string[] = [];
    const clock = { nowMs: 0 };
    const authorize = cacheAuthorizer(
      async ({ identitySource }) => {
        const [credential] = identitySource as [string];
        asked.push(credential);
        if (credential === 'fails') throw new Error('unreachable');
        return { isAuthorized: credential !== 'wrong', context: {} };
      },
      () => clock.nowMs,
    );
    return { authorize, asked, clock };
  };

  it('asks once per credential, for a denial too, until five seconds have passed', async () => {
    const { authorize, asked, clock } = setUp();
    expect(await authorize('right')).toEqual({});
    expect(await authorize('wrong')).toBe('denied');
    clock.nowMs = AUTHORIZER_CACHE_MS - 1;
    expect(await authorize('right')).toEqual({});
    expect(await authorize('wrong')).toBe('denied');
    expect(asked).toEqual(['right', 'wrong']);
    clock.nowMs = AUTHORIZER_CACHE_MS;
    await authorize('right');
    expect(asked).toEqual(['right', 'wrong', 'right']);
  });

  it('takes no credential for another', async () => {
    const { authorize, asked } = setUp();
    for (const credential of ['right', 'RIGHT', 'right ', 'wrong']) await authorize(credential);
    expect(asked).toHaveLength(4);
    expect(await authorize('wrong')).toBe('denied');
  });

  it('does not keep a failure', async () => {
    const { authorize, asked } = setUp();
    await expect(authorize('fails')).rejects.toThrow('unreachable');
    await expect(authorize('fails')).rejects.toThrow('unreachable');
    expect(asked).toHaveLength(2);
  });

  it('stays bounded, whatever credentials are tried', async () => {
    const { authorize, asked } = setUp();
    await authorize('first');
    for (let number = 0; number < 1000; number += 1) await authorize(`guess-${number}`);
    await authorize('first');
    expect(asked.filter((credential) => credential === 'first')).toHaveLength(2);
  });
});

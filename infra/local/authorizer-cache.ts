import type { AuthorizerContext } from '../../shared/http/api-event.ts';
import type { Authorizer } from '../../shared/http/create-authorizer.ts';

/** How long an answer of the authorizer is used again, in milliseconds; API Gateway's is 60 s. */
export const AUTHORIZER_CACHE_MS = 5000;

const MAX_ENTRIES = 1000;

export type Authorization = AuthorizerContext | 'denied';

/** Asks the authorizer as the gateway does: once per credential and {@link AUTHORIZER_CACHE_MS}. */
export function cacheAuthorizer(authorize: Authorizer, monotonicNow: () => number = () => performance.now()) {
  const known = new Map<string, { answer: Authorization; until: number }>();
  return async (credential: string): Promise<Authorization> => {
    const cached = known.get(credential);
    if (cached !== undefined && monotonicNow() < cached.until) return cached.answer;
    const { isAuthorized, context } = await authorize({ identitySource: [credential] });
    const answer = isAuthorized ? (context as AuthorizerContext) : 'denied';
    if (known.size >= MAX_ENTRIES) known.clear();
    known.set(credential, { answer, until: monotonicNow() + AUTHORIZER_CACHE_MS });
    return answer;
  };
}

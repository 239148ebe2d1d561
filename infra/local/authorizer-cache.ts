import type { AuthorizerContext } from '../../shared/http/api-event.ts';
import type { Authorizer } from '../../shared/http/create-authorizer.ts';

/** How long a decision of the authorizer is cached, in milliseconds; API Gateway's limit here is 60 s. */
export const AUTHORIZER_CACHE_MS = 5000;

const MAX_ENTRIES = 1000;

export type Authorization = AuthorizerContext | 'denied';

/** Asks the authorizer as the gateway does: once per credential and {@link AUTHORIZER_CACHE_MS}. */
export function cacheAuthorizer(authorize: Authorizer, monotonicNow: () => number = () => performance.now()) {
  const known = new Map<string, { decision: Authorization; until: number }>();
  return async (credential: string): Promise<Authorization> => {
    const cached = known.get(credential);
    if (cached !== undefined && monotonicNow() < cached.until) return cached.decision;
    const { isAuthorized, context } = await authorize({ identitySource: [credential] });
    const decision = isAuthorized ? (context as AuthorizerContext) : 'denied';
    if (known.size >= MAX_ENTRIES) known.clear();
    known.set(credential, { decision, until: monotonicNow() + AUTHORIZER_CACHE_MS });
    return decision;
  };
}

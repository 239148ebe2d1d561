import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { type Authorizer, createAuthorizer } from '../../shared/http/create-authorizer.ts';
import { type ApiHandler, createHandler } from '../../shared/http/create-handler.ts';
import { createSweepHandler, type SweepHandler } from '../../shared/http/create-sweep-handler.ts';
import { createUnmatchedHandler } from '../../shared/http/create-unmatched-handler.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';
import type { Metrics } from '../../shared/runtime/metrics.ts';
import type { RuntimeSource } from '../../shared/runtime/runtime.ts';

/** What the gateway and the schedule invoke. */
export interface Functions {
  /** By the name of the function, see `functions/routes.ts`. */
  readonly handlers: ReadonlyMap<string, ApiHandler>;
  readonly authorize: Authorizer;
  readonly sweep: SweepHandler;
}

/** The functions from their sources, all on one runtime. */
export async function loadFunctions(
  getRuntime: RuntimeSource,
  metrics: Metrics = () => undefined,
): Promise<Functions> {
  const handlers = new Map<string, ApiHandler>();
  for (const route of Object.values(routes)) {
    const { endpoint } = (await import(`../../functions/${route.function}.ts`)) as { endpoint: AnyEndpoint };
    handlers.set(route.function, createHandler(endpoint, getRuntime, metrics));
  }
  handlers.set(unmatchedRoute.function, createUnmatchedHandler(Object.values(routes), metrics));
  return {
    handlers,
    authorize: createAuthorizer(getRuntime),
    sweep: createSweepHandler(getRuntime, metrics),
  };
}

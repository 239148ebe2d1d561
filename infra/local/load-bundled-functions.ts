import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import type { Authorizer } from '../../shared/http/create-authorizer.ts';
import type { ApiHandler } from '../../shared/http/create-handler.ts';
import type { SweepHandler } from '../../shared/http/create-sweep-handler.ts';
import { ForeseeableMistake } from './foreseeable-mistake.ts';
import type { Functions } from './load-functions.ts';

/**
 * The functions from their bundles, as Lambda loads them. Each opens a store of its own, from the environment.
 * @param folder one folder per function, see `infra/bundle`
 */
export async function loadBundledFunctions(folder: string): Promise<Functions> {
  const load = async (name: string): Promise<unknown> => {
    const file = `${folder}/${name}/index.mjs`;
    if (!existsSync(file))
      throw new ForeseeableMistake(`${file} is missing: npm run build:functions makes it`);
    return ((await import(pathToFileURL(file).href)) as { handler: unknown }).handler;
  };
  const names = [...Object.values(routes), unmatchedRoute].map((route) => route.function);
  const handlers = await Promise.all(
    names.map(async (name) => [name, (await load(name)) as ApiHandler] as const),
  );
  return {
    handlers: new Map(handlers),
    authorize: (await load('authorize')) as Authorizer,
    sweep: (await load('expire-leases')) as SweepHandler,
  };
}

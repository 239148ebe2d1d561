import type { Route } from './route.ts';

const partsOfRoutes = new Map<string, readonly string[]>();

/** The parts of a route's path, split once: a host matches each request with most of the routes. */
function partsOf(routePath: string): readonly string[] {
  let parts = partsOfRoutes.get(routePath);
  if (parts === undefined) {
    parts = routePath.split('/');
    partsOfRoutes.set(routePath, parts);
  }
  return parts;
}

/** The parameters of `path` under a route's path, still percent-encoded; undefined when it does not match. */
export function matchPath(routePath: string, path: string): Record<string, string> | undefined {
  const wanted = partsOf(routePath);
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] as string;
    if (part.startsWith('{') && text !== '') parameters[part.slice(1, -1)] = text;
    else if (part !== text) return undefined;
  }
  return parameters;
}

/** The methods that the routes of this path allow. */
export function allowedMethods(routes: readonly Route[], path: string): string[] {
  return routes
    .filter((route) => matchPath(route.path, path) !== undefined)
    .flatMap((route) => [...route.methods]);
}

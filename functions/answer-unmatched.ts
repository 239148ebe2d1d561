import { createUnmatchedHandler } from '../shared/http/create-unmatched-handler.ts';
import { routes } from './routes.ts';

/** `$default`: 405 where the path is known for other methods, 404 otherwise. */
export const handler = createUnmatchedHandler(Object.values(routes));

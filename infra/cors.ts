import { routes } from '../functions/routes.ts';

/** What pages of other origins may do where an operator allows them: `CORS_ORIGINS`, or the parameter `corsOrigins`. */
export const CORS = {
  allowMethods: [...new Set(Object.values(routes).flatMap(({ methods }) => [...methods]))],
  allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'traceparent'],
  exposeHeaders: ['retry-after', 'x-request-id'],
  maxAgeSeconds: 3600,
} as const;

/** As the HTTP API sends it, of an admin. */
export function apiEvent(
  method: string,
  path: string,
  pathParameters: Record<string, string> = {},
  body?: unknown,
) {
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    pathParameters,
    isBase64Encoded: false,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    requestContext: {
      requestId: 'request-1',
      http: { method, path },
      authorizer: { lambda: { clientId: 'client_admin', role: 'admin', pools: '' } },
    },
  };
}

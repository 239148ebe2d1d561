// Swagger UI as it comes, on this origin's own document; no validator of somebody else's is asked.
globalThis.SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});

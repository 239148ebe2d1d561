// CloudFront Function (runtime 2.0) on the viewer's request: a path whose last part has no file extension is one of
// the dashboard's views, which index.html shows. Not `customErrorResponses`: those would turn the API's 403 and 404
// into a page as well.
// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it
function handler(event) {
  const request = event.request;
  const lastPart = request.uri.slice(request.uri.lastIndexOf('/'));
  if (request.uri === '/docs' || request.uri === '/docs/') request.uri = '/docs/index.html';
  else if (!lastPart.includes('.')) request.uri = '/index.html';
  return request;
}

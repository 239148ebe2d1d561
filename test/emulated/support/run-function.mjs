// What Lambda's own runtime does: loads the function, then asks the Runtime API for one invocation after the other.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const post = (path, body) => fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body) });
const describe = ({ name, message, stack }) => ({ errorType: name, errorMessage: message, trace: stack });

const { handler } = await import(process.argv[2]).catch(async (error) => {
  await post('init/error', describe(error));
  process.exit(1);
});
for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const awsRequestId = next.headers.get('lambda-runtime-aws-request-id');
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'));
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    await post(`invocation/${awsRequestId}/response`, (await handler(await next.json(), context)) ?? null);
  } catch (error) {
    await post(`invocation/${awsRequestId}/error`, describe(error));
  }
}

// Below Lambda's own runtime interface client (aws-lambda-ric), the one part of it that is native code, which would have
// to be compiled, with a libcurl, for minutes: three requests to the Runtime API. Preloaded with `--import`.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (name, context, next) =>
    name === './rapid-client.node'
      ? { url: import.meta.url, format: 'module', shortCircuit: true }
      : next(name, context),
});

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
let posted;
const post = (requestId, end, body) => {
  posted = fetch(`${api}/${requestId}/${end}`, { method: 'POST', body });
};

export const done = (requestId, body) => post(requestId, 'response', body);
export const error = (requestId, body) => post(requestId, 'error', body);

export async function next() {
  await posted;
  const invocation = await fetch(`${api}/next`);
  return { bodyJson: await invocation.text(), headers: Object.fromEntries(invocation.headers) };
}

// Runs in a bare child process, as Lambda would: imports a bundle, invokes it once, prints what it answered.
const [file, event] = process.argv.slice(2);
const { handler } = await import(file);
const lambda = { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => 20_000 };
// As Lambda's own client tells an error.
const answer = await handler(JSON.parse(event), lambda).catch(({ name, message, stack }) => {
  return { errorType: name, errorMessage: message, trace: stack.split('\n') };
});
process.stdout.write(`\nANSWER ${JSON.stringify(answer ?? null)}\n`, () => process.exit(0));

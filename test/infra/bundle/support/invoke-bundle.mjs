// Runs in a bare child process, as Lambda would: imports bundles, invokes each as often as told, prints what it answered.
process.stderr.write = process.stdout.write.bind(process.stdout); // One stream, so that lines belong to their invocation.
const lambda = { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => 20_000 };
for (const { file, event } of JSON.parse(process.argv[2])) {
  const { handler } = await import(file);
  // As Lambda's own client tells an error.
  const answer = await handler(event, lambda).catch(({ name, message, stack }) => {
    return { errorType: name, errorMessage: message, trace: stack.split('\n') };
  });
  process.stdout.write(`\nANSWER ${JSON.stringify(answer ?? null)}\n`);
}
process.stdout.write('', () => process.exit(0));

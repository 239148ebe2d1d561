// Runs in a bare child process, as Lambda would: imports a bundle, invokes it once, prints what it answered.
const [file, event] = process.argv.slice(2);
const { handler } = await import(file);
const answer = await handler(JSON.parse(event), { getRemainingTimeInMillis: () => 20_000 }).catch((error) => {
  process.stderr.write(`FAILED ${error.name}\n`, () => process.exit(1)); // What Lambda reports as the type of the error.
  return new Promise(() => undefined);
});
process.stdout.write(`\nANSWER ${JSON.stringify(answer ?? null)}\n`, () => process.exit(0));

// As much of curl as the README uses: a test may ask for nothing but Node.
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
  },
});
const headers = values.header?.map((header) => header.split(': '));
const response = await fetch(positionals[0], { method: values.request, headers, body: values.data });
process.stdout.write(`${await response.text()}\n`);

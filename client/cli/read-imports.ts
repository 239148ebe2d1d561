import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parse as parseRows } from 'csv-parse/sync';
import type { CreateKeysRequest } from '../../shared/contract/keys.ts';
import { CliError, exitCodes } from './cli-error.ts';

type Imports = NonNullable<CreateKeysRequest['values']>;

/**
 * The values of a file, or of standard input (`-`): JSON, an array of texts or of `{value, labels}`; CSV with a header
 * whose first column is `value`, each further one a label; otherwise a value per line.
 * @throws CliError, without what the file holds
 */
export async function readImports(path: string): Promise<Imports> {
  const content = (await read(path)).replace(/^\uFEFF/, '').trim();
  const values = parse(content);
  if (values.length === 0) throw new CliError(`${path} has no values`, exitCodes.usage);
  return values;
}

async function read(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(`${path} cannot be read (${code})`, exitCodes.usage, { cause: error });
  }
}

function parse(content: string): Imports {
  if (content.startsWith('[')) return parseJson(content);
  const [first = ''] = content.split(/\r?\n/, 1);
  return /^"?value"?(,|$)/i.test(first) ? parseCsv(content) : parseLines(content);
}

function parseLines(content: string): Imports {
  return content
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The service checks the rest. */
function parseJson(content: string): Imports {
  try {
    return JSON.parse(content) as Imports;
  } catch {
    // Its message would quote the file.
    throw new CliError('The file is not valid JSON', exitCodes.usage);
  }
}

function parseCsv(content: string): Imports {
  let rows: string[][];
  try {
    rows = parseRows(content, { skip_empty_lines: true });
  } catch {
    throw new CliError('The file is not valid CSV', exitCodes.usage);
  }
  const [[, ...names] = [], ...imports] = rows;
  return imports.map(([value = '', ...cells]) => {
    const noted = names.map((name, index) => [name.trim(), cells[index] ?? ''] as const);
    const labels = Object.fromEntries(noted.filter(([, cell]) => cell !== ''));
    return Object.keys(labels).length === 0 ? { value } : { value, labels };
  });
}

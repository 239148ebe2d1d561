import { InvalidRequestError, ValueExistsError } from '../../../client/sdk/errors.ts';

/** The most values of one request: all of them or none. */
export const BATCH = 1000;
/** The most lines that a refusal names. */
const MOST_NAMED = 20;

/** A secret, and the line of the text on which it stands. */
export interface ImportLine {
  readonly line: number;
  readonly value: string;
}

export function readLines(text: string): readonly ImportLine[] {
  return text
    .split(/\r?\n/)
    .map((value, index) => ({ line: index + 1, value: value.trim() }))
    .filter(({ value }) => value !== '');
}

/** The text after a line. */
export function textAfter(text: string, line: number): string {
  return text.split(/\r?\n/).slice(line).join('\n');
}

/** What only the command line reads; each of its lines would pass for a secret. */
export function explainFormat(text: string): string | undefined {
  const start = text.trimStart();
  const isJson = start.startsWith('[');
  if (!isJson && !/^"?value"?,/i.test(start)) return undefined;
  return `This looks like ${isJson ? 'JSON' : 'CSV'}. Here each line is a secret; for other forms use the command line: keys import FILE.`;
}

/** A value that stands twice, so that a large import does not stop in its middle. */
export function explainRepeat(lines: readonly ImportLine[]): string | undefined {
  const first = new Map<string, number>();
  for (const { line, value } of lines) {
    const earlier = first.get(value);
    if (earlier !== undefined) return `Line ${line} is the same as line ${earlier}`;
    first.set(value, line);
  }
  return undefined;
}

/** What the API refuses, by lines; undefined for an error that is not about the values. */
export function explainRefusal(error: unknown, batch: readonly ImportLine[]): string | undefined {
  if (!(error instanceof InvalidRequestError || error instanceof ValueExistsError)) return undefined;
  const [first] = error.errors;
  const alike = error.errors.filter(({ message }) => message === first?.message);
  const places = alike.map(({ path }) => Number(/^values\.(\d+)/.exec(path)?.[1]));
  // A store finds values in no particular order.
  const lines = places.toSorted((a, b) => a - b).flatMap((place) => batch[place]?.line ?? []);
  if (lines.length === 0) return undefined;
  const named = lines.slice(0, MOST_NAMED).join(', ');
  const more = lines.length > MOST_NAMED ? ` and ${lines.length - MOST_NAMED} more` : '';
  return `${lines.length === 1 ? 'Line' : 'Lines'} ${named}${more}: ${first?.message}`;
}

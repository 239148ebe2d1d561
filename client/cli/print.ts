/** Control characters in a text that somebody else chose would reach the terminal. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�');
}

/** Rows under headings, as wide as they must be. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((_, column) =>
    Math.max(...[headings, ...rows].map((row) => (row[column] ?? '').length)),
  );
  return [headings, ...rows].map((row) => formatRow(row, widths)).join('\n');
}

/** Cells in columns of these widths, or more where a cell needs it. */
export function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => clean(cell).padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd();
}

/** One name and value per line. */
export function formatFields(fields: readonly (readonly [string, string | undefined])[]): string {
  const given = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${clean(value)}`).join('\n');
}

/** `90000` to `1m 30s`. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null) return 'never';
  if (ms === undefined) return '';
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([amount]) => amount > 0)
    .slice(0, 2)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

/** How a command's result is wanted. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly only?: string;
}

/** One field of the JSON, the JSON itself, or text for people, to standard output. */
export function print(options: OutputOptions, value: object, text: () => string): void {
  process.stdout.write(`${format(options, value, text)}\n`);
}

/** A line to people, on standard error; none where programs read it. */
export function remark(options: OutputOptions, line: string): void {
  if (options.json !== true) process.stderr.write(`token-orchestrator: ${line}\n`);
}

function format({ json, only }: OutputOptions, value: object, text: () => string): string {
  if (only === undefined) return json ? JSON.stringify(value) : text();
  const field: unknown = value[only as keyof typeof value] ?? '';
  return typeof field === 'string' ? field : JSON.stringify(field);
}

const BAR_WIDTH = 30;

/** How far a long command is, on standard error: one line that is written over on a terminal, else a line per step. */
export function createProgressBar(
  total: number,
  stream: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr,
): { show(done: number): void } {
  return {
    show: (done) => {
      const filled = Math.round((done / total) * BAR_WIDTH);
      const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${done}/${total}`;
      if (stream.isTTY) stream.write(`\r${bar}${done === total ? '\n' : ''}`);
      else stream.write(`${bar}\n`);
    },
  };
}

/** `name=value`, with commas between. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string | undefined {
  return (
    labels &&
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')
  );
}

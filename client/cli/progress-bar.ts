const WIDTH = 30;

/** How far a long command is, on standard error: one line that is written over on a terminal, else a line per step. */
export function createProgressBar(
  total: number,
  stream: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr,
): { show(done: number): void } {
  return {
    show: (done) => {
      const filled = Math.round((done / total) * WIDTH);
      const bar = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${done}/${total}`;
      if (stream.isTTY) stream.write(`\r${bar}${done === total ? '\n' : ''}`);
      else stream.write(`${bar}\n`);
    },
  };
}

import { vi } from 'vitest';

/** Everything that this process prints, kept instead of shown. */
export interface CapturedLog {
  /** What was printed since the capture began. */
  text(): string;
  stop(): void;
}

/** Catches the logger's lines and everybody's `console`, on both streams. */
export function captureLog(): CapturedLog {
  const printed: string[] = [];
  const keep = (chunk: unknown): boolean => {
    printed.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('utf8'));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep),
    ...(['debug', 'info', 'log', 'warn', 'error'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...entries: unknown[]) => void keep(entries.join(' '))),
    ),
  ];
  return {
    text: () => printed.join(''),
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

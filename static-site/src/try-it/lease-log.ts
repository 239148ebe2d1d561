import { type ReadonlySignal, signal } from '@preact/signals';

const KEPT = 40;

export interface LogEntry {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
  readonly keyId: string | undefined;
}

export interface LeaseLog {
  readonly entries: ReadonlySignal<readonly LogEntry[]>;
  add(tone: LogEntry['tone'], text: string, keyId: string | undefined): void;
}

/** What happened to the leases of this page, newest first. */
export function createLeaseLog(): LeaseLog {
  const entries = signal<readonly LogEntry[]>([]);
  let lastId = 0;
  return {
    entries,
    add: (tone, text, keyId) => {
      lastId += 1;
      entries.value = [{ id: lastId, at: Date.now(), tone, text, keyId }, ...entries.peek()].slice(0, KEPT);
    },
  };
}

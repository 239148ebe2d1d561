import { useState } from 'preact/hooks';
import { endSessionIfRejected } from '../session/session.ts';

export interface Action {
  readonly running: boolean;
  readonly error: unknown;
  /** Does it, unless it is being done already; true when it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
  reset(): void;
}

/** Something a person asked for: runs once at a time, and keeps the error to show beside the button. */
export function useAction(): Action {
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  return {
    running,
    error,
    reset: () => setError(undefined),
    run: async (work) => {
      if (running) return false;
      setRunning(true);
      setError(undefined);
      try {
        await work();
        return true;
      } catch (failure) {
        endSessionIfRejected(failure);
        setError(failure);
        return false;
      } finally {
        setRunning(false);
      }
    },
  };
}

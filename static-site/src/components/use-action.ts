import { useState } from 'preact/hooks';
import { endSessionIfRejected } from '../session/session.ts';

export interface Action {
  readonly running: boolean;
  readonly error: unknown;
  /** Runs `work`, unless it is running already. @returns true on success */
  run(work: () => Promise<void>): Promise<boolean>;
  reset(): void;
}

/** An action of a person: runs once at a time, and keeps its error for display. */
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

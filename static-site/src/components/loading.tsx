import { explainOutage } from '../api/explain-error.ts';
import { ErrorNotice } from './notice.tsx';

interface LoadingProps {
  /** Why there is nothing yet; undefined while the first response is on its way. */
  readonly error?: unknown;
  /** The heights of the grey shapes that stand in for what comes, as classes. */
  readonly shapes: readonly string[];
}

/** What stands in for something that is not loaded yet. */
export function Loading({ error, shapes }: LoadingProps) {
  if (error !== undefined) return <ErrorNotice error={error} explain={explainOutage} />;
  return (
    <div aria-busy="true" class="space-y-4">
      <p class="sr-only">Loading</p>
      {shapes.map((height, index) => (
        <div key={index} class={`skeleton ${height}`} />
      ))}
    </div>
  );
}

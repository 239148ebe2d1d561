import { explainOutage } from '../api/explain-error.ts';
import { ErrorNotice } from './notice.tsx';

interface LoadingProps {
  /** Why there is nothing yet; undefined while the first response is on its way. */
  readonly error?: unknown;
  /** The heights of the grey shapes that stand in for what comes, as classes. */
  readonly shapes: readonly string[];
  /** In a card. */
  readonly inset?: boolean;
}

/** What stands in for something that is not loaded yet. */
export function Loading({ error, shapes, inset = false }: LoadingProps) {
  const padding = inset ? 'p-5' : '';
  if (error !== undefined) {
    return (
      <div class={padding}>
        <ErrorNotice error={error} explain={explainOutage} />
      </div>
    );
  }
  return (
    <div aria-busy="true" class={`space-y-4 ${padding}`}>
      <p class="sr-only">Loading</p>
      {shapes.map((height, index) => (
        <div key={index} class={`skeleton ${height}`} />
      ))}
    </div>
  );
}

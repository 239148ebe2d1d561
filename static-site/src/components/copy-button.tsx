import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for people who do not see where the button stands. */
  readonly name: string;
  readonly label?: string;
  readonly class?: string;
}

export function CopyButton({ text, name, label, class: className = 'button-quiet' }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'copied' | 'refused' | undefined>(undefined);
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), 2000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (): Promise<void> => {
    // Browsers refuse on pages that are neither https nor localhost.
    const copied = await copyText(text);
    setOutcome(copied ? 'copied' : 'refused');
  };
  const said =
    outcome === 'copied' ? 'Copied' : outcome === 'refused' ? 'Select and copy by hand' : undefined;
  return (
    <button
      type="button"
      class={`button ${className} ${label === undefined && said === undefined ? 'button-icon' : 'px-2.5'}`}
      aria-label={said ?? `Copy ${name}`}
      title={`Copy ${name}`}
      onClick={() => void copy()}
    >
      <Icon name={outcome === 'copied' ? 'check' : 'copy'} />
      {said ?? label}
    </button>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

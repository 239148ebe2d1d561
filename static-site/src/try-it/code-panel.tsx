import { signal } from '@preact/signals';
import { CopyButton } from '../components/copy-button.tsx';
import type { Snippet, SnippetLanguage } from './snippets.ts';

/** The choice holds for all panels. */
const language = signal<SnippetLanguage>('curl');

const NAMES: Readonly<Record<SnippetLanguage, string>> = { curl: 'curl', sdk: 'SDK' };
const LANGUAGES: readonly SnippetLanguage[] = ['curl', 'sdk'];

interface CodePanelProps {
  /** What the code does: "Acquire". */
  readonly title: string;
  readonly snippet: Snippet;
}

/** Code to copy. */
export function CodePanel({ title, snippet }: CodePanelProps) {
  const code = snippet[language.value];
  return (
    <CodeFrame title={title} code={code}>
      <fieldset class="flex rounded-lg bg-surface p-0.5">
        <legend class="sr-only">Language</legend>
        {LANGUAGES.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={language.value === name}
            class="rounded-md px-2 py-0.5 text-xs font-medium text-muted aria-pressed:bg-accent-soft aria-pressed:text-accent"
            onClick={() => {
              language.value = name;
            }}
          >
            {NAMES[name]}
          </button>
        ))}
      </fieldset>
    </CodeFrame>
  );
}

interface CodeFrameProps {
  readonly title: string;
  readonly code: string;
  readonly children?: preact.ComponentChildren;
}

export function CodeFrame({ title, code, children }: CodeFrameProps) {
  return (
    <figure class="min-w-0 self-start overflow-hidden rounded-xl border border-line bg-sunken">
      <figcaption class="flex items-center gap-2 py-1 pr-1 pl-3.5 text-xs font-medium text-muted">
        <span class="flex-1">{title}</span>
        {children}
        <CopyButton text={code} name={`the line: ${title}`} />
      </figcaption>
      <pre class="px-3.5 pt-0.5 pb-3 font-mono text-xs leading-relaxed wrap-anywhere whitespace-pre-wrap">
        <code>{code}</code>
      </pre>
    </figure>
  );
}

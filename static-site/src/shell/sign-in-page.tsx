import { useId, useState } from 'preact/hooks';
import { explainOutage, explainSignOut } from '../api/explain-error.ts';
import { Brand } from '../components/icon.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { type Session, signIn } from '../session/session.ts';
import { ThemeToggle } from './theme-toggle.tsx';

/** Asks for a credential. */
export function SignInPage({ current }: { current: Session }) {
  const id = useId();
  const [credential, setCredential] = useState('');
  const [shown, setShown] = useState(false);
  const busy = current.state === 'checking';
  const error = current.state === 'signed-out' ? current.error : undefined;

  return (
    <div class="flex min-h-dvh flex-col">
      <header class="flex items-center justify-between p-4 sm:px-8">
        <Brand />
        <ThemeToggle />
      </header>
      <main class="mx-auto flex w-full max-w-md flex-1 flex-col justify-center px-4 pb-24">
        <PageHeading title="Sign in" name="Sign in">
          Hand a limited number of interchangeable keys to your programs, one holder each, for as long as each
          proves that it is alive.
        </PageHeading>
        <form
          class="card p-5 sm:p-6"
          onSubmit={(event) => {
            event.preventDefault();
            if (credential.trim() !== '') void signIn(credential.trim());
          }}
        >
          <label for={id} class="mb-1.5 block text-[0.8125rem] font-medium">
            Credential
          </label>
          <div class="relative">
            <input
              id={id}
              class="field min-h-10 pr-16 font-mono text-[0.8125rem]"
              {...(shown ? { type: 'text' as const } : { type: 'password' as const })}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              required
              placeholder="client_id.secret"
              aria-describedby={`${id}-hint`}
              value={credential}
              onInput={(event) => setCredential(event.currentTarget.value)}
            />
            <button
              type="button"
              class="button button-quiet absolute top-1 right-1 min-h-8 px-2.5 text-xs"
              aria-pressed={shown}
              onClick={() => setShown(!shown)}
            >
              {shown ? 'Hide' : 'Show'}
            </button>
          </div>
          <p id={`${id}-hint`} class="mt-2 text-xs text-muted">
            The start of the service prints one. It is kept for this tab and those you open from it, until
            they are closed, and sent to this service only.
          </p>
          <ErrorNotice error={error} explain={explainSignOut} />
          <button type="submit" class="button button-primary mt-5 min-h-10 w-full" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
        </form>
        <p class="mt-4 text-center text-xs text-muted">
          Programs call the{' '}
          <a class="text-accent underline underline-offset-2" href="/docs">
            API
          </a>
          .
        </p>
      </main>
    </div>
  );
}

/** Shown while the service cannot be reached to check the credential. */
export function UnreachablePage({ credential, error }: { credential: string; error: unknown }) {
  return (
    <main class="mx-auto flex min-h-dvh w-full max-w-md flex-col items-start justify-center px-4">
      <PageHeading title="The service does not answer" name="No answer">
        <span role="alert">{explainOutage(error)}</span>
      </PageHeading>
      <button type="button" class="button button-primary" onClick={() => void signIn(credential)}>
        Try now
      </button>
    </main>
  );
}

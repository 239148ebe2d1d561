import { useEffect } from 'preact/hooks';
import { session, signIn } from '../session/session.ts';
import { SignInPage, UnreachablePage } from './sign-in-page.tsx';
import { SignedInShell } from './signed-in-shell.tsx';

/** The pause between two attempts to sign in while the service cannot be reached, in milliseconds. */
const RETRY_MS = 4000;

export function App() {
  const current = session.value;
  useEffect(() => {
    if (current.state !== 'unreachable') return undefined;
    const timer = setTimeout(() => void signIn(current.credential), RETRY_MS);
    return () => clearTimeout(timer);
  }, [current]);

  switch (current.state) {
    case 'resuming':
      // Nothing, for an instant: a sign-in page that goes at once would only flash.
      return <div aria-busy="true" class="min-h-dvh" />;
    case 'signed-in':
      return <SignedInShell key={current.credential} signedIn={current} />;
    case 'unreachable':
      return <UnreachablePage credential={current.credential} error={current.error} />;
    default:
      return <SignInPage current={current} />;
  }
}

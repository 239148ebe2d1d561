import { render } from 'preact';
import { signIn, storedCredential } from './session/session.ts';
import { takeCredentialFromAddress } from './session/sign-in-link.ts';
import { App } from './shell/app.tsx';
import './theme/theme.ts';

function signInWith(credential: string | undefined): void {
  if (credential !== undefined) void signIn(credential);
}

signInWith(takeCredentialFromAddress() ?? storedCredential());
// A sign-in link that is opened in a tab that shows the dashboard already changes the fragment only.
window.addEventListener('hashchange', () => signInWith(takeCredentialFromAddress()));
render(<App />, document.getElementById('app') as HTMLElement);

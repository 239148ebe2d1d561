import { render } from 'preact';
import { resumeSession, signIn, takeCredentialFromAddress } from './session/session.ts';
import { App } from './shell/app.tsx';
import './theme/theme.ts';

const credential = takeCredentialFromAddress();
void (credential === undefined ? resumeSession() : signIn(credential));
// A sign-in link that is opened in a tab that shows the dashboard already changes the fragment only.
window.addEventListener('hashchange', () => {
  const next = takeCredentialFromAddress();
  if (next !== undefined) void signIn(next);
});
render(<App />, document.getElementById('app') as HTMLElement);

const PARAMETER = 'credential';

/**
 * The credential of a sign-in link (`/#credential=...`), taken out of the address and of the tab's history at once.
 * A fragment is never sent to a server.
 */
export function takeCredentialFromAddress(): string | undefined {
  const credential = new URLSearchParams(location.hash.slice(1)).get(PARAMETER);
  if (credential === null) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return credential.trim() || undefined;
}

import { signal } from '@preact/signals';
import type { Caller } from '../../../shared/contract/clients.ts';
import { type Api, createApi } from '../api/api.ts';
import { isOutage, isRefusal } from '../api/explain-error.ts';
import { askOtherTabs, listenToOtherTabs, signOutOtherTabs } from './other-tabs.ts';

/** Kept for the tab only: closing it forgets. Empty once somebody signed out here, so that no other tab is asked. */
const STORAGE_KEY = 'token-orchestrator.credential';

export interface SignedIn {
  readonly credential: string;
  readonly api: Api;
  readonly caller: Caller;
}

export type Session =
  | { readonly state: 'signed-out'; readonly error?: unknown }
  | { readonly state: 'checking' }
  /** A credential is there, but nobody answered whether it is good. */
  | { readonly state: 'unreachable'; readonly credential: string; readonly error: unknown }
  | ({ readonly state: 'signed-in' } & SignedIn);

export const session = signal<Session>({ state: 'signed-out' });

export async function signIn(credential: string): Promise<void> {
  if (session.value.state !== 'unreachable') session.value = { state: 'checking' };
  try {
    const api = createApi(credential);
    const { body: caller } = await api.me();
    sessionStorage.setItem(STORAGE_KEY, credential);
    session.value = { state: 'signed-in', credential, api, caller };
  } catch (error) {
    if (isOutage(error)) session.value = { state: 'unreachable', credential, error };
    else signOut(error);
  }
}

/** Signs in with what this tab knows already, or else as another tab of this browser is signed in. */
export async function resumeSession(): Promise<void> {
  session.value = { state: 'checking' };
  const credential = sessionStorage.getItem(STORAGE_KEY) ?? (await askOtherTabs());
  if (credential) await signIn(credential);
  else session.value = { state: 'signed-out' };
}

/**
 * The credential of a sign-in link (`/#credential=...`), taken out of the address and of the tab's history at once.
 * A fragment is never sent to a server.
 */
export function takeCredentialFromAddress(): string | undefined {
  const credential = new URLSearchParams(location.hash.slice(1)).get('credential');
  if (credential === null) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return credential.trim() || undefined;
}

/** Forgets the credential; `error` is why, if the person did not ask for it. */
function signOut(error?: unknown): void {
  sessionStorage.setItem(STORAGE_KEY, '');
  session.value = { state: 'signed-out', error };
}

/** Signs out here and in every other tab that uses the same credential. */
export function signOutEverywhere({ credential }: SignedIn): void {
  signOutOtherTabs(credential);
  signOut();
}

/** After a refusal: signs out if the credential itself is no longer good, and not just not allowed to do this. */
export function endSessionIfRejected(error: unknown): void {
  const current = session.value;
  if (!isRefusal(error) || current.state !== 'signed-in') return;
  current.api.me().catch((failure) => {
    if (isRefusal(failure) && session.value === current) signOut(failure);
  });
}

listenToOtherTabs(
  () => (session.value.state === 'signed-in' ? session.value.credential : undefined),
  () => signOut(),
);

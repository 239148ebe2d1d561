import { signal } from '@preact/signals';
import type { Caller } from '../../../shared/contract/clients.ts';
import { type Api, createApi } from '../api/api.ts';
import { isOutage, isRefusal } from '../api/explain-error.ts';
import { askOtherTabs, listenToOtherTabs, signOutOtherTabs } from './other-tabs.ts';

/** Kept until the tab is closed. Empty after signing out, so that a reload does not ask other tabs. */
const STORAGE_KEY = 'token-orchestrator.credential';

export interface SignedIn {
  readonly credential: string;
  readonly api: Api;
  readonly caller: Caller;
}

export type Session =
  | { readonly state: 'signed-out'; readonly error?: unknown }
  /** Not known yet, before anybody was asked for a credential. */
  | { readonly state: 'resuming' }
  /** A credential from the sign-in page is being checked. */
  | { readonly state: 'checking' }
  /** There is a credential, but no response yet whether it is valid. */
  | { readonly state: 'unreachable'; readonly credential: string; readonly error: unknown }
  | ({ readonly state: 'signed-in' } & SignedIn);

export const session = signal<Session>({ state: 'resuming' });

export async function signIn(credential: string): Promise<void> {
  if (session.value.state === 'signed-out') session.value = { state: 'checking' };
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

/** Signs in with this tab's credential, or else with that of another tab of this browser. */
export async function resumeSession(): Promise<void> {
  const credential = sessionStorage.getItem(STORAGE_KEY) ?? (await askOtherTabs());
  if (session.value.state !== 'resuming') return; // A sign-in link was opened here meanwhile.
  if (credential) await signIn(credential);
  else session.value = { state: 'signed-out' };
}

/**
 * The credential of a sign-in link (`/#credential=...`). Removes it from the address and the tab's history. A fragment
 * is never sent to a server.
 */
export function takeCredentialFromAddress(): string | undefined {
  const credential = new URLSearchParams(location.hash.slice(1)).get('credential');
  if (credential === null) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return credential.trim() || undefined;
}

/** Forgets the credential. `error`: why, if the person did not sign out. */
function signOut(error?: unknown): void {
  sessionStorage.setItem(STORAGE_KEY, '');
  session.value = { state: 'signed-out', error };
}

/** Signs out here and in every other tab that uses the same credential. */
export function signOutEverywhere({ credential }: SignedIn): void {
  signOutOtherTabs(credential);
  signOut();
}

/** After a 401 or 403: signs out if the credential is no longer valid, not if it is only not allowed to do this. */
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

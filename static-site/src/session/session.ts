import { signal } from '@preact/signals';
import { type Api, createApi } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';
import { type Access, discoverAccess } from './discover-access.ts';
import { askOtherTabs, listenToOtherTabs, signOutOtherTabs } from './other-tabs.ts';

/** Kept for the tab only: closing it forgets. Empty once somebody signed out here, so that no other tab is asked. */
const STORAGE_KEY = 'token-orchestrator.credential';

export interface SignedIn {
  readonly credential: string;
  readonly api: Api;
  readonly access: Access;
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
  const api = createApi(credential);
  try {
    const access = await discoverAccess(api);
    sessionStorage.setItem(STORAGE_KEY, credential);
    session.value = { state: 'signed-in', credential, api, access };
  } catch (error) {
    if (error instanceof ApiError && error.isOutage) {
      session.value = { state: 'unreachable', credential, error };
    } else {
      signOut(error);
    }
  }
}

/** Signs in with what this tab knows already, or else as another tab of this browser is signed in. */
export async function resumeSession(): Promise<void> {
  session.value = { state: 'checking' };
  const credential = sessionStorage.getItem(STORAGE_KEY) ?? (await askOtherTabs());
  if (credential) await signIn(credential);
  else session.value = { state: 'signed-out' };
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

/** Signs out when the error says that the credential is no longer good. */
export function endSessionIfRejected(error: unknown): void {
  if (error instanceof ApiError && error.code === 'credential_rejected') signOut(error);
}

listenToOtherTabs(
  () => (session.value.state === 'signed-in' ? session.value.credential : undefined),
  () => signOut(),
);

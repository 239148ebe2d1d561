/**
 * Signs in a new tab as another tab of this browser is, for a link that is opened with ctrl-click. A BroadcastChannel
 * reaches this origin only. The credential is in no URL, and in no storage that outlives the tabs.
 */
const channel = new BroadcastChannel('token-orchestrator.session');

/** How long a new tab waits for offers, in milliseconds. */
const WAIT_MS = 150;

type Message =
  | { readonly kind: 'ask' }
  | { readonly kind: 'offer'; readonly credential: string; readonly usedAt: number }
  | { readonly kind: 'sign-out'; readonly credential: string };

function send(message: Message): void {
  channel.postMessage(message);
}

/** When somebody last clicked or typed here, in milliseconds since the epoch. */
let usedAt = 0;
for (const type of ['pointerdown', 'keydown']) {
  addEventListener(
    type,
    () => {
      usedAt = Date.now();
    },
    { capture: true, passive: true },
  );
}

/** The credential of the tab that was used last: where tabs are signed in differently, it has the link. */
export async function askOtherTabs(): Promise<string | undefined> {
  let newest: { credential?: string; usedAt: number } = { usedAt: -1 };
  const onMessage = ({ data }: MessageEvent<Message>): void => {
    if (data.kind === 'offer' && data.usedAt > newest.usedAt) newest = data;
  };
  channel.addEventListener('message', onMessage);
  send({ kind: 'ask' });
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  channel.removeEventListener('message', onMessage);
  return newest.credential;
}

/** Offers this tab's credential to tabs that ask, and signs out when another tab says so. */
export function listenToOtherTabs(own: () => string | undefined, signOut: () => void): void {
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    const credential = own();
    if (credential === undefined) return;
    if (data.kind === 'ask') send({ kind: 'offer', credential, usedAt });
    if (data.kind === 'sign-out' && data.credential === credential) signOut();
  });
}

/** Signs out the other tabs that use this credential. */
export function signOutOtherTabs(credential: string): void {
  send({ kind: 'sign-out', credential });
}

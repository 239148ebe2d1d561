import { Icon } from '../components/icon.tsx';
import { StateBadge } from '../components/state-badge.tsx';

/** The states of a key, in one line. */
export function Lifecycle() {
  return (
    <ol class="card mb-5 flex flex-col gap-x-3 gap-y-2 px-4 py-3 text-[0.8125rem] text-muted sm:px-6 md:flex-row md:items-center md:justify-between">
      <Step>
        <StateBadge state="free" /> <strong class="font-medium text-ink">acquire</strong> blocks a free key
        for you alone
      </Step>
      <Arrow />
      <Step>
        <StateBadge state="leased" /> <strong class="font-medium text-ink">keep-alive</strong> extends the
        lease, over and over
      </Step>
      <Arrow />
      <Step>
        <StateBadge state="free" /> <strong class="font-medium text-ink">release</strong> it, or let it lapse:
        it comes back
      </Step>
    </ol>
  );
}

function Step({ children }: { children: preact.ComponentChildren }) {
  return <li class="flex flex-wrap items-center gap-x-2 gap-y-1">{children}</li>;
}

function Arrow() {
  return (
    <li class="hidden text-muted md:block" aria-hidden="true">
      <Icon name="arrow" />
    </li>
  );
}

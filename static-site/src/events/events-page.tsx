import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import { PageHeading } from '../components/page-heading.tsx';
import { type EventFilter, pathOf, replace } from '../router.ts';
import { EventList } from './event-list.tsx';
import { KINDS } from './event-sentence.tsx';

/** The filter follows when typing has paused for this long, in milliseconds. */
const TYPING_MS = 400;

interface EventsPageProps {
  readonly api: Api;
  /** The pools that the filter offers. */
  readonly pools: readonly string[];
  readonly filter: EventFilter;
}

/** What happened lately, narrowed down by the filter in the address. */
export function EventsPage({ api, pools, filter }: EventsPageProps) {
  const { pool, type, key, client, holder } = filter;
  const given = { pool, type, key, client, holder };
  const change = (changed: Partial<Record<keyof EventFilter, string>>): void =>
    replace({ view: 'events', ...given, ...changed });
  const isNarrowed = Object.values(given).some((value) => value !== undefined);
  const offered = pool === undefined || pools.includes(pool) ? pools : [pool, ...pools];
  return (
    <>
      <PageHeading title="Events" name="Events">
        Leases that lapsed or were ended, exhausted pools, and what was done to keys, pools and clients.
      </PageHeading>
      <div class="card">
        <div class="grid grid-cols-2 gap-3 border-b border-line p-3 *:last:max-md:col-span-2 sm:px-5 md:grid-cols-5">
          <Choice label="Pool" value={pool} onValue={(value) => change({ pool: value })}>
            <option value="">All pools</option>
            {offered.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Choice>
          <Choice label="Type" value={type} onValue={(value) => change({ type: value })}>
            <option value="">All types</option>
            {Object.entries(KINDS).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </Choice>
          <Text label="Key id" value={key} onValue={(value) => change({ key: value })} />
          <Text label="Client id" value={client} onValue={(value) => change({ client: value })} />
          <Text
            label="Holder"
            value={holder}
            maxLength={200}
            onValue={(value) => change({ holder: value })}
          />
        </div>
        <EventList
          key={pathOf({ view: 'events', ...given })}
          api={api}
          filter={given}
          onClear={isNarrowed ? () => replace({ view: 'events' }) : undefined}
        />
      </div>
    </>
  );
}

interface FilterProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onValue: (value: string) => void;
}

function Choice({ label, value = '', onValue, children }: FilterProps & { children: ComponentChildren }) {
  return (
    <select
      class="field"
      aria-label={label}
      value={value}
      onChange={(event) => onValue(event.currentTarget.value)}
    >
      {children}
    </select>
  );
}

function Text({ label, value = '', maxLength = 64, onValue }: FilterProps & { maxLength?: number }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    const text = typed.trim();
    if (text === value) return undefined;
    const timer = setTimeout(() => onValue(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onValue]);
  return (
    <input
      type="search"
      class="field font-mono text-[0.8125rem] placeholder:font-sans"
      aria-label={label}
      placeholder={label}
      maxLength={maxLength}
      spellcheck={false}
      autocomplete="off"
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

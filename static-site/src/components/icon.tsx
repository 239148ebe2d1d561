const PATHS = {
  key: 'M8.5 14.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm4-4H21m-3 0v3.5',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 11a8 8 0 0 0-14.3-4M4 5v4h4m-4 4a8 8 0 0 0 14.3 4M20 19v-4h-4',
  unlock: 'M7 11V8a5 5 0 0 1 9.6-2M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z',
  trash: 'M5 7h14M10 11v6m4-6v6M9 7V4h6v3m-9 0 1 13h10l1-13',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'm5 13 4.5 4.5L19 7',
  sliders: 'M4 8h9m5 0h2M4 16h2m5 0h9M15.5 8a2 2 0 1 0 0-.01M8.5 16a2 2 0 1 0 0-.01',
  sun: 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  screen: 'M4 5h16v11H4zM9 20h6m-3-4v4',
  leave: 'M14 8V5H5v14h9v-3M10 12h10m-3-3 3 3-3 3',
  search: 'M11 17.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm5-1.5 4 4',
  close: 'M6 6l12 12M18 6 6 18',
  warning:
    'M12 9v4.5m0 3v.01M10.6 4.6 3 18a1.6 1.6 0 0 0 1.4 2.4h15.2A1.6 1.6 0 0 0 21 18L13.4 4.6a1.6 1.6 0 0 0-2.8 0Z',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7.5V12l3 2',
  person: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.6-4 3.7-6 7.5-6s6.9 2 7.5 6',
  pause: 'M9 6v12m6-12v12',
  heart: 'M3 12h4l2.5-6 4.5 12 2.5-6H21',
  arrow: 'M5 12h14m-5-5 5 5-5 5',
  back: 'M19 12H5m5-5-5 5 5 5',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: whatever it stands in needs a text or a label of its own. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.9"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      class="flex-none"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Brand() {
  return (
    <span class="flex items-center gap-2.5 font-semibold tracking-tight">
      <img src="/icon.svg" alt="" width="26" height="26" />
      Token Orchestrator
    </span>
  );
}

// The icons, drawn for this page: 16 by 16, strokes of 1.5, in the colour of the text.
const PATHS = {
  home: 'M2 7.2 8 2l6 5.2V14H9.8V9.6H6.2V14H2z',
  host: 'M2.5 2.5h11v4.6h-11zM2.5 9h11v4.5h-11zM5 4.8h.01M5 11.2h.01M8 4.8h3M8 11.2h3',
  alerts: 'M8 1.8v1.4M3.6 11.4c1-.9 1.1-1.7 1.1-4.2a3.3 3.3 0 0 1 6.6 0c0 2.5.1 3.3 1.1 4.2zM6.6 13.6a1.5 1.5 0 0 0 2.8 0',
  explore: 'M2 13.5h12M2.5 10.5l3.2-4 2.8 2.4 4.8-6M13.3 2.9v3M13.3 2.9h-3',
  messages: 'M2 3h12v8H8.6L5 13.8V11H2zM5 6h6M5 8.3h4',
  config: 'M2 4.2h6.2M11.8 4.2H14M2 11.8h2.2M7.8 11.8H14M8.2 4.2a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0M4.2 11.8a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 1 0-3.6 0',
  rollout: 'M2 13.5h3.6V9.7h3.6V5.9h3.6V2.2',
  ledger: 'M3 2h10v12H3zM5.4 5h5.2M5.4 8h5.2M5.4 11h2.8',
  plugins: 'M6 2v2.6M10 2v2.6M4 4.6h8v3a4 4 0 0 1-8 0zM8 11.6V14',
  search: 'M2.5 7a4.5 4.5 0 1 0 9 0 4.5 4.5 0 1 0-9 0M10.4 10.4 14 14',
  settings: 'M6.9 2.3h2.2l.4 1.8 1.300.7 1.7-.6 1.1 1.9-1.3 1.2v1.4l1.3 1.2-1.1 1.9-1.7-.6-1.300.7-.4 1.8H6.9l-.4-1.8-1.3-.7-1.700.6-1.1-1.9 1.3-1.200V7.300L2.4 6.1l1.1-1.9 1.700.6 1.3-.7zM8 6a2 2 0 1 0 0 4 2 2 0 1 0 0-4',
  theme: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  help: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8M6.2 6.2a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.7.6-.7 1.2M8 11.4h.01',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  check: 'M3 8.4 6.4 12 13 4.4',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  warn: 'M8 2 14.5 13.5h-13zM8 6.4v3.2M8 11.6h.01',
  pause: 'M5.2 3v10M10.8 3v10',
  play: 'M4.5 2.8v10.4L13 8z',
  left: 'M10 3 5 8l5 5',
  right: 'M6 3l5 5-5 5',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  full: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  download: 'M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 0 0 9 3.3l-.9.9M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.9-.9',
  image: 'M2.5 3h11v10h-11zM2.5 11l3.2-3.4 2.3 2.2 2.4-2.8 3.1 3.6M5.4 5.8h.01',
  cards: 'M2.5 2.5h4.6v4.6H2.5zM8.9 2.5h4.6v4.6H8.9zM2.5 8.9h4.6v4.6H2.5zM8.9 8.9h4.6v4.6H8.9z',
  table: 'M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 6.3V13',
  map: 'M8 1.6l2.6 1.5v3L8 7.6 5.4 6.1v-3zM4.7 7.3l2.6 1.5v3l-2.6 1.5-2.6-1.5v-3zM11.3 7.3l2.6 1.5v3l-2.6 1.5-2.6-1.5v-3z',
  silence: 'M4.7 7.2a3.3 3.3 0 0 1 5.6-2.3M11.3 8.4c.1 1.7.4 2.3 1.1 3H5.4M6.6 13.6a1.5 1.5 0 0 0 2.8 0M2.5 2.5l11 11',
  user: 'M8 8.4a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 1 0 0 5.8M2.8 14c.5-2.6 2.5-3.8 5.2-3.8s4.700 1.200 5.2 3.8',
  clock: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8M8 4.6V8l2.4 1.6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

// An alert, as the page uses it. Knows nothing of the DOM.
export interface Alert {
  name: string;
  state: 'firing' | 'pending';
  severity: string;
  agent: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  since: number;       // seconds
  value: number | null;
  silencedBy: string[];
  inhibitedBy: string[];
}

export type Open = Record<string, unknown>;
const object = (value: unknown): Record<string, string> => (typeof value === 'object' && value !== null ? (value as Record<string, string>) : {});
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

// One alert of /alerts.
export function alertOf(given: Open): Alert {
  const labels = object(given['labels']);
  const annotations = object(given['annotations']);
  const value = Number(given['value'] ?? NaN);
  return {
    name: labels['alertname'] ?? '',
    state: given['status'] === 'firing' ? 'firing' : 'pending',
    severity: labels['severity'] ?? '',
    agent: labels['agent'] ?? '',
    labels, annotations,
    since: Date.parse(String(given['activeAt'] ?? given['startsAt'] ?? '')) / 1000,
    value: Number.isNaN(value) ? null : value,
    silencedBy: list(given['silencedBy']),
    inhibitedBy: list(given['inhibitedBy']),
  };
}

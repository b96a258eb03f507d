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
  receivers: string[];
  expression: string;
  group: string;           // of its rule
  file: string;            // of that group
  fired: number;           // seconds; NaN: it has not fired
  ended: number | null;    // seconds; null: it has not
  fingerprint: string;
}

export type Open = Record<string, unknown>;
const object = (value: unknown): Record<string, string> => (typeof value === 'object' && value !== null ? (value as Record<string, string>) : {});
const seconds = (value: unknown) => Date.parse(String(value ?? '')) / 1000;
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
    since: seconds(given['activeAt'] ?? given['startsAt']),
    value: Number.isNaN(value) ? null : value,
    silencedBy: list(given['silencedBy']),
    inhibitedBy: list(given['inhibitedBy']),
    receivers: list(given['receivers']),
    expression: String(given['expression'] ?? ''),
    group: String(given['ruleGroup'] ?? '').replace(/^.*;/, ''),
    file: String(given['ruleGroup'] ?? '').replace(/;[^;]*$/, ''),
    fired: seconds(given['startsAt']),
    ended: seconds(given['endsAt']) > 0 ? seconds(given['endsAt']) : null,
    fingerprint: String(given['fingerprint'] ?? ''),
  };
}

// What a silence matches, in the form of Alertmanager.
const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

export function matchersOf(labels: Record<string, string>): string[] {
  return Object.entries(labels).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => `${name}=${quoted(value)}`);
}

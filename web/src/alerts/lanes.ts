// Past alerts on a line of time: one lane for each alert of each host.
export interface Episode { name: string; agent: string; severity: string; fired: number; ended: number | null }
export interface Lane { name: string; agent: string; severity: string; parts: { from: number; to: number; open: boolean }[] }

export function lanesOf(episodes: Episode[], from: number, to: number): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { name, agent, severity, fired, ended } of episodes) {
    const end = ended ?? to;
    if (!(fired < to) || end <= from) continue;
    const key = `${name} ${agent}`;
    const lane = lanes.get(key) ?? { name, agent, severity, parts: [] };
    lane.parts.push({ from: Math.max(fired, from), to: Math.min(end, to), open: ended === null });
    lanes.set(key, lane);
  }
  const newest = (lane: Lane) => Math.max(...lane.parts.map((part) => part.to));
  for (const lane of lanes.values()) lane.parts.sort((a, b) => a.from - b.from);
  return [...lanes.values()].sort((a, b) => newest(b) - newest(a) || a.name.localeCompare(b.name) || a.agent.localeCompare(b.agent, 'en', { numeric: true }));
}

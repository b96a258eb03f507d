// What is wrong with an agent, in words.
import type { AgentRow } from './api';

export function wrongs(row: AgentRow): string[] {
  return row.seen === null && row.health === 'spooling' ? [row.why, ...row.problems] : row.problems;
}

// The plugins that agents report, with every field of a report.
import { ask } from '../lib/api';
import { el, replaceChildren, setText, table } from '../lib/dom';
import { count, many, took } from '../lib/format';
import { link, Page } from '../lib/page';
import { stream } from '../lib/stream';

type Report = Record<string, unknown>;

export function plugins(): Page {
  const info = el('p', { class: 'info dim', role: 'status' });
  const body = el('div');
  const filter = el('input', { type: 'search', placeholder: 'Filter agents and plugins  /', 'aria-label': 'Filter agents and plugins' });
  const element = el('section', { class: 'page' }, el('h1', {}, 'Plugins'), el('div', { class: 'tools' }, filter), info, body);
  let rows: { agent: string; plugin: Report }[] = [];

  function show(): void {
    const text = filter.value.trim().toLowerCase();
    const shown = rows.filter((row) => text === '' || row.agent.toLowerCase().includes(text) || String(row.plugin['name']).toLowerCase().includes(text)).slice(0, 2000);
    const columns = [...new Set(shown.flatMap((row) => Object.keys(row.plugin)))].filter((name) => name !== 'name' && name !== 'state');
    const failed = shown.filter((row) => row.plugin['state'] !== 'running').length;
    setText(info, rows.length === 0 ? 'No plugins are running.' : `${many(shown.length, 'plugin')} at ${many(new Set(shown.map((row) => row.agent)).size, 'agent')}; ${failed === 0 ? 'all running' : `${count(failed)} not running`}`);
    replaceChildren(body, shown.length > 0 && table('Plugins of agents', ['Agent', 'Plugin', 'State', ...columns.map((name): [string, string] => [name.replaceAll('_', ' '), shown.some((row) => typeof row.plugin[name] === 'number') ? 'num' : ''])],
      shown.map(({ agent, plugin }) => [el('a', { href: link('agent', { agents: agent }) }, agent), String(plugin['name'] ?? ''), el('span', { class: `state is-${String(plugin['state'])}` }, String(plugin['state'] ?? '–')),
        ...columns.map((name) => cell(name, plugin[name]))])));
  }
  function cell(name: string, v: unknown): string {
    if (v === undefined || v === null || v === '') return '–';
    if (typeof v === 'boolean') return v ? 'yes' : 'no';
    if (typeof v === 'number') return /^p\d+$/.test(name) ? took(v) : count(v);
    return typeof v === 'object' ? JSON.stringify(v) : String(v);
  }
  async function load(): Promise<void> {
    try {
      const answer = await ask<{ known: string[]; plugins: typeof rows }>('/plugins');
      rows = answer.plugins;
      show();
    } catch (error) {
      setText(info, (error as Error).message);
    }
  }
  filter.addEventListener('input', show);
  const timer = window.setInterval(() => { if (!document.hidden) void load(); }, 3000);
  void load();
  stream.follow([], '', () => undefined, () => void load());
  return { element, key: (pressed) => (pressed.key === '/' ? (filter.focus(), true) : false), close: () => clearInterval(timer) };
}

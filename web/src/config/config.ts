// The configuration: its documents with an editor, and what each agent runs.
import { ask } from '../lib/api';
import { ConfigAgents, ConfigRow } from './config_agents';
import { disableForReaders, DocumentEditor, Stored } from './config_editor';
import { el, replaceChildren } from '../lib/dom';
import { go, Page } from '../lib/page';
import { stream } from '../lib/stream';

interface Overview { source: string; files: boolean; documents: Stored[]; agents: ConfigRow[] }

const KINDS: [string, string][] = [['defaults', 'Defaults'], ['group', 'Groups'], ['agent', 'Agents’ own'], ['override', 'Overrides']];

// "web-1", "group:web" or "defaults", as the user names a document.
function keyOf(name: string): string {
  if (name === 'defaults') return '/monitor/defaults';
  return name.startsWith('group:') ? `/monitor/groups/${name.slice(6)}` : `/monitor/config/${name}`;
}

class DocumentList {
  readonly element = el('nav', { class: 'documents', 'aria-label': 'Documents' });

  constructor(private readonly open: (key: string) => void) {}

  show(source: string, documents: Stored[], current: string): void {
    replaceChildren(this.element, el('p', { class: 'dim' }, source), ...KINDS.flatMap(([kind, head]) => {
      const some = documents.filter((one) => one.kind === kind);
      return some.length === 0 ? [] : [el('h3', {}, head), el('ul', {}, ...some.map((one) => this.item(one, current)))];
    }));
  }

  mark(current: string): void {
    for (const button of this.element.querySelectorAll('button')) button.toggleAttribute('aria-current', button.title === current);
  }

  private item(one: Stored, current: string): HTMLElement {
    const name = one.key.replace(/^\/monitor\/(config\/|groups\/|overrides\/)?/, '');
    return el('li', {}, el('button', { class: 'plain', 'aria-current': one.key === current ? 'true' : undefined, title: one.key, click: () => this.open(one.key) }, name),
      one.revision !== 0 && el('span', { class: 'dim' }, ` r${one.revision}`));
  }
}

class Configuration implements Page {
  readonly element: HTMLElement;
  private readonly list = new DocumentList((key) => void this.editor.load(key));
  private readonly agents = new ConfigAgents();
  private readonly editor = new DocumentEditor({
    opened: (key) => go('config', { key }, 'replace'),
    loaded: (key) => this.list.mark(key),
    stored: () => void this.load(),
  });
  private closed = false;

  constructor(parameters: URLSearchParams) {
    const fresh = el('input', { placeholder: 'agent, or group:NAME', 'aria-label': 'New document' });
    const make = el('button', { click: () => {
      const name = fresh.value.trim();
      if (name !== '') void this.editor.load(keyOf(name));
    } }, 'New');
    disableForReaders(fresh, make);
    this.element = el('section', { class: 'page config' }, el('h1', {}, 'Configuration'),
      el('div', { class: 'columns' }, el('div', { class: 'side' }, this.list.element, el('div', { class: 'tools' }, fresh, make)), this.editor.element),
      el('h2', {}, 'Agents'), this.agents.element, this.agents.explained);
    void this.load();
    this.update(parameters);
    const agent = parameters.get('agent');
    if (agent) void this.agents.explain(agent);
    stream.follow(['config'], '', (name) => { if (name === 'config') void this.load(); }, () => void this.load());
  }

  unsaved(): boolean {
    return this.editor.dirty();
  }

  update(parameters: URLSearchParams): void {
    const key = parameters.get('key') ?? '';
    if (key !== '' && key !== this.editor.current) void this.editor.load(key, true);
  }

  key(pressed: KeyboardEvent): boolean {
    if (!(pressed.ctrlKey || pressed.metaKey) || pressed.key !== 's') return false;
    pressed.preventDefault();
    void this.editor.store(false);
    return true;
  }

  close(): void {
    this.closed = true;
    this.editor.close();
  }

  private async load(): Promise<void> {
    let overview: Overview;
    try {
      overview = await ask<Overview>('/config');
    } catch (error) {
      this.agents.fail(error as Error);
      return;
    }
    if (this.closed) return;
    this.list.show(overview.source, overview.documents, this.editor.current);
    this.agents.show(overview.agents);
    this.editor.notice(overview.documents);
  }
}

export function configuration(parameters: URLSearchParams): Page {
  return new Configuration(parameters);
}

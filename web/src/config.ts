// The configuration: layers, who runs which revision, what an agent comes to be told, and changes. Who edits what somebody
// else has changed meanwhile is told so, before and at the latest while storing it.
import { ApiError, ask, Problem } from './api';
import { debounce, el, fill, say, table } from './dom';
import { age, clock } from './format';
import { go, link, Page } from './page';
import { stream } from './stream';

interface Row { agent: string; state: string; applied: number; wanted: number; seen: number; error: string | null; warning: string | null; version: string | null; groups: string[] | null; overrides: string[] | null }
interface Overview { source: string; files: boolean; documents: { key: string; kind: string; revision: number; tag: string; bytes: number }[]; agents: Row[] }
interface Document { key: string; value: string; revision: number; tag: string; place?: string }
interface Explained { agent: string; valid: boolean; problems: Problem[]; layers: { key: string; revision: number }[]; values: { path: string; value: unknown; key: string | null; revision: number }[] }

const TOKEN = 'monitor-token';

export function configuration(parameters: URLSearchParams): Page {
  let current = parameters.get('key') ?? '';
  let base: string | null = null;  // the tag of what is edited; null: a document that is not there yet
  let untouched = '';  // the text as it was put into the editor
  let place = '';  // where it is stored, if its key does not say so
  let closed = false;
  let overview: Overview | null = null;

  const list = el('nav', { class: 'documents', 'aria-label': 'Documents' });
  const agents = el('div', {});
  const explained = el('div', { class: 'explained' });
  const title = el('h2', {}, 'No document chosen');
  const meta = el('p', { class: 'dim' });
  const area = el('textarea', { spellcheck: 'false', 'aria-label': 'Document', rows: 18, wrap: 'off' });
  const problems = el('div', { class: 'problems', role: 'status' });
  // What became of the last Save: it stays until the document is changed again, whatever validation says meanwhile.
  const saved = el('div', { class: 'saved', role: 'status' });
  const conflict = el('div', { class: 'conflict', role: 'alert' });
  const token = el('input', { type: 'password', placeholder: 'token', 'aria-label': 'Token for changes', autocomplete: 'off', value: sessionStorage.getItem(TOKEN) ?? '' });
  const save = el('button', { class: 'main', click: () => void store(false) }, 'Save');
  const remove = el('button', { click: () => { if (window.confirm(`Delete ${current}?`)) void store(true); } }, 'Delete');
  const revert = el('button', { click: () => void load(current) }, 'Revert');
  const fresh = el('input', { placeholder: 'agent, or group:NAME', 'aria-label': 'New document' });
  const make = el('button', { click: () => {
    const text = fresh.value.trim();
    if (text === '') return;
    void load(text === 'defaults' ? '/monitor/defaults' : text.startsWith('group:') ? `/monitor/groups/${text.slice(6)}` : `/monitor/config/${text}`);
  } }, 'New');
  const editor = el('section', { class: 'editor', 'aria-label': 'Editor' }, title, meta, conflict, area, problems, saved, el('div', { class: 'tools' }, token, save, revert, remove));
  const element = el('section', { class: 'page config' }, el('h1', {}, 'Configuration'),
    el('div', { class: 'columns' }, el('div', { class: 'side' }, list, el('div', { class: 'tools' }, fresh, make)), editor),
    el('h2', {}, 'Agents'), agents, explained);

  token.addEventListener('change', () => sessionStorage.setItem(TOKEN, token.value));
  const validateSoon = debounce(300, () => void validate());
  area.addEventListener('input', () => {
    fill(saved);
    validateSoon();
  });

  const dirty = () => current !== '' && !area.readOnly && area.value !== untouched;
  const mayLose = () => !dirty() || window.confirm(`Leave ${current}? What was changed in it is not saved.`);

  async function loadOverview(): Promise<void> {
    try {
      overview = await ask<Overview>('/config');
    } catch (error) {
      fill(agents, el('p', { class: 'warn' }, `The configuration cannot be read: ${(error as Error).message}`));
      return;
    }
    if (closed) return;
    const kinds: [string, string][] = [['defaults', 'Defaults'], ['group', 'Groups'], ['agent', 'Agents’ own'], ['override', 'Overrides']];
    fill(list, el('p', { class: 'dim' }, overview.source), ...kinds.flatMap(([kind, head]) => {
      const documents = overview!.documents.filter((one) => one.kind === kind);
      return documents.length === 0 ? [] : [el('h3', {}, head), el('ul', {}, ...documents.map((one) => el('li', {}, el('button', { class: 'plain', 'aria-current': one.key === current ? 'true' : undefined, title: one.key, click: () => void load(one.key) }, one.key.replace(/^\/monitor\/(config\/|groups\/|overrides\/)?/, '')), one.revision !== 0 && el('span', { class: 'dim' }, ` r${one.revision}`))))];
    }));
    const now = Date.now() / 1000;
    fill(agents, table('Who runs what', ['Agent', 'State', ['Applied', 'num'], ['Wanted', 'num'], 'Groups', 'Overrides', ['Seen', 'num'], 'Error, warning'],
      overview.agents.map((row) => [el('button', { class: 'plain', click: () => void explain(row.agent) }, row.agent), el('span', { class: `state is-${row.state}` }, row.state), row.applied, row.wanted,
        (row.groups ?? []).join(', '), (row.overrides ?? []).join(', '), row.seen === 0 ? '–' : age(now - row.seen), [row.error, row.warning].filter((text) => text).join('; ')])));
    const stored = overview.documents.find((one) => one.key === current);
    if (current !== '' && (stored?.tag ?? null) !== base) {
      if (dirty()) fill(conflict, el('p', {}, 'Somebody else has changed this document while you edit it. '), el('button', { click: () => void load(current) }, 'Take theirs'), el('button', { click: () => void keepMine() }, 'Keep editing on top of theirs'));
      else void load(current, true);
    }
  }

  async function load(key: string, quiet = false): Promise<void> {
    if (key !== current && !mayLose()) return;
    if (key !== current) fill(saved);
    current = key;
    if (!quiet) go('config', { key }, 'replace');
    fill(conflict);
    fill(problems);
    say(title, key);
    let text = '{\n    \n}\n';
    try {
      const found = await ask<Document>('/config/document', { key });
      if (key !== current || closed) return;
      if (found.tag !== base) fill(saved);
      base = found.tag;
      text = found.value;
      place = found.place !== undefined && found.place !== key ? found.place : '';
      showPlace(found.revision);
    } catch (error) {
      if (key !== current || closed) return;
      if (base !== null) fill(saved);
      base = null;
      if (!(error instanceof ApiError) || error.status !== 404) fill(problems, el('p', { class: 'warn' }, (error as Error).message));
      else say(meta, 'there is none yet');
    }
    area.value = text;
    untouched = area.value;  // as the browser has its line ends
    area.readOnly = key.startsWith('/monitor/overrides/');
    for (const button of list.querySelectorAll('button')) button.toggleAttribute('aria-current', button.title === key);
  }

  function showPlace(revision: number): void {
    say(meta, [place, revision !== 0 ? `revision ${revision}` : ''].filter((one) => one !== '').join(' · '));
  }

  async function keepMine(): Promise<void> {
    const stored = overview?.documents.find((one) => one.key === current);
    base = stored?.tag ?? null;
    fill(conflict);
  }

  function showProblems(found: Problem[]): void {
    fill(problems, ...found.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)));
  }

  async function validate(): Promise<void> {
    if (current === '') return;
    const text = area.value;
    try {
      const answer = await ask<{ valid: boolean; problems: Problem[] }>('/config/validate', { key: current }, { method: 'POST', body: text });
      if (text !== area.value || text === untouched || closed) return;  // what is stored is valid
      showProblems(answer.problems);
      if (answer.valid && answer.problems.length === 0) fill(problems, el('p', { class: 'good' }, 'valid'));
    } catch (error) {
      fill(problems, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  async function store(deletion: boolean): Promise<void> {
    if (current === '') return;
    if (token.value.trim() === '') {
      fill(saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: changes need the token. It is in the file web-token of the data folder of the program that serves this page.`));
      token.focus();
      return;
    }
    sessionStorage.setItem(TOKEN, token.value.trim());
    const body: { base: string | null; value?: string } = deletion ? { base } : { base, value: area.value };
    try {
      const done = await ask<{ tag: string | null; revision: number }>('/config/document', { key: current }, { method: 'PUT', body: JSON.stringify(body), headers: { Authorization: `Bearer ${token.value.trim()}` } });
      base = done.tag;
      untouched = body.value ?? area.value;
      fill(conflict);
      if (!dirty()) fill(problems);
      fill(saved, el('p', { class: 'good' }, `${deletion ? 'deleted' : done.revision !== 0 ? `stored, revision ${done.revision}` : 'stored'} at ${clock(Date.now() / 1000).slice(11)}`));
      showPlace(deletion ? 0 : done.revision);
      void loadOverview();
    } catch (error) {
      fill(saved);
      if (!(error instanceof ApiError)) {
        fill(saved, el('p', { class: 'warn' }, (error as Error).message));
      } else if (error.status === 409) {
        const theirs = error.data['current'] as Document | null;
        fill(conflict, el('p', {}, theirs === null ? 'Somebody else has deleted this document meanwhile; nothing was stored.' : 'Somebody else has changed this document meanwhile; nothing was stored. Theirs:'),
          theirs !== null && el('pre', { tabindex: 0 }, theirs.value),
          el('button', { click: () => void load(current) }, 'Take theirs'),
          el('button', { click: () => { base = theirs?.tag ?? null; fill(conflict); } }, 'Keep editing on top of theirs'));
      } else {
        showProblems((error.data['problems'] as Problem[] | undefined) ?? []);
        fill(saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: ${error.message}`));
        if (error.status === 401) token.focus();
      }
    }
  }

  async function explain(agent: string): Promise<void> {
    try {
      const answer = await ask<Explained>('/config/explain', { agent });
      fill(explained, el('h2', {}, `What ${agent} is told`), el('p', {}, el('a', { href: link('agent', { agents: agent }) }, 'charts')),
        ...answer.problems.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)),
        el('p', { class: 'dim' }, `layers, lowest first: ${answer.layers.map((one) => one.key).join(' < ') || 'built-in defaults alone'}`),
        table('Values', ['Field', 'Value', 'From'], answer.values.map((one) => [one.path, JSON.stringify(one.value), one.key === null ? 'built-in default' : one.revision !== 0 ? `${one.key} revision ${one.revision}` : one.key])));
      explained.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      fill(explained, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  void loadOverview();
  if (current !== '') void load(current, true);
  stream.follow(['config'], '', (name) => { if (name === 'config') void loadOverview(); }, () => void loadOverview());
  return {
    element,
    unsaved: dirty,
    update: (next) => { const key = next.get('key') ?? ''; if (key !== '' && key !== current) void load(key, true); },
    key: (pressed) => {
      if ((pressed.ctrlKey || pressed.metaKey) && pressed.key === 's') {
        pressed.preventDefault();
        void store(false);
        return true;
      }
      return false;
    },
    close: () => { closed = true; },
  };
}

// The configuration: its documents, the revision that each agent runs, the effective values of an agent, and an editor. A
// concurrent change to the edited document is reported as soon as it is seen, at the latest when saving.
import { ApiError, ask, Problem } from './api';
import { debounce, el, replaceChildren, setText, table } from './dom';
import { age, clock } from './format';
import { go, link, Page } from './page';
import { session } from './session';
import { stream } from './stream';

interface Row { agent: string; state: string; applied: number; wanted: number; seen: number; error: string | null; warning: string | null; version: string | null; groups: string[] | null; overrides: string[] | null }
interface Overview { source: string; files: boolean; documents: { key: string; kind: string; revision: number; tag: string; bytes: number }[]; agents: Row[] }
interface Document { key: string; value: string; revision: number; tag: string; place?: string }
interface Explained { agent: string; valid: boolean; problems: Problem[]; layers: { key: string; revision: number }[]; values: { path: string; value: unknown; key: string | null; revision: number }[] }

const TOKEN = 'monitor-token';

export function configuration(parameters: URLSearchParams): Page {
  let current = parameters.get('key') ?? '';
  let base: string | null = null;  // the tag of the edited version; null: a new document
  let untouched = '';  // the text as it was loaded
  let place = '';  // where it is stored, if that differs from its key
  let closed = false;
  let overview: Overview | null = null;

  const list = el('nav', { class: 'documents', 'aria-label': 'Documents' });
  const agents = el('div', {});
  const explained = el('div', { class: 'explained' });
  const title = el('h2', {}, 'No document chosen');
  const meta = el('p', { class: 'dim' });
  const area = el('textarea', { spellcheck: 'false', 'aria-label': 'Document', rows: 18, wrap: 'off' });
  const problems = el('div', { class: 'problems', role: 'status' });
  // The result of the last save. It stays visible until the document is edited again; validation does not replace it.
  const saved = el('div', { class: 'saved', role: 'status' });
  const conflict = el('div', { class: 'conflict', role: 'alert' });
  const token = el('input', { type: 'password', placeholder: 'token', 'aria-label': 'Token for changes', autocomplete: 'off', value: sessionStorage.getItem(TOKEN) ?? '' });
  const save = el('button', { class: 'main', click: () => void store(false) }, 'Save');
  const remove = el('button', { click: () => { if (window.confirm(`Delete ${current}?`)) void store(true); } }, 'Delete');
  const revert = el('button', { click: () => void load(current) }, 'Revert');
  const how = session.changes();
  const why = el('p', { class: 'dim', id: 'why-read-only' }, how === 'no' ? `You are a ${session.current.role}: changes need the role editor.` : '');
  if (how !== 'token') token.hidden = true;
  const fresh = el('input', { placeholder: 'agent, or group:NAME', 'aria-label': 'New document' });
  const make = el('button', { click: () => {
    const text = fresh.value.trim();
    if (text === '') return;
    void load(text === 'defaults' ? '/monitor/defaults' : text.startsWith('group:') ? `/monitor/groups/${text.slice(6)}` : `/monitor/config/${text}`);
  } }, 'New');
  if (how === 'no') {
    for (const one of [save, remove, revert, fresh, make]) {
      one.disabled = true;
      one.setAttribute('aria-describedby', 'why-read-only');
    }
  }
  const editor = el('section', { class: 'editor', 'aria-label': 'Editor' }, title, meta, conflict, area, problems, saved, el('div', { class: 'tools' }, token, save, revert, remove), why);
  const element = el('section', { class: 'page config' }, el('h1', {}, 'Configuration'),
    el('div', { class: 'columns' }, el('div', { class: 'side' }, list, el('div', { class: 'tools' }, fresh, make)), editor),
    el('h2', {}, 'Agents'), agents, explained);

  token.addEventListener('change', () => sessionStorage.setItem(TOKEN, token.value));
  const validateSoon = debounce(300, () => void validate());
  area.addEventListener('input', () => {
    replaceChildren(saved);
    validateSoon();
  });

  const dirty = () => current !== '' && !area.readOnly && area.value !== untouched;
  const mayLose = () => !dirty() || window.confirm(`Leave ${current}? Its changes are not saved.`);

  async function loadOverview(): Promise<void> {
    try {
      overview = await ask<Overview>('/config');
    } catch (error) {
      replaceChildren(agents, el('p', { class: 'warn' }, `The configuration cannot be read: ${(error as Error).message}`));
      return;
    }
    if (closed) return;
    const kinds: [string, string][] = [['defaults', 'Defaults'], ['group', 'Groups'], ['agent', 'Agents’ own'], ['override', 'Overrides']];
    replaceChildren(list, el('p', { class: 'dim' }, overview.source), ...kinds.flatMap(([kind, head]) => {
      const documents = overview!.documents.filter((one) => one.kind === kind);
      return documents.length === 0 ? [] : [el('h3', {}, head), el('ul', {}, ...documents.map((one) => el('li', {}, el('button', { class: 'plain', 'aria-current': one.key === current ? 'true' : undefined, title: one.key, click: () => void load(one.key) }, one.key.replace(/^\/monitor\/(config\/|groups\/|overrides\/)?/, '')), one.revision !== 0 && el('span', { class: 'dim' }, ` r${one.revision}`))))];
    }));
    const now = Date.now() / 1000;
    replaceChildren(agents, table('Applied configurations', ['Agent', 'State', ['Applied', 'num'], ['Wanted', 'num'], 'Groups', 'Overrides', ['Seen', 'num'], 'Error, warning'],
      overview.agents.map((row) => [el('button', { class: 'plain', click: () => void explain(row.agent) }, row.agent), el('span', { class: `state is-${row.state}` }, row.state), row.applied, row.wanted,
        (row.groups ?? []).join(', '), (row.overrides ?? []).join(', '), row.seen === 0 ? '–' : age(now - row.seen), [row.error, row.warning].filter((text) => text).join('; ')])));
    const stored = overview.documents.find((one) => one.key === current);
    if (current !== '' && (stored?.tag ?? null) !== base) {
      if (dirty()) replaceChildren(conflict, el('p', {}, 'This document was changed elsewhere while you were editing it. '), el('button', { click: () => void load(current) }, 'Load the stored version'), el('button', { click: () => void keepMine() }, 'Keep my version'));
      else void load(current, true);
    }
  }

  async function load(key: string, quiet = false): Promise<void> {
    if (key !== current && !mayLose()) return;
    if (key !== current) replaceChildren(saved);
    current = key;
    if (!quiet) go('config', { key }, 'replace');
    replaceChildren(conflict);
    replaceChildren(problems);
    setText(title, key);
    let text = '{\n    \n}\n';
    try {
      const found = await ask<Document>('/config/document', { key });
      if (key !== current || closed) return;
      if (found.tag !== base) replaceChildren(saved);
      base = found.tag;
      text = found.value;
      place = found.place !== undefined && found.place !== key ? found.place : '';
      showPlace(found.revision);
    } catch (error) {
      if (key !== current || closed) return;
      if (base !== null) replaceChildren(saved);
      base = null;
      if (!(error instanceof ApiError) || error.status !== 404) replaceChildren(problems, el('p', { class: 'warn' }, (error as Error).message));
      else setText(meta, 'new document');
    }
    area.value = text;
    untouched = area.value;  // with the browser's line ends
    area.readOnly = how === 'no' || key.startsWith('/monitor/overrides/');
    for (const button of list.querySelectorAll('button')) button.toggleAttribute('aria-current', button.title === key);
  }

  function showPlace(revision: number): void {
    setText(meta, [place, revision !== 0 ? `revision ${revision}` : ''].filter((one) => one !== '').join(' · '));
  }

  async function keepMine(): Promise<void> {
    const stored = overview?.documents.find((one) => one.key === current);
    base = stored?.tag ?? null;
    replaceChildren(conflict);
  }

  function showProblems(found: Problem[]): void {
    replaceChildren(problems, ...found.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)));
  }

  async function validate(): Promise<void> {
    if (current === '') return;
    const text = area.value;
    try {
      const answer = await ask<{ valid: boolean; problems: Problem[] }>('/config/validate', { key: current }, { method: 'POST', body: text });
      if (text !== area.value || text === untouched || closed) return;  // the stored version is known to be valid
      showProblems(answer.problems);
      if (answer.valid && answer.problems.length === 0) replaceChildren(problems, el('p', { class: 'good' }, 'valid'));
    } catch (error) {
      replaceChildren(problems, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  async function store(deletion: boolean): Promise<void> {
    if (current === '' || how === 'no') return;
    if (how === 'token' && token.value.trim() === '') {
      replaceChildren(saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: changes need the token, which is in the file web-token in the server's data folder.`));
      token.focus();
      return;
    }
    if (how === 'token') sessionStorage.setItem(TOKEN, token.value.trim());
    const headers: Record<string, string> = how === 'token' ? { Authorization: `Bearer ${token.value.trim()}` } : {};
    const body: { base: string | null; value?: string } = deletion ? { base } : { base, value: area.value };
    try {
      const done = await ask<{ tag: string | null; revision: number }>('/config/document', { key: current }, { method: 'PUT', body: JSON.stringify(body), headers });
      base = done.tag;
      untouched = body.value ?? area.value;
      replaceChildren(conflict);
      if (!dirty()) replaceChildren(problems);
      replaceChildren(saved, el('p', { class: 'good' }, `${deletion ? 'deleted' : done.revision !== 0 ? `stored, revision ${done.revision}` : 'stored'} at ${clock(Date.now() / 1000).slice(11)}`));
      showPlace(deletion ? 0 : done.revision);
      void loadOverview();
    } catch (error) {
      replaceChildren(saved);
      if (!(error instanceof ApiError)) {
        replaceChildren(saved, el('p', { class: 'warn' }, (error as Error).message));
      } else if (error.status === 409) {
        const theirs = error.data['current'] as Document | null;
        replaceChildren(conflict, el('p', {}, theirs === null ? 'This document was deleted elsewhere; nothing was stored.' : 'This document was changed elsewhere; nothing was stored. The stored version:'),
          theirs !== null && el('pre', { tabindex: 0 }, theirs.value),
          el('button', { click: () => void load(current) }, 'Load the stored version'),
          el('button', { click: () => { base = theirs?.tag ?? null; replaceChildren(conflict); } }, 'Keep my version'));
      } else {
        showProblems((error.data['problems'] as Problem[] | undefined) ?? []);
        replaceChildren(saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: ${error.message}`));
        if (error.status === 401 && how === 'token') token.focus();
      }
    }
  }

  async function explain(agent: string): Promise<void> {
    try {
      const answer = await ask<Explained>('/config/explain', { agent });
      replaceChildren(explained, el('h2', {}, `Effective configuration of ${agent}`), el('p', {}, el('a', { href: link('agent', { agents: agent }) }, 'charts')),
        ...answer.problems.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)),
        el('p', { class: 'dim' }, `layers, lowest first: ${answer.layers.map((one) => one.key).join(' < ') || 'built-in defaults only'}`),
        table('Values', ['Field', 'Value', 'From'], answer.values.map((one) => [one.path, JSON.stringify(one.value), one.key === null ? 'built-in default' : one.revision !== 0 ? `${one.key} revision ${one.revision}` : one.key])));
      explained.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      replaceChildren(explained, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  void loadOverview();
  if (current !== '') void load(current, true);
  if (parameters.get('agent')) void explain(parameters.get('agent')!);
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

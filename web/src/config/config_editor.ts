// The editor of one document. It validates while the user types. A concurrent change to the document is reported as soon
// as it is seen, at the latest when saving.
import { ApiError, ask, Problem } from '../lib/api';
import { debounce, el, replaceChildren, setText } from '../lib/dom';
import { clock } from '../lib/format';
import { session } from '../lib/session';

export interface Stored { key: string; kind: string; revision: number; tag: string; bytes: number }
interface Document { key: string; value: string; revision: number; tag: string; place?: string }

const TOKEN = 'monitor-token';
const NEW_TEXT = '{\n    \n}\n';
const WHY = 'why-read-only';

// Disables the controls if this user must not change anything.
export function disableForReaders(...controls: (HTMLButtonElement | HTMLInputElement)[]): void {
  if (session.changes() !== 'no') return;
  for (const one of controls) {
    one.disabled = true;
    one.setAttribute('aria-describedby', WHY);
  }
}

interface Events {
  opened: (key: string) => void;  // the user opened a document
  loaded: (key: string) => void;
  stored: () => void;
}

export class DocumentEditor {
  readonly element: HTMLElement;
  current = '';
  private base: string | null = null;  // the tag of the edited version; null: a new document
  private untouched = '';  // the text as it was loaded
  private place = '';  // where it is stored, if that differs from its key
  private documents: Stored[] = [];  // as they were last seen
  private closed = false;
  private readonly how = session.changes();
  private readonly title = el('h2', {}, 'Choose a document on the left, or create one');
  private readonly meta = el('p', { class: 'dim' });
  private readonly area = el('textarea', { spellcheck: 'false', 'aria-label': 'Document', rows: 18, wrap: 'off' });
  private readonly problems = el('div', { class: 'problems', role: 'status' });
  // The result of the last save. It stays visible until the document is edited again; validation does not replace it.
  private readonly saved = el('div', { class: 'saved', role: 'status' });
  private readonly conflict = el('div', { class: 'conflict', role: 'alert' });
  private readonly token = el('input', { type: 'password', placeholder: 'token', 'aria-label': 'Token for changes', autocomplete: 'off', value: sessionStorage.getItem(TOKEN) ?? '' });

  private readonly save = el('button', { class: 'main', click: () => void this.store(false) }, 'Save');
  private readonly remove = el('button', { click: () => { if (window.confirm(`Delete ${this.current}?`)) void this.store(true); } }, 'Delete');
  private readonly revert = el('button', { click: () => void this.load(this.current) }, 'Revert');
  private invalid = false;  // the text as it is now was found to be so

  constructor(private readonly events: Events) {
    const why = el('p', { class: 'dim', id: WHY }, this.how === 'no' ? `You are a ${session.current.role}: changes need the role editor.` : '');
    if (this.how !== 'token') this.token.hidden = true;
    disableForReaders(this.save, this.remove, this.revert);
    this.element = el('section', { class: 'editor', 'aria-label': 'Editor' }, this.title, this.meta, this.conflict, this.area, this.problems, this.saved,
      el('div', { class: 'tools' }, this.token, this.save, this.revert, this.remove), why);
    this.token.addEventListener('change', () => sessionStorage.setItem(TOKEN, this.token.value));
    const validateSoon = debounce(300, () => void this.validate());
    this.area.addEventListener('input', () => {
      replaceChildren(this.saved);
      this.invalid = false;
      this.allow();
      validateSoon();
    });
    this.allow();
  }

  // Saving is possible when a document is chosen, changed or new, and not known to be invalid.
  private allow(): void {
    this.element.classList.toggle('is-empty', this.current === '');
    if (this.how === 'no') return;
    this.save.disabled = this.current === '' || this.area.readOnly || this.invalid || !(this.dirty() || this.base === null);
    this.revert.disabled = !this.dirty();
    this.remove.disabled = this.current === '' || this.base === null;
  }

  close(): void {
    this.closed = true;
  }

  dirty(): boolean {
    return this.current !== '' && !this.area.readOnly && this.area.value !== this.untouched;
  }

  // `quiet`: the page opens the document, not the user.
  async load(key: string, quiet = false): Promise<void> {
    if (key !== this.current && this.dirty() && !window.confirm(`Leave ${this.current}? Its changes are not saved.`)) return;
    if (key !== this.current) replaceChildren(this.saved);
    this.current = key;
    if (!quiet) this.events.opened(key);
    replaceChildren(this.conflict);
    replaceChildren(this.problems);
    setText(this.title, key);
    let text = NEW_TEXT;
    try {
      const found = await ask<Document>('/config/document', { key });
      if (key !== this.current || this.closed) return;
      this.took(found);
      text = found.value;
    } catch (error) {
      if (key !== this.current || this.closed) return;
      this.foundNone(error as Error);
    }
    this.area.value = text;
    this.untouched = this.area.value;  // with the browser's line ends
    this.area.readOnly = this.how === 'no' || key.startsWith('/monitor/overrides/');
    this.invalid = false;
    this.allow();
    this.events.loaded(key);
  }

  // The documents as they are stored now.
  notice(documents: Stored[]): void {
    this.documents = documents;
    if (this.current === '' || this.storedTag() === this.base) return;
    if (this.dirty()) this.showConflict(() => this.storedTag(), el('p', {}, 'This document was changed elsewhere while you were editing it. '));
    else void this.load(this.current, true);
  }

  async store(deletion: boolean): Promise<void> {
    if (this.current === '' || this.how === 'no') return;
    const token = this.token.value.trim();
    if (this.how === 'token' && token === '') {
      replaceChildren(this.saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: changes need the token, which is in the file web-token in the server's data folder.`));
      this.token.focus();
      return;
    }
    if (this.how === 'token') sessionStorage.setItem(TOKEN, token);
    const headers: Record<string, string> = this.how === 'token' ? { Authorization: `Bearer ${token}` } : {};
    const body: { base: string | null; value?: string } = deletion ? { base: this.base } : { base: this.base, value: this.area.value };
    try {
      const done = await ask<{ tag: string | null; revision: number }>('/config/document', { key: this.current }, { method: 'PUT', body: JSON.stringify(body), headers });
      this.base = done.tag;
      this.untouched = body.value ?? this.area.value;
      this.wasStored(deletion, done.revision);
    } catch (error) {
      this.wasNotStored(deletion, error as Error);
    }
  }

  private took(found: Document): void {
    if (found.tag !== this.base) replaceChildren(this.saved);
    this.base = found.tag;
    this.place = found.place !== undefined && found.place !== found.key ? found.place : '';
    this.showPlace(found.revision);
  }

  private foundNone(error: Error): void {
    if (this.base !== null) replaceChildren(this.saved);
    this.base = null;
    if (!(error instanceof ApiError) || error.status !== 404) replaceChildren(this.problems, el('p', { class: 'warn' }, error.message));
    else setText(this.meta, 'new document');
  }

  private showPlace(revision: number): void {
    setText(this.meta, [this.place, revision !== 0 ? `revision ${revision}` : ''].filter((one) => one !== '').join(' · '));
  }

  private storedTag(): string | null {
    return this.documents.find((one) => one.key === this.current)?.tag ?? null;
  }

  // `theirs`: the tag of the version that the user's text would replace.
  private showConflict(theirs: () => string | null, ...what: (Node | false)[]): void {
    replaceChildren(this.conflict, ...what,
      el('button', { click: () => void this.load(this.current) }, 'Load the stored version'),
      el('button', { click: () => { this.base = theirs(); replaceChildren(this.conflict); this.allow(); } }, 'Keep my version'));
  }

  private showProblems(found: Problem[]): void {
    replaceChildren(this.problems, ...found.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)));
  }

  private async validate(): Promise<void> {
    if (this.current === '') return;
    const text = this.area.value;
    try {
      const answer = await ask<{ valid: boolean; problems: Problem[] }>('/config/validate', { key: this.current }, { method: 'POST', body: text });
      if (text !== this.area.value || text === this.untouched || this.closed) return;  // the stored version is known to be valid
      this.invalid = !answer.valid;
      this.allow();
      this.showProblems(answer.problems);
      if (answer.valid && answer.problems.length === 0) replaceChildren(this.problems, el('p', { class: 'good' }, 'valid'));
    } catch (error) {
      replaceChildren(this.problems, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  private wasStored(deletion: boolean, revision: number): void {
    replaceChildren(this.conflict);
    if (!this.dirty()) replaceChildren(this.problems);
    replaceChildren(this.saved, el('p', { class: 'good' }, `${deletion ? 'deleted' : revision !== 0 ? `stored, revision ${revision}` : 'stored'} at ${clock(Date.now() / 1000).slice(11)}`));
    this.showPlace(deletion ? 0 : revision);
    this.allow();
    this.events.stored();
  }

  private wasNotStored(deletion: boolean, error: Error): void {
    replaceChildren(this.saved);
    if (!(error instanceof ApiError)) {
      replaceChildren(this.saved, el('p', { class: 'warn' }, error.message));
    } else if (error.status === 409) {
      const theirs = error.data['current'] as Document | null;
      this.showConflict(() => theirs?.tag ?? null,
        el('p', {}, theirs === null ? 'This document was deleted elsewhere; nothing was stored.' : 'This document was changed elsewhere; nothing was stored. The stored version:'),
        theirs !== null && el('pre', { tabindex: 0 }, theirs.value));
    } else {
      this.showProblems((error.data['problems'] as Problem[] | undefined) ?? []);
      replaceChildren(this.saved, el('p', { class: 'warn' }, `Nothing was ${deletion ? 'deleted' : 'stored'}: ${error.message}`));
      if (error.status === 401 && this.how === 'token') this.token.focus();
    }
  }
}

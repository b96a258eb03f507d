// What the view of the configuration shows and does, without the DOM: the documents, the one that is open and edited, what
// a change would do, and how far the agents have come with it.
import { computed, signal } from '@preact/signals';
import { ApiError, type ConfigOverview, type ConfigPreview, type Problem, type StoredText } from '../lib/api';
import { patchOf } from './edit';
import { Facts } from './facts';
import { kindOf, overrideOf } from './layers';
import { scan } from './scan';
import type { Schema } from './schema';

export const NEW_TEXT = '{\n    \n}\n';
const EDITABLE = /^\/monitor\/(defaults|(groups|config)\/[\w.-]{1,128})$/;
const SOON = 250;      // milliseconds from the last key until the text is checked

export interface World {
  ask: <T>(path: string, parameters?: Record<string, string>, options?: { method?: string; body?: string; headers?: Record<string, string> }) => Promise<T>;
  may: () => 'yes' | 'token' | 'no';
  opened: (key: string) => void;          // the user has opened a document
  follow: (liveId: string) => void;       // calls refresh() at each event after this one
  leave: (question: string) => boolean;   // asks whether changes may be lost
  now: () => number;                      // milliseconds
}

// What effective values depend on.
const layersOf = (found: ConfigOverview) => [...found.documents.map((one) => `${one.key} ${one.tag}`), ...found.agents.map((one) => `${one.agent} ${(one.groups ?? []).join()}`)].join('\n');

export interface Saved { what: string; good: boolean }

export class ConfigModel {
  readonly overview = signal<ConfigOverview | null>(null);
  readonly fault = signal('');
  readonly schema = signal<Schema | null>(null);
  readonly key = signal('');
  readonly state = signal<'none' | 'loading' | 'new' | 'stored' | 'failed'>('none');
  readonly place = signal('');     // where it is stored: its key, or a file
  readonly revision = signal(0);
  readonly text = signal('');
  readonly untouched = signal('');  // the text as it was loaded
  readonly problems = signal<Problem[]>([]);
  readonly checked = signal<{ text: string; valid: boolean } | null>(null);
  readonly preview = signal<ConfigPreview | null>(null);
  readonly conflict = signal<{ theirs: StoredText | null } | null>(null);
  readonly saved = signal<Saved | null>(null);
  readonly token = signal('');
  readonly busy = signal(false);
  readonly why = signal('');       // of the change, for the history
  readonly lasting = signal(0);    // seconds that a change shall last, as an override; 0: for good
  readonly clock = signal(0);      // milliseconds; the page advances it

  readonly scanned = computed(() => scan(this.text.value));
  readonly readOnly = computed(() => this.world.may() === 'no' || kindOf(this.key.value) === 'override');
  readonly dirty = computed(() => this.key.value !== '' && ['new', 'stored'].includes(this.state.value) && this.text.value !== this.untouched.value);
  readonly valid = computed(() => this.checked.value?.text === this.text.value && this.checked.value.valid);
  readonly canSave = computed(() => !this.readOnly.value && this.dirty.value && this.valid.value && !this.busy.value);

  readonly facts: Facts;
  private base: string | null = null;  // the tag of the edited version; null: a new document
  private loading = 0;
  private checking: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private following = false;
  private reading: Promise<void> | null = null;  // of the overview
  private readAgain = false;                     // something has changed while it was read
  private unnoticed = false;                     // a read came while the open document was loaded or written

  constructor(private readonly world: World) {
    this.facts = new Facts(world, this.overview, () => this.refresh());
  }

  // This user may look, and not change anything.
  get locked(): boolean {
    return this.world.may() === 'no';
  }
  get wantsToken(): boolean {
    return this.world.may() === 'token';
  }

  start(): void {
    this.closed = false;
    void this.refresh();
    void this.world.ask<Schema>('/config/schema').then((schema) => { this.schema.value = schema; }, () => undefined);
  }

  close(): void {
    this.closed = true;
    this.following = false;
    clearTimeout(this.checking);
    this.facts.close();
  }

  // Reads all documents and agents again. There is one read at a time: an older answer never replaces a newer one. A call
  // during a read, which may have missed the change, leads to another one; the result covers all calls.
  refresh(): Promise<void> {
    if (this.reading !== null) this.readAgain = true;
    else this.reading = this.readAll();
    return this.reading;
  }

  private async readAll(): Promise<void> {
    do {
      this.readAgain = false;
      await this.readOnce();
    } while (this.readAgain && !this.closed);
    this.reading = null;  // at once: a call after the last look at `readAgain` must begin a read
  }

  private async readOnce(): Promise<void> {
    try {
      const found = await this.world.ask<ConfigOverview>('/config');
      if (this.closed) return;
      const before = this.overview.value;
      this.overview.value = found;
      this.fault.value = '';
      // Only now: the events after what has been read. A stream from now on would miss what changed in between.
      if (!this.following) this.world.follow(found.live_id);
      this.following = true;
      if (before !== null && layersOf(before) !== layersOf(found)) this.facts.reload();
      await this.notice(found);
    } catch (error) {
      if (!this.closed) this.fault.value = (error as Error).message;
    }
  }

  // What was read while the open document was loaded or written may be newer than that.
  private catchUp(): void {
    if (this.unnoticed) void this.refresh();
    this.unnoticed = false;
  }

  // `quiet`: the address names it, not the user.
  async open(key: string, quiet = false): Promise<void> {
    if (key !== this.key.value && this.dirty.value && !this.world.leave(`Leave ${this.key.value}? Its changes are not saved.`)) {
      if (quiet) this.world.opened(this.key.value);  // the address as before
      return;
    }
    if (key !== this.key.value) {
      this.saved.value = null;
      this.why.value = '';
      this.facts.clear();
    }
    this.key.value = key;
    if (!quiet) this.world.opened(key);
    await this.load();
  }

  // Reads the document as it is stored; changes are lost.
  async load(): Promise<void> {
    const mine = ++this.loading;
    const key = this.key.value;
    this.conflict.value = this.preview.value = this.checked.value = null;
    this.problems.value = [];
    if (key === '') {
      this.state.value = 'none';
      return;
    }
    if (this.state.value !== 'stored') this.state.value = 'loading';
    let found: StoredText | null = null;
    let fault = '';
    try {
      if (this.overview.value === null) await (this.reading ?? this.refresh());
      this.unnoticed = false;  // what is read from now on is at least as new
      const missing = EDITABLE.test(key) && this.overview.value?.documents.every((one) => one.key !== key) === true;
      if (!missing) found = await this.world.ask<StoredText>('/config/document', { key });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) fault = (error as Error).message;
    }
    if (mine !== this.loading || this.closed) return;
    this.base = found?.tag ?? null;
    this.revision.value = found?.revision ?? 0;
    this.place.value = found?.place ?? key;
    this.untouched.value = this.text.value = found?.value ?? NEW_TEXT;
    this.state.value = fault !== '' ? 'failed' : found === null ? 'new' : 'stored';
    if (fault !== '') this.saved.value = { what: fault, good: false };
    this.facts.load(key);
    this.catchUp();
  }

  // The user changes the text.
  edit(text: string): void {
    if (this.key.value === '' || this.readOnly.value || text === this.text.value) return;
    this.text.value = text;
    this.saved.value = null;
    clearTimeout(this.checking);
    if (!this.dirty.value) {
      this.problems.value = [];
      this.preview.value = this.checked.value = null;
      return;
    }
    this.checking = setTimeout(() => void this.check(), SOON);
  }

  // Asks the server whether the text is valid, and what it would change.
  async check(): Promise<void> {
    const text = this.text.value;
    const key = this.key.value;
    if (!this.dirty.value) return;
    const late = () => text !== this.text.value || key !== this.key.value || !this.dirty.value || this.closed;
    try {
      const answer = await this.world.ask<{ valid: boolean; problems: Problem[] }>('/config/validate', { key }, { method: 'POST', body: text });
      if (late()) return;
      this.problems.value = answer.problems;
      if (this.saved.value?.good === false) this.saved.value = null;
      this.checked.value = { text, valid: answer.valid };
      if (!answer.valid) {
        this.preview.value = null;
        return;
      }
      await this.foresee(late);
    } catch (error) {
      if (!late()) this.saved.value = { what: `The document cannot be checked: ${(error as Error).message}`, good: false };
    }
  }

  // For how many seconds a change shall last. An override is another layer, which reaches other agents.
  async last(seconds: number): Promise<void> {
    this.lasting.value = seconds;
    const [text, key] = [this.text.value, this.key.value];
    if (!this.dirty.value || !this.valid.value) return;
    try {
      await this.foresee(() => text !== this.text.value || key !== this.key.value || !this.dirty.value || this.closed);
    } catch (error) {
      this.saved.value = { what: `The effect cannot be computed: ${(error as Error).message}`, good: false };
    }
  }

  // Asks the server what the change would do.
  private async foresee(late: () => boolean): Promise<void> {
    const { key, value } = this.stored();
    const lasting = this.lasting.value;
    const preview = await this.world.ask<ConfigPreview>('/config/preview', { key }, { method: 'POST', body: JSON.stringify({ value }) });
    if (!late() && lasting === this.lasting.value) this.preview.value = preview;
  }

  // The document that saving writes.
  private stored(): { key: string; value: string } {
    const key = this.key.value;
    if (this.lasting.value === 0) return { key, value: this.text.value };
    const patch = patchOf(scan(this.untouched.value).root?.value ?? {}, this.scanned.value.root?.value);
    return { key: overrideOf(key), value: JSON.stringify(patch) };
  }

  discard(): void {
    this.edit(this.untouched.value);
    void this.load();
  }

  // An earlier version becomes the text, and is stored when the user saves it.
  restore(value: string, revision = 0): void {
    if (this.dirty.value && !this.world.leave('Restore this version? Your changes are not saved.')) return;
    this.edit(value);
    if (this.dirty.value && this.why.value === '' && revision !== 0) this.why.value = `rollback to revision ${revision}`;
  }

  async save(): Promise<void> {
    if (!this.canSave.value) return;
    if (this.lasting.value > 0) await this.override(this.lasting.value);
    else await this.write(this.text.value);
  }

  async remove(): Promise<void> {
    if (this.world.may() !== 'no' && this.base !== null) await this.write(null);
  }

  // The user's text replaces what somebody else has stored.
  keepMine(): void {
    if (this.conflict.value === null) return;
    const { theirs } = this.conflict.value;
    this.base = theirs?.tag ?? null;
    this.revision.value = theirs?.revision ?? 0;
    this.untouched.value = theirs?.value ?? NEW_TEXT;
    this.state.value = theirs === null ? 'new' : 'stored';
    this.conflict.value = null;
    void this.check();
  }

  // Headers with the token, where changes need it; null: it is missing, which the page says.
  headers(): Record<string, string> | null {
    if (this.world.may() !== 'token') return {};
    const token = this.token.value.trim();
    if (token !== '') return { Authorization: `Bearer ${token}` };
    this.saved.value = { what: 'Nothing was stored: changes need the token, which is in the file web-token in the server\'s data folder.', good: false };
    return null;
  }

  private message(): { message?: string } {
    const why = this.why.value.trim();
    return why === '' ? {} : { message: why };
  }

  // Stores the changes as an override, and leaves the document as it is.
  private async override(seconds: number): Promise<void> {
    const headers = this.headers();
    if (headers === null) return;
    const key = this.key.value;
    const override = this.stored();
    this.busy.value = true;
    try {
      const body = JSON.stringify({ value: override.value, seconds, ...this.message() });
      const done = await this.world.ask<{ key: string; revision: number }>('/config/override', { key: override.key }, { method: 'POST', headers, body });
      if (key !== this.key.value) return;
      this.text.value = this.untouched.value;
      this.problems.value = [];
      this.preview.value = this.checked.value = null;
      this.lasting.value = 0;
      this.why.value = '';
      this.saved.value = { what: 'The override is set. The document is as before.', good: true };
      this.facts.follow({ key: done.key, revision: done.revision, agents: null });
    } catch (error) {
      if (key === this.key.value) this.refused(error as Error, 'stored');
    } finally {
      this.busy.value = false;
      this.catchUp();
    }
  }

  private async write(value: string | null): Promise<void> {
    const headers = this.headers();
    if (headers === null) return;
    const key = this.key.value;
    const affected = value === null ? null : this.preview.value;
    this.busy.value = true;
    try {
      const done = await this.world.ask<{ tag: string | null; revision: number }>('/config/document', { key }, { method: 'PUT', headers, body: JSON.stringify({ base: this.base, ...(value === null ? {} : { value }), ...this.message() }) });
      if (key !== this.key.value) return;
      this.base = done.tag;
      this.revision.value = value === null ? 0 : done.revision;
      this.untouched.value = value ?? NEW_TEXT;
      if (value === null) this.text.value = NEW_TEXT;
      this.state.value = value === null ? 'new' : 'stored';
      this.conflict.value = this.preview.value = null;
      this.why.value = '';
      this.problems.value = this.problems.value.filter((one) => one.warning);
      this.saved.value = { what: `${value === null ? 'Deleted' : 'Saved'}${done.revision !== 0 ? `, revision ${done.revision}` : ''}`, good: true };
      const named = affected !== null && affected.rows.length >= affected.affected ? affected.rows.map((one) => one.agent) : null;
      this.facts.follow({ key, revision: done.revision, agents: named });
      this.facts.load(key);
    } catch (error) {
      if (key === this.key.value) this.refused(error as Error, value === null ? 'deleted' : 'stored');
    } finally {
      this.busy.value = false;
      this.catchUp();
    }
  }

  private refused(error: Error, what: string): void {
    if (error instanceof ApiError && error.status === 409) {
      this.conflict.value = { theirs: (error.data['current'] as StoredText | null) ?? null };
      return;
    }
    if (error instanceof ApiError && Array.isArray(error.data['problems'])) this.problems.value = error.data['problems'] as Problem[];
    this.saved.value = { what: error instanceof ApiError && error.status === 401 && this.world.may() === 'token' ? 'Nothing was stored: the token is wrong. It is in the file web-token in the server\'s data folder.' : `Nothing was ${what}: ${error.message}`, good: false };
  }

  // Somebody else may have changed the open document.
  private async notice(found: ConfigOverview): Promise<void> {
    const key = this.key.value;
    if (key === '') return;
    if (this.busy.value || !['new', 'stored'].includes(this.state.value)) {
      this.unnoticed = true;
      return;
    }
    const tag = found.documents.find((one) => one.key === key)?.tag ?? null;
    if (tag === this.base || (this.conflict.value !== null && this.conflict.value.theirs?.tag === tag)) return;
    if (!this.dirty.value) {
      await this.load();
      return;
    }
    // What was listed may be older than the user's own change.
    const theirs = await this.world.ask<StoredText>('/config/document', { key }).catch((error: unknown) => (error instanceof ApiError && error.status === 404 ? null : undefined));
    if (theirs === undefined || key !== this.key.value || !this.dirty.value || (theirs?.tag ?? null) === this.base) return;
    this.conflict.value = { theirs };
  }
}

// The rule that is written, without the DOM: its text, the form's fields, what the server says of them, and its test.
import { signal } from '@preact/signals';
import { conditionOf } from '../alerts/threshold';
import { ApiError } from '../lib/api';
import { check, listFiles, readFile, replay, store, type Checked, type CheckedRule, type FileRow, type Replay, type RuleFile } from './rule_api';
import { EMPTY, itemLines, newFile, ruleLines, withLines, withRuleAfter, type Fields, type Lines, type Pair } from './rule_text';

export type View = 'form' | 'yaml';
export interface Where { file: string; group: string; rule: string }  // an existing rule; all empty: a new one
export interface Conflict { text: string; tag: string | null }        // null: the file was deleted
export interface Test { state: 'none' | 'busy' | 'done' | 'failed'; result: Replay | null; fault: string; text: string; alert: string }

const CHECK_AFTER = 300;    // milliseconds without a key
const COMPARE_AFTER = 900;  // more of them
const PREVIEW_SPAN = 10;    // seconds
const GROUP = 'from-the-page';
const NO_TEST: Test = { state: 'none', result: null, fault: '', text: '', alert: '' };
const pairsOf = (map: Record<string, string>): Pair[] => Object.entries(map);

export const fieldsOf = (rule: CheckedRule): Fields => ({ kind: rule.kind, name: rule.name, expr: rule.expr.trim(), for: rule.for, keep: rule.keep_firing_for, labels: pairsOf(rule.labels), annotations: pairsOf(rule.annotations) });

export class RuleModel {
  readonly view = signal<View>('form');
  readonly text = signal('');
  readonly fields = signal<Fields>(EMPTY);
  readonly at = signal<Lines | null>(null);          // the lines of the form's rule; null: it has none of its own
  readonly checked = signal<Checked | null>(null);   // of the text as it is; null: not yet
  readonly checkFault = signal('');
  readonly loaded = signal<RuleFile | null>(null);   // the file that is edited; null: a new one
  readonly files = signal<FileRow[]>([]);
  readonly name = signal('');                        // under which it is stored in the configuration
  readonly group = signal(GROUP);          // of a new rule
  readonly fault = signal('');                       // nothing can be edited
  readonly conflict = signal<Conflict | null>(null);
  readonly test = signal<Test>(NO_TEST);
  readonly preview = signal<Replay['alerts']>([]);   // how the alert would read with the newest values
  private base = '';   // the text without changes
  private rule = '';   // the name of the form's rule in the text that was checked
  private turn = 0;
  private opening = 0;
  private timers: number[] = [];
  private testing: AbortController | null = null;

  get changed(): boolean {
    return this.text.value !== this.base;
  }

  // A draft: `expr` is the expression of a new rule.
  begin(expr: string): void {
    this.loaded.value = null;
    this.base = '';
    this.draft({ ...EMPTY, expr });
    this.base = this.text.value;
    void this.loadFiles();
  }

  // False: another rule or the end of the view came before.
  async open(where: Where): Promise<boolean> {
    const mine = ++this.opening;
    try {
      const file = await readFile(where.file);
      if (mine !== this.opening) return false;
      this.took(file);
      await this.checkNow(true);
      if (mine !== this.opening) return false;
      if (!this.choose(where.group, where.rule)) this.view.value = 'yaml';
    } catch (error) {
      if (mine === this.opening) this.fault.value = (error as Error).message;
    }
    return mine === this.opening;
  }

  // Another rule follows: nothing of this one stays.
  reset(): void {
    this.close();
    this.stopTest();
    this.view.value = 'form';
    this.preview.value = [];
    this.checked.value = null;
    this.conflict.value = null;
    this.name.value = this.fault.value = this.checkFault.value = '';
    this.group.value = GROUP;
  }

  close(): void {
    ++this.turn;
    ++this.opening;
    this.timers.forEach(clearTimeout);
    this.testing?.abort();
  }

  // The form shows this rule. False: the text has no such rule, or the form cannot change its lines.
  choose(group: string, rule: string): boolean {
    const found = this.checked.value?.groups.find((one) => one.name === group)?.rules.find((one) => one.name === rule);
    this.at.value = found === undefined ? null : itemLines(this.text.value, found.line, found.column);
    if (found === undefined) return false;
    this.rule = rule;
    this.group.value = group;
    this.fields.value = fieldsOf(found);
    return this.at.value !== null;
  }

  // The form has changed.
  edit(change: Partial<Fields>): void {
    this.fields.value = { ...this.fields.value, ...change };
    this.rule = this.fields.value.name;
    if (this.at.value === null) return;
    const [text, at] = withLines(this.text.value, this.at.value, ruleLines(this.fields.value, this.at.value.indent));
    this.at.value = at;
    this.write(text);
  }

  // The text has changed.
  write(text: string): void {
    if (text === this.text.value) return;
    this.text.value = text;
    this.checkSoon();
  }

  // The group of a new rule in a new file.
  setGroup(group: string): void {
    this.group.value = group;
    if (this.loaded.value === null) this.draft(this.fields.value);
  }

  // True: the form is shown.
  show(view: View): boolean {
    if (view === 'form' && this.checked.value !== null) {
      const rules = this.checked.value.groups.flatMap((group) => group.rules.map((rule): [string, string] => [group.name, rule.name]));
      const wanted = rules.find(([, name]) => name === this.rule) ?? rules[0];
      if (wanted !== undefined && !this.choose(...wanted)) return false;
    }
    this.view.value = view;
    return view === 'form';
  }

  // Adds the new rule to a file of the configuration, or to a new one if it is empty.
  async addTo(file: string): Promise<void> {
    const fields = this.fields.value;
    if (file === '') {
      this.begin(fields.expr);
      this.draft(fields);
      return;
    }
    try {
      this.took(await readFile(file));
      await this.checkNow(false);
      const group = this.checked.value?.groups.at(-1);
      const last = group?.rules.at(-1);
      const lines = last === undefined ? null : itemLines(this.text.value, last.line, last.column);
      if (group === undefined || lines === null) throw new Error('its last rule is written in a form that only YAML can follow: add the rule there');
      const [text, at] = withRuleAfter(this.text.value, lines, fields);
      this.fields.value = fields;
      this.group.value = group.name;
      this.at.value = at;
      this.write(text);
    } catch (error) {
      this.checkFault.value = (error as Error).message;
    }
  }

  // The text without the form's rule; empty: nothing is left of the file.
  withoutRule(): string {
    const rules = this.checked.value?.groups.reduce((sum, group) => sum + group.rules.length, 0) ?? 0;
    if (this.at.value === null || rules <= 1) return '';
    return withLines(this.text.value, this.at.value, [])[0];
  }

  async runTest(span: number, to = Date.now() / 1000): Promise<void> {
    this.testing?.abort();
    const mine = new AbortController();
    this.testing = mine;
    const { text } = this;
    const alert = this.fields.value.name;
    this.test.value = { ...NO_TEST, state: 'busy', text: text.value, alert };
    try {
      const result = await replay(text.value, this.view.value === 'form' ? alert : '', to - span, to, mine.signal);
      if (this.testing === mine) this.test.value = { ...this.test.value, state: 'done', result };
    } catch (error) {
      if (this.testing === mine) this.test.value = { ...this.test.value, state: 'failed', fault: (error as Error).message };
    }
  }

  stopTest(): void {
    this.testing?.abort();
    this.testing = null;
    this.test.value = NO_TEST;
  }

  // Stores the text, or deletes the file if it is empty. False: somebody has changed the file; see `conflict`.
  async save(text: string, token: string, base = this.loaded.value?.tag ?? null): Promise<boolean> {
    const name = this.loaded.value?.document ?? this.name.value;
    try {
      const { tag } = await store(name, { base, ...(text === '' ? {} : { value: text }) }, token);
      this.conflict.value = null;
      this.base = text;
      this.text.value = text;
      this.loaded.value = { ...(this.loaded.value ?? { file: '', place: name, fault: null }), document: name, tag, text };
      void this.loadFiles();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      const current = error.data['current'] as { value: string; tag: string } | null;
      this.conflict.value = { text: current?.value ?? '', tag: current?.tag ?? null };
      return false;
    }
  }

  // Goes on with the version that somebody else has stored; the changes here are lost.
  takeTheirs(): void {
    const theirs = this.conflict.value;
    const mine = this.loaded.value;
    if (theirs === null || mine === null) return;
    this.conflict.value = null;
    this.took({ ...mine, text: theirs.text, tag: theirs.tag });
    this.view.value = 'yaml';
    this.checkSoon();
  }

  private took(file: RuleFile): void {
    this.loaded.value = file;
    this.name.value = file.document ?? '';
    this.base = file.text;
    this.text.value = file.text;
    this.at.value = null;
  }

  private draft(fields: Fields): void {
    const [text, at] = newFile(this.group.value, fields);
    this.fields.value = fields;
    this.at.value = at;
    this.text.value = '';
    this.write(text);
  }

  private async loadFiles(): Promise<void> {
    try {
      this.files.value = (await listFiles()).files;
    } catch {
      this.files.value = [];  // a new file can be made all the same
    }
  }

  private checkSoon(): void {
    ++this.turn;
    this.checked.value = null;
    this.timers.forEach(clearTimeout);
    this.timers = [window.setTimeout(() => void this.checkNow(true), CHECK_AFTER)];
  }

  private async checkNow(compare: boolean): Promise<void> {
    const mine = ++this.turn;
    try {
      const checked = await check(this.text.value, false);
      if (mine !== this.turn) return;
      this.checkFault.value = '';
      this.checked.value = checked;
      if (compare && checked.valid) this.timers = [window.setTimeout(() => void this.compare(mine), COMPARE_AFTER)];
    } catch (error) {
      if (mine === this.turn) this.checkFault.value = (error as Error).message;
    }
  }

  private async compare(mine: number): Promise<void> {
    try {
      const checked = await check(this.text.value, true);
      if (mine === this.turn) this.checked.value = checked;
      const preview = await this.loadPreview();
      if (mine === this.turn) this.preview.value = preview;
    } catch {
      // The format is right all the same.
    }
  }

  // The alert with the values that its expression compares, whether the comparison is true or not.
  private async loadPreview(): Promise<Replay['alerts']> {
    const fields = this.fields.value;
    if (this.at.value === null || fields.kind === 'record') return [];
    const [text] = newFile('preview', { ...fields, for: '', keep: '', expr: conditionOf(fields.expr)?.left ?? fields.expr });
    const now = Date.now() / 1000;
    const { alerts } = await replay(text.replace('    rules:', '    interval: 1s\n    rules:'), '', now - PREVIEW_SPAN, now, new AbortController().signal);
    return alerts.filter((one) => one.ended === null);
  }
}

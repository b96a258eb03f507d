// The state of the view: what can be saved and when, conflicts, who is affected, how far agents have come.
import { afterEach, assert, beforeEach, test, vi } from 'vitest';
import { ApiError, type ConfigOverview, type ConfigRow } from '../lib/api';
import { left } from './countdown';
import { alike, effectOf, itemsOf, keyOf, layerName, nameOf, progressOf, usersOf, overrideOf } from './layers';
import { ConfigModel, NEW_TEXT } from './model';

const KEY = '/monitor/config/a';
const row = (agent: string, more: Partial<ConfigRow> = {}): ConfigRow => ({ agent, state: 'applied', applied: 1, wanted: 1, seen: 0, error: null, last_failed: null, warning: null, host: null, version: null, groups: [], overrides: null, hash: null, ...more });

// A server with documents, which checks that they are objects without "bad".
class Server {
  documents = new Map<string, { value: string; revision: number }>();
  agents: ConfigRow[] = [row('a')];
  asked: string[] = [];
  may: 'yes' | 'token' | 'no' = 'yes';
  leaves = true;
  down = false;
  revision = 10;
  opened: string[] = [];
  messages: (string | undefined)[] = [];

  put(key: string, value: string): void {
    this.documents.set(key, { value, revision: ++this.revision });
  }
  previewed: [string, string][] = [];
  holds = '';                  // answers to this path are kept back, as they are now,
  held: (() => void)[] = [];   // until these are called
  overview(): ConfigOverview {
    const documents = [...this.documents].map(([key, one]) => ({ key, kind: 'agent' as const, revision: one.revision, tag: `r${one.revision}`, bytes: 1, expires: null }));
    return { live_id: `run.${this.revision}`, source: 'etcd', files: false, documents, agents: this.agents };
  }
  answer(path: string, key: string, options: { method?: string; body?: string; headers?: Record<string, string> }): unknown {
    if (this.down) throw new Error('no connection');
    const found = this.documents.get(key);
    const stored = found === undefined ? null : { key, value: found.value, revision: found.revision, tag: `r${found.revision}`, place: key };
    if (path === '/config') return this.overview();
    if (path === '/config/schema') return { properties: {} };
    if (path === '/config/validate') {
      const valid = !options.body!.includes('bad') && options.body!.startsWith('{');
      return { valid, problems: valid ? [] : [{ path: '/bad', line: 1, key: '', message: 'unknown', got: '', known: '', warning: false, text: '/bad: unknown' }] };
    }
    if (path === '/config/preview') {
      this.previewed.push([key, (JSON.parse(options.body!) as { value: string }).value]);
      return { agents: 1, uses: 1, affected: 1, refusing: 0, rows: [{ agent: 'a', state: 'applied', changes: [{ path: '/interval', before: 5, after: 1 }], problems: [] }] };
    }
    if (path === '/config/history') return { key, kept: false, complete: false, versions: [] };
    if (path === '/config/explain') return { agent: 'a', valid: true, problems: [], layers: [], values: [] };
    if (path === '/config/override') {
      const { value, message } = JSON.parse(options.body!) as { value: string; seconds: number; message?: string };
      this.messages.push(message);
      this.put(key, value);
      return { key, revision: this.revision, tag: `r${this.revision}` };
    }
    if (options.method === 'PUT') {
      const { base, value, message } = JSON.parse(options.body!) as { base: string | null; value?: string; message?: string };
      this.messages.push(message);
      if (this.may === 'token' && options.headers?.['Authorization'] !== 'Bearer right') throw new ApiError(401, 'the token is wrong', {});
      if ((stored?.tag ?? null) !== base) throw new ApiError(409, 'changed', { current: stored });
      if (value === undefined) this.documents.delete(key);
      else this.put(key, value);
      return { key, revision: this.revision, tag: value === undefined ? null : `r${this.revision}` };
    }
    if (stored === null) throw new ApiError(404, 'no such document', {});
    return stored;
  }
  model(): ConfigModel {
    return new ConfigModel({
      ask: async <T>(path: string, parameters: Record<string, string> = {}, options = {}) => {
        this.asked.push(path);
        const answer = this.answer(path, parameters['key'] ?? '', options) as T;
        if (path === this.holds) await new Promise<void>((resolve) => { this.held.push(resolve); });
        return answer;
      },
      follow: (liveId) => this.asked.push(`follow ${liveId}`),
      may: () => this.may, opened: (key) => this.opened.push(key), leave: () => this.leaves, now: () => Date.now(),
    });
  }
}

let server: Server;
let model: ConfigModel;
const settle = () => vi.advanceTimersByTimeAsync(400);

beforeEach(async () => {
  vi.useFakeTimers();
  server = new Server();
  server.put(KEY, '{"interval": 5}');
  model = server.model();
  model.start();
  await settle();
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
});

test('events are followed from what was read on', () => {
  assert.deepEqual(server.asked.filter((one) => one === '/config' || one.startsWith('follow')), ['/config', 'follow run.11']);
});

test('a change during a read leads to another one, and an older answer never replaces a newer one', async () => {
  server.holds = '/config';
  void model.refresh();
  server.put(KEY, '{"interval": 9}');
  void model.refresh();  // its event
  void model.refresh();
  assert.equal(server.held.length, 1, 'one read at a time');
  server.holds = '';
  server.held[0]!();
  await settle();
  assert.equal(model.overview.value?.documents[0]?.tag, 'r12');
  assert.deepEqual(server.asked.filter((one) => one === '/config').length, 3);
});

test('a change that is read while the document is loaded is shown', async () => {
  server.holds = '/config/document';
  void model.open(KEY);
  await settle();
  server.put(KEY, '{"interval": 9}');
  await model.refresh();
  server.holds = '';
  server.held[0]!();
  await settle();
  assert.equal(model.text.value, '{"interval": 9}');
});

test('effective values are read again when another layer changes', async () => {
  await model.open(KEY);
  server.asked = [];
  await model.refresh();
  assert.deepEqual(server.asked, ['/config']);
  server.put('/monitor/defaults', '{"interval": 9}');
  await model.refresh();
  assert.includeMembers(server.asked, ['/config/explain', '/config/history']);
});

test('saving needs a chosen, changed and valid document', async () => {
  model.edit('{"interval": 1}');
  assert.equal(model.canSave.value, false, 'nothing is chosen');
  await model.open(KEY);
  assert.equal(model.text.value, '{"interval": 5}');
  await settle();
  assert.equal(model.canSave.value, false, 'nothing is changed');
  model.edit('{"bad": 1}');
  await settle();
  assert.equal(model.canSave.value, false, 'it is not valid');
  assert.equal(model.problems.value[0]?.message, 'unknown');
  model.edit('{"interval": 1}');
  assert.equal(model.canSave.value, false, 'it is not checked yet');
  await settle();
  assert.equal(model.canSave.value, true);
  assert.equal(model.preview.value?.affected, 1);
  model.edit('{"interval": 5}');
  assert.equal(model.canSave.value, false, 'as it was');
  assert.deepEqual(server.opened, [KEY]);
});

test('a saved document is stored, and the agents are followed until all run it', async () => {
  await model.open(KEY);
  model.edit('{"interval": 1}');
  await settle();
  server.agents = [row('a', { state: 'pending' }), row('b')];
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 1}');
  assert.deepEqual([model.dirty.value, model.saved.value?.what, model.revision.value], [false, 'Saved, revision 12', 12]);
  await vi.advanceTimersByTimeAsync(100);
  assert.deepEqual([model.facts.progress.value?.waiting.length, model.facts.progress.value?.applied.length], [1, 0], 'b is not affected');
  server.agents = [row('a', { state: 'failed', error: 'no such plugin' }), row('b')];
  await vi.advanceTimersByTimeAsync(1200);
  assert.equal(model.facts.progress.value?.refused[0]?.error, 'no such plugin');
  const asked = server.asked.length;
  await vi.advanceTimersByTimeAsync(5000);
  assert.equal(server.asked.length, asked, 'nobody is waiting any more');
});

test('somebody else saves meanwhile: both versions are kept, and the user decides', async () => {
  await model.open(KEY);
  model.edit('{"interval": 1}');
  await settle();
  server.put(KEY, '{"interval": 9}');
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 9}');
  assert.equal(model.conflict.value?.theirs?.value, '{"interval": 9}');
  assert.equal(model.text.value, '{"interval": 1}');
  model.keepMine();
  await settle();
  assert.equal(model.conflict.value, null);
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 1}');
});

test('a change by somebody else is noticed before saving', async () => {
  await model.open(KEY);
  server.put(KEY, '{"interval": 9}');
  await model.refresh();
  assert.equal(model.text.value, '{"interval": 9}', 'without changes of the user the new text appears');
  model.edit('{"interval": 1}');
  server.put(KEY, '{"interval": 8}');
  await model.refresh();
  assert.equal(model.conflict.value?.theirs?.value, '{"interval": 8}');
  await model.load();
  assert.deepEqual([model.conflict.value, model.text.value], [null, '{"interval": 8}']);
  model.edit('{"interval": 1}');
  server.documents.delete(KEY);
  await model.refresh();
  assert.deepEqual(model.conflict.value, { theirs: null });
  model.keepMine();
  await settle();
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 1}');
});

test('the own change is no conflict, even if an older list arrives after it', async () => {
  await model.open(KEY);
  const older = server.overview();
  model.edit('{"interval": 1}');
  await settle();
  await model.save();
  model.edit('{"interval": 2}');
  const now = server.overview.bind(server);
  server.overview = () => older;
  await model.refresh();
  server.overview = now;
  assert.equal(model.conflict.value, null);
  assert.equal(model.text.value, '{"interval": 2}');
});

test('changes are not lost without being asked', async () => {
  await model.open(KEY);
  model.edit('{"interval": 1}');
  server.leaves = false;
  await model.open('/monitor/defaults');
  assert.deepEqual([model.key.value, model.text.value], [KEY, '{"interval": 1}']);
  server.leaves = true;
  await model.open('/monitor/defaults');
  assert.deepEqual([model.key.value, model.state.value, model.text.value], ['/monitor/defaults', 'new', NEW_TEXT]);
});

test('a reader sees everything and changes nothing', async () => {
  server.may = 'no';
  const reader = server.model();
  await reader.open(KEY);
  reader.edit('{"interval": 1}');
  await settle();
  assert.deepEqual([reader.text.value, reader.canSave.value, reader.locked], ['{"interval": 5}', false, true]);
  await reader.remove();
  assert.ok(server.documents.has(KEY));
  reader.close();
});

test('without the token nothing is sent, and with a wrong one the page says so', async () => {
  server.may = 'token';
  await model.open(KEY);
  model.edit('{"interval": 1}');
  await settle();
  await model.save();
  assert.match(model.saved.value?.what ?? '', /web-token/);
  model.token.value = 'wrong';
  await model.save();
  assert.match(model.saved.value?.what ?? '', /the token is wrong/);
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 5}');
  model.token.value = 'right';
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 1}');
});

test('without the server nothing can be saved, and later it can', async () => {
  await model.open(KEY);
  server.down = true;
  model.edit('{"interval": 1}');
  await settle();
  assert.deepEqual([model.canSave.value, model.saved.value?.good], [false, false]);
  server.down = false;
  await model.check();
  assert.equal(model.canSave.value, true);
});

test('an earlier version is restored by saving it', async () => {
  await model.open(KEY);
  model.restore('{"interval": 7}');
  await settle();
  assert.equal(model.canSave.value, true);
  await model.save();
  assert.equal(server.documents.get(KEY)?.value, '{"interval": 7}');
  assert.deepEqual(server.messages, [undefined]);
});

test('a change says why, once', async () => {
  await model.open(KEY);
  model.edit('{"interval": 1}');
  model.why.value = '  a closer look ';
  await settle();
  await model.save();
  assert.equal(model.why.value, '');
  model.edit('{"interval": 2}');
  await settle();
  await model.save();
  model.restore('{"interval": 1}', 7);
  await settle();
  assert.equal(model.why.value, 'rollback to revision 7');
  await model.save();
  model.edit('{"interval": 3}');
  model.why.value = 'for this document only';
  server.leaves = true;
  await model.open('/monitor/defaults');
  assert.equal(model.why.value, '');
  assert.deepEqual(server.messages, ['a closer look', undefined, 'rollback to revision 7']);
});

test('for a time, a change becomes an override and the document stays', async () => {
  await model.open(KEY);
  model.edit('{"interval": 1}');
  await settle();
  await model.last(600);
  assert.deepEqual(server.previewed.at(-1), ['/monitor/overrides/agents/a/page', '{"interval":1}'], 'its effect is that of the override');
  await model.save();
  assert.deepEqual([server.documents.get('/monitor/overrides/agents/a/page')?.value, server.documents.get(KEY)?.value], ['{"interval":1}', '{"interval": 5}']);
  assert.deepEqual([model.dirty.value, model.text.value, model.lasting.value, model.facts.rollout.value?.key], [false, '{"interval": 5}', 0, '/monitor/overrides/agents/a/page']);
});

test('deleting leaves a new document', async () => {
  await model.open(KEY);
  await model.remove();
  assert.deepEqual([server.documents.has(KEY), model.state.value, model.text.value], [false, 'new', NEW_TEXT]);
});

test('the layers and who uses them', () => {
  const rows = [row('web-10', { groups: ['web'] }), row('web-2', { groups: ['web', 'eu'] }), row('db')];
  const stored = (key: string) => ({ key, kind: 'group' as const, revision: 1, tag: 'r1', bytes: 1, expires: null });
  const items = itemsOf([stored('/monitor/groups/old'), stored('/monitor/overrides/groups/web/fast'), stored('/monitor/config/web-2')], rows);
  assert.deepEqual(items.map((one) => `${one.kind} ${one.name} ${one.users}${one.stored === null ? '' : ' stored'}`), [
    'defaults defaults 3', 'group eu 1', 'group old 0 stored', 'group web 2', 'agent db 1', 'agent web-2 1 stored', 'agent web-10 1', 'override group web: fast 2 stored']);
  assert.deepEqual(usersOf('/monitor/groups/web', rows).map((one) => one.agent), ['web-10', 'web-2']);
  assert.deepEqual(usersOf('/monitor/overrides/agents/db/x', rows).map((one) => one.agent), ['db']);
  assert.deepEqual(usersOf('/monitor/overrides/groups/eu/x', rows).map((one) => one.agent), ['web-2']);
  assert.equal(usersOf('/monitor/defaults', rows).length, 3);
  assert.deepEqual([keyOf('group:web'), keyOf('a'), keyOf('defaults')], ['/monitor/groups/web', '/monitor/config/a', '/monitor/defaults']);
  assert.deepEqual(['/monitor/overrides/agents/a/fast', '/monitor/groups/web', null].map(layerName), ['override fast', 'group web', 'built in']);
  assert.equal(nameOf('/monitor/overrides/agents/a/fast'), 'a: fast');
  const all = '/monitor/overrides/all/quiet';
  assert.deepEqual([nameOf(all), layerName(all), usersOf(all, rows).length, itemsOf([stored(all)], rows).at(-1)?.users], ['all agents: quiet', 'override quiet of all agents', 3, 3]);
  assert.deepEqual(['/monitor/defaults', '/monitor/groups/web', '/monitor/config/a'].map(overrideOf), ['/monitor/overrides/all/page', '/monitor/overrides/groups/web/page', '/monitor/overrides/agents/a/page']);
});

test('progress counts only agents that are affected', () => {
  const rows = [row('a', { state: 'pending' }), row('b'), row('c', { state: 'gone' }), row('d', { state: 'failed' })];
  const names = (of: ConfigRow[]) => of.map((one) => one.agent);
  const all = progressOf({ key: '/monitor/defaults', revision: 5, agents: null }, rows);
  assert.deepEqual([names(all.waiting), names(all.applied), names(all.away), names(all.refused)], [['a'], ['b'], ['c'], ['d']]);
  assert.deepEqual(names(progressOf({ key: '/monitor/defaults', revision: 5, agents: ['b'] }, rows).waiting), []);
});

test('the time that is left', () => {
  assert.deepEqual([null, 10, 99.5, 3700, 200_000, 1].map((at) => left(at, 1000)), ['no end', '0:09 left', '1:39 left', '01:01:39 left', '2 d 07:33:19 left', 'over']);
});

test('the effect of a change is shown live while it is recent, and later around its time', () => {
  assert.deepEqual(effectOf(['a', 'b', 'c', 'd', 'e', 'f'], 1000.4, 1060.2), { agents: 'a,b,c,d,e', span: '960' });
  assert.deepEqual(effectOf(['a'], 1000.4, 5000), { agents: 'a', from: '100', to: '1900' });
});

test('agents that change alike are named together', () => {
  const change = (after: number) => [{ path: '/interval', before: 5, after }];
  const of = (agent: string, after: number) => ({ agent, state: 'applied' as const, changes: change(after), problems: [] });
  assert.deepEqual(alike([of('a', 1), of('b', 2), of('c', 1)]), [{ agents: ['a', 'c'], changes: change(1) }, { agents: ['b'], changes: change(2) }]);
});

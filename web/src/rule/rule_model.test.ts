import { assert, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../lib/api';
import * as api from './rule_api';
import { RuleModel } from './rule_model';

vi.mock('./rule_api');
const server = vi.mocked(api);
vi.stubGlobal('window', globalThis);

const FILE = '# head\ngroups:\n  - name: g\n    rules:\n      - alert: A\n        expr: a > 1\n      - alert: B\n        expr: b\n';
const rule = (name: string, line: number, expr = 'x') => ({ kind: 'alert' as const, name, expr, for: '5m', keep_firing_for: '', labels: { severity: 'page' }, annotations: {}, line, column: 9 });
const checked = (rules = [rule('A', 5, 'a > 1'), rule('B', 7, 'b')]): api.Checked => ({ valid: true, problems: [], compared: false, trouble: '', groups: [{ name: 'g', interval: '', labels: {}, line: 3, rules }] });
const REPLAY: api.Replay = { from: 0, to: 10, history: [], groups: [], evaluations: 1, fired: 0, left_out: 0, failures: [], alerts: [] };

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
  server.check.mockImplementation(() => Promise.resolve(checked()));
  server.readFile.mockResolvedValue({ file: 'f', document: 'doc', tag: 'r7', place: '/monitor/rules/doc', text: FILE, fault: null });
  server.listFiles.mockResolvedValue({ files: [], configuration: '', trouble: '' });
  server.replay.mockResolvedValue(REPLAY);
});

test('a change of the form changes the lines of its rule, and is checked once when the typing ends', async () => {
  const model = new RuleModel();
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  assert.deepEqual([model.view.value, model.fields.value.expr, model.changed], ['form', 'a > 1', false]);
  server.check.mockClear();
  model.edit({ expr: 'a > 2' });
  model.edit({ expr: 'a > 23' });
  assert.include(model.text.value, '# head\n');
  assert.include(model.text.value, '- alert: A\n        expr: a > 23\n        for: 5m\n        labels:\n          severity: page\n      - alert: B');
  assert.isNull(model.checked.value, 'nothing is known of this text yet');
  await vi.advanceTimersByTimeAsync(350);
  expect(server.check).toHaveBeenCalledOnce();
  expect(model.checked.value).toMatchObject({ valid: true });
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.check).toHaveBeenLastCalledWith(model.text.value, true);
  // How it reads: with what the condition compares.
  const [preview, , from, to] = server.replay.mock.lastCall!;
  assert.include(preview, '    interval: 1s\n    rules:\n      - alert: A\n        expr: a\n');
  assert.equal(to - from, 10);
  model.edit({ expr: 'a > 1', for: '', labels: [] });
  assert.equal(model.text.value, FILE);
});

test('an answer about an older text is not shown', async () => {
  const model = new RuleModel();
  let answer: (found: api.Checked) => void = () => undefined;
  server.check.mockImplementation(() => new Promise((resolve) => { answer = resolve; }));
  model.begin('up');
  await vi.advanceTimersByTimeAsync(300);
  const old = answer;
  model.edit({ name: 'New' });
  old({ ...checked(), valid: false });
  await vi.advanceTimersByTimeAsync(1);
  assert.isNull(model.checked.value);
});

test('a rule whose lines are not its own is only shown as YAML', async () => {
  const text = 'groups: [{name: g, rules: [{alert: A, expr: a}]}]\n';
  server.readFile.mockResolvedValue({ file: 'f', document: null, tag: null, place: 'f', text, fault: null });
  server.check.mockResolvedValue(checked([{ ...rule('A', 1), column: 28 }]));
  const model = new RuleModel();
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  assert.equal(model.view.value, 'yaml');
  assert.isFalse(model.show('form'));
  assert.equal(model.view.value, 'yaml');
});

test('a draft can be added to a stored file, and the last rule of a file deletes it', async () => {
  const model = new RuleModel();
  model.begin('up == 0');
  model.edit({ name: 'Down' });
  await model.addTo('f');
  assert.include(model.text.value, '        expr: b\n      - alert: Down\n        expr: up == 0\n');
  assert.deepEqual([model.name.value, model.group.value, model.changed], ['doc', 'g', true]);
  await model.open({ file: 'f', group: 'g', rule: 'B' });
  assert.equal(model.withoutRule(), FILE.replace('      - alert: B\n        expr: b\n', ''));
  server.check.mockResolvedValue(checked([rule('A', 5)]));
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  assert.equal(model.withoutRule(), '');
});

test('a conflict stores nothing, and either version can be taken', async () => {
  const model = new RuleModel();
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  model.edit({ for: '1m' });
  const mine = model.text.value;
  server.store.mockRejectedValueOnce(new ApiError(409, 'changed', { current: { value: 'theirs', tag: 'r8' } }));
  assert.isFalse(await model.save(mine, ''));
  expect(server.store).toHaveBeenLastCalledWith('doc', { base: 'r7', value: mine }, '');
  assert.deepEqual(model.conflict.value, { text: 'theirs', tag: 'r8' });
  server.store.mockResolvedValueOnce({ key: 'k', revision: 9, tag: 'r9' });
  assert.isTrue(await model.save(mine, '', 'r8'));
  assert.deepEqual([model.conflict.value, model.changed, model.loaded.value?.tag], [null, false, 'r9']);
  server.store.mockRejectedValueOnce(new ApiError(409, 'changed', { current: { value: 'theirs', tag: 'r10' } }));
  model.edit({ for: '2m' });
  assert.isFalse(await model.save(model.text.value, ''));
  model.takeTheirs();
  assert.deepEqual([model.text.value, model.view.value, model.changed, model.loaded.value?.tag], ['theirs', 'yaml', false, 'r10']);
  server.store.mockRejectedValueOnce(new ApiError(422, 'not valid', {}));
  await expect(model.save('x', '')).rejects.toThrow('not valid');
});

test('a test that is stopped or replaced shows nothing', async () => {
  const model = new RuleModel();
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  const answers: ((found: api.Replay) => void)[] = [];
  server.replay.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
  const first = model.runTest(3600, 10_000);
  expect(server.replay).toHaveBeenLastCalledWith(FILE, 'A', 6400, 10_000, expect.anything());
  const second = model.runTest(60, 10_000);
  assert.isTrue(server.replay.mock.calls[0]![4].aborted);
  answers[0]!({ ...REPLAY, fired: 1 });
  await first;
  assert.equal(model.test.value.state, 'busy');
  answers[1]!({ ...REPLAY, fired: 2 });
  await second;
  assert.deepEqual([model.test.value.state, model.test.value.result?.fired], ['done', 2]);
  model.stopTest();
  assert.equal(model.test.value.state, 'none');
});

test('nothing of one rule is left in the next one', async () => {
  const model = new RuleModel();
  await model.open({ file: 'f', group: 'g', rule: 'A' });
  await model.runTest(60, 10_000);
  model.reset();
  model.begin('up');
  assert.deepEqual([model.fields.value.name, model.fields.value.expr, model.group.value, model.name.value, model.loaded.value, model.test.value.state], ['', 'up', 'from-the-page', '', null, 'none']);
  assert.isFalse(model.changed);
});

test('a file that is read late does not replace the rule that was opened after it', async () => {
  const model = new RuleModel();
  let late: (file: api.RuleFile) => void = () => undefined;
  server.readFile.mockImplementationOnce(() => new Promise((resolve) => { late = resolve; }));
  const first = model.open({ file: 'old', group: 'g', rule: 'A' });
  assert.isTrue(await model.open({ file: 'f', group: 'g', rule: 'B' }));
  late({ file: 'old', document: 'old', tag: 'r1', place: '/monitor/rules/old', text: 'other', fault: null });
  assert.isFalse(await first);
  assert.deepEqual([model.loaded.value?.document, model.fields.value.name], ['doc', 'B']);
});

test('nothing is checked or tested when the view is left while its file is read', async () => {
  const model = new RuleModel();
  vi.clearAllTimers();  // of the tests above
  const opened = model.open({ file: 'f', group: 'g', rule: 'A' });
  model.close();
  assert.isFalse(await opened);
  await vi.advanceTimersByTimeAsync(5000);
  expect(server.check).not.toHaveBeenCalled();
});

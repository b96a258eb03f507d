// Positions, edits and differences of a document's text.
import { assert, test } from 'vitest';
import { diff, folded } from '../lib/diff';
import { patchOf, setIn } from './edit';
import { placeOf, scan } from './scan';

const messages = (text: string) => scan(text).faults.map((one) => one.message);

test('reads what JSON.parse reads', () => {
  for (const text of ['{}', ' {"a": [1, -2.5e3, "x\\"y\\\\", true, null, {"b": {}}], "c": ""}\n', '[]', '"a"', '3', '{"a":{"b":[[[]]]}}', '"\\\\"', '{"ü\\u0041": "\\n"}']) {
    const { root, faults } = scan(text);
    assert.deepEqual(faults, [], text);
    assert.deepEqual(root?.value, JSON.parse(text), text);
  }
});

test('says what is wrong and where', () => {
  for (const [text, at, what] of [
    ['', 0, /expected a JSON object/], ['{', 0, /expected }/], ['{"a" 1}', 1, /expected : and a value/], ['{"a": }', 1, /expected a value of "a"/], ['{"a": 1,}', 7, /no comma before the end/],
    ['{"a": 1 "b": 2}', 8, /expected , or }/], ['{"a": 1, "a": 2}', 9, /"a" is here twice/], ['{a: 1}', 1, /name in quotes/], ['{"a": tru}', 6, /expected a value, got tru/], ['{"a": 1} x', 9, /nothing more/], ['{"a": "b', 6, /expected " at the end/],
  ] as const) {
    const { faults } = scan(text);
    assert.ok(faults.length > 0, text);
    assert.match(faults.map((one) => one.message).join('\n'), what, text);
    assert.ok(faults.some((one) => one.from === at), `${text}: ${JSON.stringify(faults)}`);
    if (!text.includes('"a": 2')) assert.throws(() => JSON.parse(text) as unknown);  // a name that is here twice is JSON, but no document
  }
});

test('ends with any text', () => {
  const signs = ['{', '}', '[', ']', '"', ':', ',', 'a', '1', ' ', '\n', '\\', '-'];
  let seed = 7;
  for (let run = 0; run < 3000; ++run) {
    let text = '';
    for (let i = 0; i < run % 24; ++i) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      text += signs[seed % signs.length];
    }
    const { faults } = scan(text);
    let fits = true;
    try { JSON.parse(text); } catch { fits = false; }
    if (!fits) assert.ok(faults.length > 0, `no fault in ${JSON.stringify(text)}`);
    for (const one of faults) assert.ok(one.from >= 0 && one.to <= Math.max(text.length, 1) && one.from <= one.to, JSON.stringify({ text, one }));
  }
  assert.ok(messages('['.repeat(5000)).length > 0);
});

test('finds the place of a JSON pointer', () => {
  const text = '{"metrics": ["cpu", {"name": "cpuu"}], "labels": {"a/b": 1}}';
  const at = (pointer: string) => { const { from, to } = placeOf(scan(text).root, pointer); return text.slice(from, to); };
  assert.equal(at('/metrics/1'), '{"name": "cpuu"}');
  assert.equal(at('/metrics/1/name'), '"name": "cpuu"');
  assert.equal(at('/labels/a~1b'), '"a/b": 1');
  assert.equal(at('/metrics/7'), '"metrics": ["cpu", {"name": "cpuu"}]', 'what is not there: the nearest thing around it');
});

test('changes one field and leaves the rest as it is', () => {
  const text = '{\n  "interval" : 5,   "labels": {"rack": "r1"},\n  "metrics": ["cpu",\n     "memory"]\n}\n';
  assert.equal(setIn(text, ['interval'], 1), text.replace('"interval" : 5', '"interval": 1'));
  assert.equal(setIn(text, ['interval'], undefined), '{\n  "labels": {"rack": "r1"},\n  "metrics": ["cpu",\n     "memory"]\n}\n');
  assert.equal(setIn(text, ['labels', 'rack'], undefined), '{\n  "interval" : 5,   "metrics": ["cpu",\n     "memory"]\n}\n', 'an object that is empty then goes as well');
  assert.deepEqual(JSON.parse(setIn(text, ['metrics'], undefined)), { interval: 5, labels: { rack: 'r1' } });
  assert.deepEqual(JSON.parse(setIn(text, ['labels', 'site'], 'eu')), { ...JSON.parse(text), labels: { rack: 'r1', site: 'eu' } });
  assert.deepEqual(JSON.parse(setIn(text, ['spool', 'max'], '1GiB')), { ...JSON.parse(text), spool: { max: '1GiB' } });
  assert.equal(setIn('{\n    \n}\n', ['interval'], '250ms'), '{\n    "interval": "250ms"\n}\n');
  assert.equal(setIn('{"interval": 5}', ['labels'], {}), '{"interval": 5, "labels": {}}');
  assert.equal(setIn('', ['interval'], 5), '{\n    "interval": 5\n}\n');
  assert.equal(setIn('{}', ['nothing'], undefined), '{}');
  assert.equal(setIn('{"interval": 5}', ['interval'], undefined), '{}');
  assert.deepEqual(JSON.parse(setIn('{"spool": 1}', ['spool', 'max'], 2)), { spool: { max: 2 } });
  assert.equal(setIn('{"spool": 1}', ['spool', 'max'], undefined), '{"spool": 1}');
});

test('a difference leads from one text to the other', () => {
  const a = '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}\n';
  const b = '{\n  "a": 1,\n  "b": 5,\n  "d": 4,\n  "c": 3\n}\n';
  const found = diff(a, b);
  assert.equal(found.filter((one) => one.kind !== 'new').map((one) => `${one.text}\n`).join(''), a);
  assert.equal(found.filter((one) => one.kind !== 'old').map((one) => `${one.text}\n`).join(''), b);
  assert.deepEqual(found.filter((one) => one.kind !== 'same'), [{ kind: 'old', text: '  "b": 2,' }, { kind: 'new', text: '  "b": 5,' }, { kind: 'new', text: '  "d": 4,' }]);
  assert.deepEqual(diff(a, a).filter((one) => one.kind !== 'same'), []);
  assert.deepEqual(diff('', 'x\n'), [{ kind: 'new', text: 'x' }]);
});

test('far lines are left out of a difference, and counted', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const found = folded(diff(lines.join('\n'), lines.map((one, i) => (i === 20 ? 'other' : one)).join('\n')));
  assert.deepEqual(found.map((one) => (one.kind === 'gap' ? `gap ${one.text}` : one.text)), ['gap 17', 'line 17', 'line 18', 'line 19', 'line 20', 'other', 'line 21', 'line 22', 'line 23', 'gap 16']);
});

test('a merge patch leads from one document to the other', () => {
  assert.deepEqual(patchOf({ a: 1, b: { c: 1, d: 2 }, e: [1] }, { a: 1, b: { c: 3 }, e: [2], f: 'x' }), { b: { c: 3, d: null }, e: [2], f: 'x' });
  assert.deepEqual(patchOf({ a: 1 }, { a: 1 }), {});
});

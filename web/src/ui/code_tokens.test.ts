// The colours of texts in editors.
import { assert, test } from 'vitest';
import { jsonTokens } from '../config/json_tokens';
import { promqlTokens } from '../explore/promql_tokens';
import type { Token } from './code_tokens';

const shown = (text: string, tokens: Token[]) => tokens.map((one) => `${one.kind} ${text.slice(one.from, one.to)}`);

test('JSON: names, texts, numbers and words', () => {
  const text = '{"a\\"b" : "x", "c": [-1.5e3, true, null], "open';
  assert.deepEqual(shown(text, jsonTokens(text)), ['name "a\\"b"', 'text "x"', 'name "c"', 'number -1.5e3', 'word true', 'word null', 'text "open']);
});

test('PromQL: functions, keywords, labels, numbers, texts and comments', () => {
  const text = 'sum by (agent) (rate(cpu_total{mode!="idle", host=~\'a.*\'}[5m])) > bool 0.5 # why "not"';
  assert.deepEqual(shown(text, promqlTokens(text)), ['word sum', 'word by', 'function rate', 'name mode', 'text "idle"', 'name host', "text 'a.*'", 'number 5m', 'word bool', 'number 0.5', 'comment # why "not"']);
});

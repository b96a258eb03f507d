// The schema: shapes of fields, completion, explanation, where values come from.
import { assert, test } from 'vitest';
import type { Explained } from '../lib/api';
import { explainAt, offer } from './assist';
import { hiddenBy, inherited } from './form_value';
import { scan } from './scan';
import { entryName, partsOf, schemaAt, shapeOf, textOf, valueOf, withOption, type Schema } from './schema';

const DURATION: Schema = { anyOf: [{ type: 'number' }, { type: 'string', pattern: '^x$' }], description: 'Time between two ticks. Bounds: 10 ms to 24 h. Since 0.1.0.', default: 5, examples: ['250ms'] };
const SCHEMA: Schema = { type: 'object', properties: {
  interval: DURATION,
  metrics: { type: 'array', description: 'The metrics. Since 0.1.0.', items: { anyOf: [{ enum: ['cpu', 'memory'] },
    { type: 'object', properties: { name: { const: 'cpu' }, per_core: { type: 'boolean', description: 'One series per processor' }, interval: DURATION } }, { type: 'object', properties: { name: { const: 'memory' } } }] } },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  log_level: { enum: ['debug', 'info'], description: 'The log level.' },
  groups: { type: 'array', items: { type: 'string' } },
  spool: { type: 'object', properties: { max: { anyOf: [{ type: 'integer' }, { type: 'string' }] } } },
} };

// The text with a | where the cursor is.
function offered(marked: string): string[] {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const found = offer(text, scan(text).root, SCHEMA, at);
  return found?.options.map((one) => one.apply) ?? [];
}

test('names that are not there yet are offered in an object', () => {
  assert.deepEqual(offered('{"interval": 1, "|"}'), ['"metrics": []', '"labels": {}', '"log_level": "debug"', '"groups": []', '"spool": {}']);
  assert.ok(offered('{|}').includes('"interval": 5'));
  assert.deepEqual(offered('{"spool": {"|"}}'), ['"max": ""']);
  assert.deepEqual(offered('{"metrics": [{"name": "cpu", "|"}]}'), ['"per_core": true', '"interval": 5']);
  assert.ok(!offered('{"int|": 1}').some((one) => one.includes(':')), 'a name that has a value already is only replaced');
});

test('values are offered where the schema knows them', () => {
  assert.deepEqual(offered('{"log_level": "|"}'), ['"debug"', '"info"']);
  assert.deepEqual(offered('{"log_level": |}'), ['"debug"', '"info"']);
  assert.ok(offered('{"metrics": ["|"]}').includes('"memory"'));
  assert.ok(offered('{"metrics": ["cpu", |]}').includes('"memory"'));
  assert.deepEqual(offered('{"metrics": [{"name": "cpu", "per_core": |}]}'), ['true', 'false']);
  assert.deepEqual(offered('{"nosuch": |}'), []);
});

test('a name is explained', () => {
  const text = '{"interval": 1}';
  const found = explainAt(scan(text).root, SCHEMA, 3);
  assert.deepEqual({ name: found?.name, text: found?.text, bounds: found?.bounds, fallback: found?.fallback }, { name: 'interval', text: 'Time between two ticks.', bounds: '10 ms to 24 h', fallback: '5' });
  assert.equal(explainAt(scan('{"x": 1}').root, SCHEMA, 3), null);
});

test('each field has a shape', () => {
  const shapes = Object.fromEntries(Object.entries(SCHEMA.properties!).map(([name, one]) => [name, shapeOf(one)]));
  assert.deepEqual(shapes, { interval: 'scalar', metrics: 'entries', labels: 'map', log_level: 'choice', groups: 'texts', spool: 'object' });
  assert.equal(shapeOf({ type: 'object' }), 'json');
  assert.equal(shapeOf({ type: 'boolean' }), 'switch');
});

test('the parts of a description', () => {
  assert.deepEqual(partsOf('A ("250ms", "1m"). B. Bounds: 10 ms to 24 h. Since 0.1.0.'), { text: 'A ("250ms", "1m"). B.', bounds: '10 ms to 24 h', since: '0.1.0' });
  assert.deepEqual(partsOf('A Bounds: at most 0.5. Since 0.2.0.'), { text: 'A', bounds: 'at most 0.5', since: '0.2.0' });
  assert.deepEqual(partsOf('Plain'), { text: 'Plain', bounds: '', since: '' });
});

test('what is typed becomes a number or a text', () => {
  for (const [typed, value] of [['5', 5], ['0.25', 0.25], ['250ms', '250ms'], [' 7 ', 7], ['', undefined], ['1.', '1.'], ['-3e2', -300]] as const) assert.equal(valueOf(typed), value);
  assert.equal(textOf('250ms'), '250ms');
  assert.equal(textOf(0.5), '0.5');
});

test('an entry is a name until it has an option', () => {
  assert.deepEqual(withOption('cpu', 'per_core', true), { name: 'cpu', per_core: true });
  assert.equal(withOption({ name: 'cpu', per_core: true }, 'per_core', undefined), 'cpu');
  assert.equal(entryName({ name: 'cpu' }), 'cpu');
  assert.equal(entryName('memory'), 'memory');
  assert.equal(schemaAt(SCHEMA, ['metrics', 0, 'per_core'], { metrics: [{ name: 'cpu' }] })?.type, 'boolean');
  assert.equal(schemaAt(SCHEMA, ['metrics', 0, 'per_core'], { metrics: [{ name: 'memory' }] }), undefined);
});

test('a value comes from the layer that sets it, and can be hidden by another', () => {
  const value = (path: string, of: unknown, layer: string | null) => ({ path, value: of, layer, key: layer, revision: 0 });
  const explained = { agent: 'a', valid: true, problems: [], layers: [], values: [value('/interval', 7, '/monitor/defaults'), value('/labels/rack', 'r1', '/monitor/groups/web'), value('/labels/site', 'eu', '/monitor/config/a'), value('/log_level', 'debug', '/monitor/overrides/agents/a/slow')] } as unknown as Explained;
  assert.deepEqual(inherited(explained, '/monitor/config/a', ['interval'], DURATION), { value: 7, from: 'defaults' });
  assert.deepEqual(inherited(null, '/monitor/defaults', ['interval'], DURATION), { value: 5, from: 'built in' });
  assert.equal(inherited(explained, '/monitor/config/a', ['labels'], {}), null, 'it sets a part itself');
  assert.deepEqual(inherited(explained, '/monitor/config/b', ['labels'], {}), { value: { rack: 'r1', site: 'eu' }, from: 'group web, its own document' });
  assert.equal(hiddenBy(explained, '/monitor/config/a', ['log_level']), 'override slow');
  assert.equal(hiddenBy(explained, '/monitor/config/a', ['labels']), '');
});

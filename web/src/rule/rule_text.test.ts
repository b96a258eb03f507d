import { assert, test } from 'vitest';
import { EMPTY, itemLines, newFile, ruleLines, scalar, withLines, withRuleAfter, type Fields } from './rule_text';

const FIELDS: Fields = { ...EMPTY, name: 'Busy', expr: 'x > 1', labels: [['severity', 'page'], ['', 'left out']], annotations: [['summary', '{{ $value }}: "busy"'], ['next', 'look\nagain']] };

test('a rule becomes YAML that quotes only what needs it', () => {
  assert.deepEqual(ruleLines(FIELDS, 2), ['  - alert: Busy', '    expr: x > 1', '    for: 5m', '    labels:', '      severity: page',
    '    annotations:', '      summary: "{{ $value }}: \\"busy\\""', '      next: |-', '        look', '        again']);
  assert.deepEqual(['yes', 'a: b', '', '5m', '1.5', '- x', 'it is', "'"].map(scalar), ['"yes"', '"a: b"', '""', '5m', '"1.5"', '"- x"', 'it is', '"\'"']);
  assert.deepEqual(ruleLines({ ...FIELDS, expr: '{agent="a"} > 1', for: '', labels: [], annotations: [] }, 0), ['- alert: Busy', '  expr: |-', '    {agent="a"} > 1']);
  assert.deepEqual(ruleLines({ ...FIELDS, kind: 'record', name: 'a:b', labels: [], annotations: [['x', 'y']] }, 0), ['- record: a:b', '  expr: x > 1']);
});

const TEXT = `# head
groups:
  - name: g
    rules:
      # of A
      - alert: A   # the first
        expr: |
          a

          > 1
        # inside of A

      - {alert: B,
         expr: b}
      # of what follows
  - name: h
    rules: [{alert: C, expr: c}]
`;

test('the lines of a rule are found, with its comments and without what follows', () => {
  assert.deepEqual(itemLines(TEXT, 6, 9), { from: 5, to: 11, indent: 6 });
  assert.deepEqual(itemLines(TEXT, 13, 9), { from: 12, to: 14, indent: 6 });
  assert.equal(itemLines(TEXT, 17, 13), null, 'a rule in a list on one line');
});

test('a change of one rule leaves the rest of the file', () => {
  const at = itemLines(TEXT, 6, 9)!;
  const [text, now] = withLines(TEXT, at, ruleLines({ ...EMPTY, name: 'A', expr: 'a > 2', for: '', labels: [], annotations: [] }, at.indent));
  assert.deepEqual(now, { from: 5, to: 7, indent: 6 });
  assert.equal(text, TEXT.replace(/ {6}- alert: A.*inside of A\n/s, '      - alert: A\n        expr: a > 2\n'));
  const [more, added] = withRuleAfter(TEXT, itemLines(TEXT, 13, 9)!, { ...EMPTY, name: 'D', expr: 'd', for: '', labels: [], annotations: [] });
  assert.equal(more.split('\n').slice(added.from, added.to).join('\n'), '      - alert: D\n        expr: d');
  assert.include(more, '         expr: b}\n      - alert: D\n        expr: d\n      # of what follows');
});

test('a new file has one group with the rule', () => {
  const [text, at] = newFile('from the page', FIELDS);
  assert.include(text, 'groups:\n  - name: from the page\n    rules:\n      - alert: Busy\n');
  assert.equal(text.split('\n')[at.from], '      - alert: Busy');
  assert.deepEqual(itemLines(text, at.from + 1, 9), at);
});

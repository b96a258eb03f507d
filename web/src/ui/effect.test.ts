import { readdirSync, readFileSync } from 'node:fs';
import { assert, test } from 'vitest';

test('no view uses an effect that ends only after the view is gone', () => {
  const root = new URL('..', import.meta.url).pathname;
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((one) => /\.tsx?$/.test(one) && !/\.test\.|ui\/effect\.ts$/.test(one));
  assert.isAbove(sources.length, 100);
  const wrong = sources.filter((one) => /import \{[^}]*\buseEffect\b[^}]*\} from 'preact\/hooks'/.test(readFileSync(`${root}/${one}`, 'utf8')));
  assert.deepEqual(wrong, [], 'ui/effect.ts has the one to use');
});

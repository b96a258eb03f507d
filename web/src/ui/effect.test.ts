import { assert, test } from 'vitest';

test('no view uses an effect that ends only after the view is gone', () => {
  const sources = Object.entries(import.meta.glob('../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true })).filter(([path]) => !/\.test\.|\/effect\.ts$/.test(path));
  assert.isAbove(sources.length, 100);
  assert.isTrue(sources.some(([, text]) => /from '[./]+(ui\/)?effect'/.test(text)), 'the texts are those of the sources');
  const wrong = sources.filter(([, text]) => /import \{[^}]*\buseEffect\b[^}]*\} from 'preact\/hooks'/.test(text)).map(([path]) => path);
  assert.deepEqual(wrong, [], 'ui/effect.ts has the one to use');
});

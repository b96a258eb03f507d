import { assert, test } from 'vitest';
import { hexDump, hexLine, lineCount } from './hex';

test('bytes are shown sixteen a line, with their text', () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? 0xff : 0x40 + i));
  assert.equal(lineCount(bytes), 2);
  assert.deepEqual(hexLine(bytes, 0), { offset: '000000', hex: 'ff 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f', text: '·ABCDEFGHIJKLMNO' });
  assert.equal(hexLine(bytes, 1).hex.length, hexLine(bytes, 0).hex.length);
  assert.equal(hexLine(bytes, 1).text, 'PQRS');
  assert.equal(hexDump(bytes).split('\n')[1], '000010  50 51 52 53                                       |PQRS|');
  assert.equal(hexDump(new Uint8Array()), '');
});

// Bytes as a hex dump. Knows nothing of the DOM.
export const A_LINE = 16;

export interface HexLine { offset: string; hex: string; text: string }

const digits = (n: number, width: number) => n.toString(16).padStart(width, '0');
const printable = (byte: number) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·');

export function lineCount(bytes: Uint8Array): number {
  return Math.ceil(bytes.length / A_LINE);
}

// Line `n`, with a wider gap in the middle. All lines have the same width.
export function hexLine(bytes: Uint8Array, n: number): HexLine {
  const part = [...bytes.subarray(n * A_LINE, (n + 1) * A_LINE)];
  const cells = Array.from({ length: A_LINE }, (_, i) => (i < part.length ? digits(part[i]!, 2) : '  '));
  return { offset: digits(n * A_LINE, 6), hex: `${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}`, text: part.map(printable).join('') };
}

// All of it as text, to copy.
export function hexDump(bytes: Uint8Array): string {
  return Array.from({ length: lineCount(bytes) }, (_, n) => {
    const { offset, hex, text } = hexLine(bytes, n);
    return `${offset}  ${hex}  |${text}|`;
  }).join('\n');
}

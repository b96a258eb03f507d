// Reads JSON that may be incomplete, because it is being typed: what is where, and what is wrong. Knows nothing of the DOM.

export interface Node { kind: 'object' | 'array' | 'text' | 'other'; from: number; to: number; value: unknown; properties: Property[]; items: Node[] }
export interface Property { name: string; from: number; nameTo: number; to: number; value: Node | null }
export interface Fault { from: number; to: number; message: string }
export interface Scanned { root: Node | null; faults: Fault[] }

const LITERAL = /[^\s{}[\],:"]+/y;
const MOST_DEPTH = 64;

class Scanner {
  readonly faults: Fault[] = [];
  private at = 0;

  constructor(private readonly text: string) {}

  scan(): Node | null {
    const root = this.value(0);
    this.skip();
    if (root === null) this.fault(this.at, 'expected a JSON object');
    else if (this.at < this.text.length) this.fault(this.at, 'expected nothing more');
    return root;
  }

  private skip(): void {
    while (' \t\r\n'.includes(this.text[this.at] ?? '-')) ++this.at;
  }

  private fault(from: number, message: string, to = from + 1): void {
    const most = this.text.length;
    if (this.faults.length < 20) this.faults.push({ from: Math.min(from, Math.max(most - 1, 0)), to: Math.min(Math.max(to, 1), most), message });
  }

  // The text up to the closing quote, or to the end of the line without one.
  private string(): { value: string; from: number; to: number } {
    const from = this.at;
    const found = /"(?:[^"\\\n]|\\.)*"?/y;
    found.lastIndex = from;
    const raw = found.exec(this.text)![0];
    this.at = from + raw.length;
    const closed = raw.length > 1 && raw.endsWith('"') && !/(?:^|[^\\])(?:\\\\)*\\"$/.test(raw);
    try {
      return { value: JSON.parse(closed ? raw : `${raw}"`) as string, from, to: this.at };
    } catch {
      this.fault(from, 'not a JSON text', this.at);
      return { value: raw.slice(1), from, to: this.at };
    } finally {
      if (!closed) this.fault(from, 'expected " at the end', this.at);
    }
  }

  private value(depth: number): Node | null {
    this.skip();
    const from = this.at;
    const next = this.text[from];
    const node: Node = { kind: 'other', from, to: from, value: undefined, properties: [], items: [] };
    if (depth > MOST_DEPTH) this.fault(from, `nested more than ${MOST_DEPTH} times`);
    else if (next === '{') this.list(node, depth, '}');
    else if (next === '[') this.list(node, depth, ']');
    else if (next === '"') {
      node.kind = 'text';
      node.value = this.string().value;
    } else {
      LITERAL.lastIndex = from;
      const word = LITERAL.exec(this.text)?.[0];
      if (word === undefined) return null;
      this.at += word.length;
      try {
        node.value = JSON.parse(word) as unknown;
      } catch {
        this.fault(from, `expected a value, got ${word.slice(0, 40)}`, this.at);
      }
    }
    if (depth > MOST_DEPTH) this.at = this.text.length;
    node.to = this.at;
    return node;
  }

  private list(node: Node, depth: number, close: string): void {
    node.kind = close === '}' ? 'object' : 'array';
    ++this.at;
    let comma = true;  // whether an entry may follow
    for (;;) {
      this.skip();
      const next = this.text[this.at];
      if (next === undefined) {
        this.fault(this.at, `expected ${close}`);
        break;
      }
      if (next === close) {
        if (comma && (node.properties.length > 0 || node.items.length > 0)) this.fault(this.at - 1, 'expected no comma before the end');
        ++this.at;
        break;
      }
      if (next === ',') {
        if (comma) this.fault(this.at, 'expected an entry before the comma');
        comma = true;
        ++this.at;
        continue;
      }
      if (next === '}' || next === ']') {  // of an outer list
        this.fault(this.at, `expected ${close}`);
        break;
      }
      if (!comma) this.fault(this.at, `expected , or ${close}`);
      comma = false;
      if (!(close === '}' ? this.property(node, depth) : this.item(node, depth))) ++this.at;
    }
    const plain = node.kind === 'object' ? Object.fromEntries(node.properties.map((one) => [one.name, one.value?.value])) : node.items.map((one) => one.value);
    node.value = plain;
  }

  private item(node: Node, depth: number): boolean {
    const found = this.value(depth + 1);
    if (found !== null) node.items.push(found);
    else this.fault(this.at, 'expected a value');
    return found !== null;
  }

  private property(node: Node, depth: number): boolean {
    if (this.text[this.at] !== '"') {
      this.fault(this.at, 'expected a name in quotes');
      LITERAL.lastIndex = this.at;
      this.at += LITERAL.exec(this.text)?.[0].length ?? 0;
      return this.at > 0 && this.text[this.at] !== ':' && this.text[this.at] !== '{' && this.text[this.at] !== '[';
    }
    const { value: name, from, to } = this.string();
    if (node.properties.some((one) => one.name === name)) this.fault(from, `${JSON.stringify(name)} is here twice`, to);
    const property: Property = { name, from, nameTo: to, to, value: null };
    node.properties.push(property);
    this.skip();
    if (this.text[this.at] !== ':') {
      this.fault(from, `expected : and a value after ${JSON.stringify(name)}`, to);
      return true;
    }
    ++this.at;
    property.value = this.value(depth + 1);
    if (property.value === null) this.fault(from, `expected a value of ${JSON.stringify(name)}`, to);
    property.to = this.at;
    return true;
  }
}

export function scan(text: string): Scanned {
  const scanner = new Scanner(text);
  const root = scanner.scan();
  return { root, faults: scanner.faults };
}

export type Path = (string | number)[];

// "/labels/a~1b" as a path.
export function pathOf(pointer: string): Path {
  return pointer.split('/').slice(1).map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'));
}

// What a JSON pointer names, or the nearest thing around it: a property from its name on, an entry of a list.
export function placeOf(root: Node | null, pointer: string): { from: number; to: number } {
  let place = { from: root?.from ?? 0, to: (root?.from ?? 0) + 1 };
  let node = root;
  for (const step of pathOf(pointer)) {
    const property = node?.properties.find((one) => one.name === step);
    const item = node?.kind === 'array' ? node.items[Number(step)] : undefined;
    if (property === undefined && item === undefined) break;
    place = property === undefined ? { from: item!.from, to: item!.to } : { from: property.from, to: property.to };
    node = property === undefined ? item! : property.value;
  }
  return place;
}

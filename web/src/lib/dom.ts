// DOM elements without a framework. Strings become text nodes: nothing from an agent is ever parsed as HTML.

type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value as EventListener);
    else if (name === 'class') element.className = String(value);
    else if (value === true) element.setAttribute(name, '');
    else element.setAttribute(name, String(value));
  }
  add(element, ...children);
  return element;
}

export function add(parent: Node, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replaceChildren(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  add(parent, ...children);
}

// Writes the text only if it differs, because each write costs a layout.
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

// A plain table.
export function table(caption: string, heads: (string | [string, string])[], rows: Child[][]): HTMLElement {
  const head = el('tr');
  const classes = heads.map((one) => (typeof one === 'string' ? '' : one[1]));
  for (const [i, one] of heads.entries()) {
    head.append(el('th', { scope: 'col', class: classes[i] }, typeof one === 'string' ? one : one[0]));
  }
  const body = el('tbody');
  for (const row of rows) {
    const line = el('tr');
    row.forEach((cell, i) => line.append(el('td', { class: classes[i] ?? '' }, cell)));
    body.append(line);
  }
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', {}, caption), el('thead', {}, head), body));
}

export function debounce(ms: number, call: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(call, ms);
  };
}

// What a person has chosen in Explore. The address holds all of it.
export type View = 'graph' | 'heat' | 'table';
export interface Choice { text: string; view: View; span: number; range: [number, number] | null }  // range null: the last `span` seconds

export const VIEWS: [View, string][] = [['graph', 'Graph'], ['table', 'Table'], ['heat', 'Heat map']];
export const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21_600], ['24 h', 86_400], ['7 d', 604_800]];
const SPAN = 3600;

export function choiceOf(parameters: URLSearchParams): Choice {
  const [from, to] = [Number(parameters.get('from')), Number(parameters.get('to'))];
  return {
    text: parameters.get('q') ?? '',
    view: VIEWS.find(([id]) => id === parameters.get('view'))?.[0] ?? 'graph',
    span: Math.max(Number(parameters.get('span')) || SPAN, 1),
    range: from > 0 && to > from ? [from, to] : null,
  };
}

export function parametersOf({ text, view, span, range }: Choice): Record<string, string> {
  return {
    ...(text.trim() === '' ? {} : { q: text.trim() }), ...(view === 'graph' ? {} : { view }), ...(span === SPAN ? {} : { span: String(span) }),
    ...(range === null ? {} : { from: range[0].toFixed(3), to: range[1].toFixed(3) }),
  };
}

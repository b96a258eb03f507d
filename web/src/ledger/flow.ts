// The flow picture: from what was made, through plugins and spool, to what is stored, with what leaves on the way.
// Computes places only; knows nothing of the DOM.
import { PARTS, PART_WORDS, type Part, type Reason, type Totals, type Unit } from './run';

export interface Exit { key: string; title: string; value: number; kind: Part }
export interface Stage { name: 'Plugins' | 'Spool' | 'Log'; exits: Exit[] }

const EARLY = ['collect', 'queue', 'plugin'];
const MOST_EXITS = 5;  // of one stage; further ones are shown together

const REASONS: Record<string, string> = {
  full: 'spool full', too_old: 'too old', damaged: 'damaged', too_large: 'too large', invalid: 'invalid', overflow: 'queue overflow', cardinality: 'too many series',
  filtered: 'filtered', unchanged: 'unchanged', rate_limited: 'rate limited', failed: 'failed',
};

export function titleOf({ stage, reason, plugin }: Pick<Reason, 'stage' | 'reason' | 'plugin'>): string {
  const word = REASONS[reason] ?? reason;
  if (plugin !== '') return `${word} by ${plugin}`;
  return stage === 'spool' || stage === 'plugin' || stage === 'queue' ? word : `${word} at ${stage}`;
}

function exitsOf(reasons: Reason[], unit: Unit): Exit[] {
  const exits = reasons.filter((one) => one[unit] > 0).map((one): Exit => ({ key: one.key, title: titleOf(one), value: one[unit], kind: 'dropped' })).sort((a, b) => b.value - a.value);
  if (exits.length <= MOST_EXITS) return exits;
  const rest = exits.slice(MOST_EXITS - 1);
  return [...exits.slice(0, MOST_EXITS - 1), { key: '', title: `${rest.length} other reasons`, value: rest.reduce((sum, one) => sum + one.value, 0), kind: 'dropped' }];
}

export function stagesOf(totals: Totals, reasons: Reason[], unit: Unit): Stage[] {
  const early = reasons.filter((one) => EARLY.includes(one.stage));
  const late = reasons.filter((one) => !EARLY.includes(one.stage));
  const others = PARTS.filter((part) => part !== 'stored' && part !== 'dropped' && totals[part] > 0).map((part): Exit => ({ key: part, title: PART_WORDS[part], value: totals[part], kind: part }));
  return [{ name: 'Plugins', exits: exitsOf(early, unit) }, { name: 'Spool', exits: [...exitsOf(late, unit), ...others.filter((one) => one.kind === 'waiting')] }, { name: 'Log', exits: others.filter((one) => one.kind !== 'waiting') }];
}

export interface Band { key: string; kind: Part | 'made'; path: string }
export interface Label { exit: Exit; x: number; y: number; share: number }
export interface Node { name: string; x: number; height: number }
export interface Picture { bands: Band[]; labels: Label[]; nodes: Node[]; height: number }

const TOP = 46;       // below the names of the nodes
const THICK = 96;     // of everything that was made
const THIN = 2;       // of the smallest amount
const ROW = 27;       // of an exit
const BEND = 34;
export const BAR = 6;  // width of a node

const r = (v: number) => Math.round(v * 10) / 10;

// A band from one vertical edge to another.
function ribbon(x0: number, top0: number, bottom0: number, x1: number, top1: number, bottom1: number): string {
  const middle = r((x0 + x1) / 2);
  return `M${r(x0)} ${r(top0)}C${middle} ${r(top0)} ${middle} ${r(top1)} ${r(x1)} ${r(top1)}L${r(x1)} ${r(bottom1)}C${middle} ${r(bottom1)} ${middle} ${r(bottom0)} ${r(x0)} ${r(bottom0)}Z`;
}

const spaceOf = (h: number) => Math.max(ROW, h + 8);

// About how wide the text beside an exit is.
export const widthOf = (exit: Exit) => exit.title.length * 6.6 + String(exit.value).length * 10 + 74;

// Where the exits of each stage begin. Those of a stage whose texts reach below the next one begin under that one's.
function rowsOf(stages: Stage[], places: number[], thick: (value: number) => number): number[] {
  const rows: number[] = [];
  let under = TOP + THICK + 22;
  let next = Infinity;
  for (let i = stages.length - 1; i >= 0; --i) {
    const { exits } = stages[i]!;
    const right = Math.max(0, ...exits.map((exit) => places[i]! + BAR + BEND + 7 + widthOf(exit)));
    rows[i] = right < next ? TOP + THICK + 22 : under;
    if (exits.length === 0) continue;
    under = Math.max(under, exits.reduce((sum, exit) => sum + spaceOf(thick(exit.value)), rows[i]!));
    next = places[i]!;
  }
  return rows;
}

export function pictureOf(totals: Totals, stages: Stage[], width: number): Picture {
  const thick = (value: number) => (value <= 0 ? 0 : THIN + (THICK - THIN) * Math.min(1, value / Math.max(1, totals.made)));
  const left = stages.map((_, i) => stages.slice(i).flatMap((one) => one.exits).reduce((sum, one) => sum + thick(one.value), thick(totals.stored)));
  const places = stages.map((_, i) => (width - BAR) * [0.27, 0.51, 0.75][i]!);
  const end = width - BAR;
  const picture: Picture = { bands: [], labels: [], nodes: [{ name: 'Made', x: 0, height: left[0]! }], height: 0 };
  const rows = rowsOf(stages, places, thick);
  let x = 0;
  stages.forEach((stage, i) => {
    const at = places[i]!;
    picture.bands.push({ key: '', kind: 'made', path: ribbon(x + BAR, TOP, TOP + left[i]!, at, TOP, TOP + left[i]!) });
    picture.nodes.push({ name: stage.name, x: at, height: left[i]! });
    let top = TOP + (left[i + 1] ?? thick(totals.stored));
    let row = rows[i]!;
    for (const exit of stage.exits) {
      const h = thick(exit.value);
      const space = spaceOf(h);
      const middle = row + space / 2;
      picture.bands.push({ key: exit.key, kind: exit.kind, path: ribbon(at + BAR, top, top + h, at + BAR + BEND, middle - h / 2, middle + h / 2) });
      picture.labels.push({ exit, x: at + BAR + BEND + 7, y: middle, share: exit.value / Math.max(1, totals.made) });
      top += h;
      row += space;
    }
    picture.height = Math.max(picture.height, row);
    x = at;
  });
  picture.bands.push({ key: 'stored', kind: 'stored', path: ribbon(x + BAR, TOP, TOP + thick(totals.stored), end, TOP, TOP + thick(totals.stored)) });
  picture.nodes.push({ name: 'Stored', x: end, height: thick(totals.stored) });
  picture.height = Math.max(picture.height, TOP + THICK + 8);
  return picture;
}

export { TOP };

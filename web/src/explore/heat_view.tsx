// The answer of a query as a heat map. Arrow keys and the pointer choose a cell, whose value is told.
import { useMemo, useRef, useState } from 'preact/hooks';
import { clock } from '../lib/format';
import { humanValue } from '../lib/human';
import { unitOf } from '../lib/prom_units';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { scaleColour } from '../ui/palette';
import { heatOf, rowHeight, shareOf, type Heat } from './heat';
import type { Row } from './query';

const LEVELS = Array.from({ length: 256 }, (_, i) => scaleColour(i / 255).match(/\d+/g)!.map(Number));
const LABEL_EVERY = 13;  // pixels: names must not overlap
const TICKS = 5;

// One pixel for each cell, stretched to the canvas.
function paint(canvas: HTMLCanvasElement, heat: Heat): void {
  canvas.width = heat.columns;
  canvas.height = heat.rows.length;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(heat.columns, heat.rows.length);
  heat.rows.forEach(({ values }, y) => values.forEach((v, x) => {
    if (v === null) return;
    const [r = 0, g = 0, b = 0] = LEVELS[Math.round(shareOf(heat, v) * 255)]!;
    image.data.set([r, g, b, 255], (y * heat.columns + x) * 4);
  }));
  context.putImageData(image, 0, 0);
}

interface Props { rows: Row[]; from: number; to: number; step: number; expression: string }

export function HeatMap({ rows, from, to, step, expression }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<[number, number] | null>(null);
  const heat = useMemo(() => heatOf(rows, from, to, step), [rows, from, to, step]);
  const [unit, metric] = unitOf(expression);
  const show = (v: number | null) => (heat.buckets ? String(v ?? '–') : humanValue(unit, metric, v));
  useEffect(() => paint(canvas.current!, heat), [heat, isDark()]);
  const height = rowHeight(heat.rows.length);
  const every = Math.ceil(LABEL_EVERY / height);
  const choose = (x: number, y: number) => setAt([Math.min(Math.max(x, 0), heat.columns - 1), Math.min(Math.max(y, 0), heat.rows.length - 1)]);
  const pointed = (event: MouseEvent) => choose(Math.floor((event.offsetX / canvas.current!.clientWidth) * heat.columns), Math.floor(event.offsetY / height));
  const onKey = (pressed: KeyboardEvent) => {
    const by = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, [number, number]>)[pressed.key];
    if (by === undefined) return;
    choose((at?.[0] ?? heat.columns - 1) + (at === null ? 0 : by[0]), (at?.[1] ?? 0) + (at === null ? 0 : by[1]));
    pressed.preventDefault();
    pressed.stopPropagation();
  };
  const chosen = at === null ? undefined : heat.rows[at[1]];
  const share = (x: number) => `${(x / heat.columns) * 100}%`;
  return (
    <figure class="panel heat">
      <figcaption class="map-legend"><span>{show(heat.least)}</span><i class="map-scale" /><span>{show(heat.most)}</span><small class="dim">{heat.buckets ? 'in each bucket' : ''}{heat.cut > 0 ? ` · ${heat.rows.length} of ${heat.rows.length + heat.cut} series` : ''}</small></figcaption>
      <div class="heat-scroll"><div class="heat-body">
        <ol class="heat-names" aria-hidden="true">{heat.rows.map(({ name }, i) => (i % every === 0 ? <li key={name} style={{ height: `${height * every}px`, lineHeight: `${Math.min(height * every, 20)}px` }}>{name}</li> : null))}</ol>
        <div class="heat-place" tabIndex={0} role="application" aria-label={`Heat map of ${heat.rows.length} rows: arrow keys choose a cell`} onKeyDown={onKey} onBlur={() => setAt(null)}>
          <canvas ref={canvas} aria-hidden="true" style={{ height: `${height * heat.rows.length}px` }} onMouseMove={pointed} onMouseLeave={() => setAt(null)} />
          {at !== null && <i class="heat-cell" style={{ left: share(at[0]), width: share(1), top: `${at[1] * height}px`, height: `${height}px` }} />}
          {chosen !== undefined && at !== null && (
            <div class={`map-tip heat-tip${at[0] > heat.columns / 2 ? ' is-left' : ''}`} role="status" style={{ [at[0] > heat.columns / 2 ? 'right' : 'left']: at[0] > heat.columns / 2 ? `${100 - ((at[0]) / heat.columns) * 100}%` : share(at[0] + 1), top: `${at[1] * height}px` }}>
              <b>{show(chosen.values[at[0]] ?? null)}</b><span>{chosen.name}</span><span class="dim">{clock(from + at[0] * step)}</span>
            </div>
          )}
        </div>
        <div class="heat-times dim" aria-hidden="true">{Array.from({ length: TICKS }, (_, i) => <span key={i}>{clock(from + ((to - from) * i) / (TICKS - 1)).slice(to - from > 86_400 ? 5 : 11, to - from > 86_400 ? 16 : 19)}</span>)}</div>
      </div></div>
    </figure>
  );
}

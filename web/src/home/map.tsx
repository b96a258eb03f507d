// The map: one cell for each host, coloured by a figure or by any metric.
import { useRef, useState } from 'preact/hooks';
import { go } from '../lib/page';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { scaleColour } from '../ui/palette';
import { cellAt, centre, gridOf, type Grid } from './hexes';
import type { Known } from '../state/fleet_model';

export interface Cell { known: Known; value: number | null; text: string }

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function hexagon(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.beginPath();
  for (let i = 0; i < 6; ++i) context.lineTo(x + r * Math.sin((i * Math.PI) / 3), y - r * Math.cos((i * Math.PI) / 3));
  context.closePath();
}

// The text, cut to a width.
function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let length = text.length - 1;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) --length;
  return `${text.slice(0, length)}…`;
}

function draw(canvas: HTMLCanvasElement, grid: Grid, cells: Cell[], most: number, chosen: number): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(grid.width * ratio);
  canvas.height = Math.round(grid.height * ratio);
  canvas.style.height = `${grid.height}px`;
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const [empty, ink, line] = [css('--hover'), css('--ink'), css('--line-strong')];
  cells.forEach((cell, i) => {
    const [x, y] = centre(grid, i);
    hexagon(context, x, y, grid.radius - 1.25);
    context.fillStyle = cell.value === null ? empty : scaleColour(cell.value / most);
    context.fill();
    context.lineWidth = i === chosen ? 2.5 : 1;
    context.strokeStyle = i === chosen ? ink : line;
    if (i === chosen || cell.value === null) context.stroke();
    if (grid.radius < 22 || cell.value === null) return;
    context.fillStyle = cell.value / most > 0.55 ? '#10151a' : '#ffffff';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const named = grid.radius >= 34;
    context.font = `600 ${Math.round(grid.radius * 0.36)}px system-ui, sans-serif`;
    context.fillText(cell.text.replace(' ', ''), x, named ? y - grid.radius * 0.1 : y);
    if (!named) return;
    context.font = `${Math.max(11, Math.round(grid.radius * 0.22))}px system-ui, sans-serif`;
    context.fillText(fitted(context, cell.known.row.agent, grid.radius * 1.55), x, y + grid.radius * 0.28);
  });
}

export function HostMap({ cells, most, scale }: { cells: Cell[]; most: number; scale: [string, string] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  const [chosen, setChosen] = useState(-1);
  const dark = isDark();
  const grid = gridOf(cells.length, size[0], size[1]);
  useEffect(() => {
    const element = place.current!;
    const resized = new ResizeObserver(() => setSize([element.clientWidth, element.clientHeight]));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useEffect(() => { if (size[0] > 0) draw(canvas.current!, grid, cells, most, chosen); }, [cells, most, chosen, size[0], size[1], dark]);
  const at = (event: MouseEvent) => cellAt(grid, event.offsetX, event.offsetY);
  const open = (i: number) => { if (cells[i] !== undefined) go('agent', { agents: cells[i]!.known.row.agent }); };
  const onKey = (pressed: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns }[pressed.key];
    if (by !== undefined) setChosen(Math.min(Math.max(chosen + by, 0), cells.length - 1));
    else if (pressed.key === 'Enter') open(chosen);
    else return;
    pressed.preventDefault();
    pressed.stopPropagation();
  };
  const cell = cells[chosen];
  const [x, y] = cell === undefined ? [0, 0] : centre(grid, chosen);
  return (
    <div class="map">
      <div class="map-legend"><span>{scale[0]}</span><i class="map-scale" /><span>{scale[1]}</span></div>
      <div ref={place} class="map-place" tabIndex={0} role="application" aria-label="Map of hosts: arrow keys choose one, Enter opens it" onKeyDown={onKey}>
        <canvas ref={canvas} aria-hidden="true" onMouseMove={(event) => setChosen(at(event))} onMouseLeave={() => setChosen(-1)} onClick={(event) => open(at(event))} />
        {cell !== undefined && (
          <div class="map-tip" role="status" style={{ left: `${Math.min(x, size[0] - 170)}px`, top: `${y + grid.radius + 4}px` }}>
            <b>{cell.known.row.agent}</b><span>{cell.text}</span><span class="dim">{cell.known.row.health} · {cell.known.row.host}</span>
          </div>
        )}
      </div>
    </div>
  );
}

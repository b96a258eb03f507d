// The flow picture. On a narrow screen it is a list of bars with the same amounts.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { count } from '../lib/format';
import { share } from '../lib/shown';
import { BAR, pictureOf, stagesOf, TOP, widthOf, type Exit, type Stage } from './flow';
import type { Reason, Totals, Unit } from './run';

interface Props { totals: Totals; reasons: Reason[]; unit: Unit; chosen: string; choose: (key: string) => void }

const NODE_TEXT: Record<string, string> = { Made: 'by collectors', Plugins: 'and what is before them', Spool: 'of the agent', Log: '', Stored: 'in the log' };

function useWidth() {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(960);
  useLayoutEffect(() => {
    const measured = new ResizeObserver(([entry]) => { if (entry !== undefined && entry.contentRect.width > 0) setWidth(Math.round(entry.contentRect.width)); });
    measured.observe(place.current!);
    return () => measured.disconnect();
  }, []);
  return { place, width };
}

const pressed = (event: KeyboardEvent, call: () => void) => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  call();
};

function ExitLabel({ exit, x, y, part, chosen, choose }: { exit: Exit; x: number; y: number; part: number; chosen: string; choose: (key: string) => void }) {
  const text = <text x={x} y={y + 4}>{exit.title}<tspan class="flow-value" dx="8">{count(exit.value)}</tspan><tspan class="flow-share" dx="8">{share(part)}</tspan></text>;
  if (exit.key === '') return text;
  const toggle = () => choose(chosen === exit.key ? '' : exit.key);
  return (
    <g class="flow-exit" role="button" tabIndex={0} aria-pressed={chosen === exit.key} aria-label={`${exit.title}: ${count(exit.value)}. Show only runs with it`} data-reason={exit.key} data-value={exit.value} onClick={toggle} onKeyDown={(event) => pressed(event, toggle)}>
      <rect x={x - 5} y={y - 11} width={widthOf(exit)} height={22} rx="5" />{text}
    </g>
  );
}

function Wide({ totals, stages, width, chosen, choose }: Omit<Props, 'reasons' | 'unit'> & { stages: Stage[]; width: number }) {
  const picture = pictureOf(totals, stages, width);
  const ends: Record<string, number> = { Made: totals.made, Stored: totals.stored };
  return (
    <svg class="flow" width={width} height={picture.height} viewBox={`0 0 ${width} ${picture.height}`} role="group" aria-label={`Of ${count(totals.made)} made, ${count(totals.stored)} are stored`}>
      {picture.bands.map((band, i) => <path key={i} d={band.path} class={`band is-${band.kind}${chosen !== '' && band.key !== chosen ? ' is-aside' : ''}`} />)}
      {picture.nodes.map((node) => {
        const last = node.name === 'Stored';
        return (
          <g key={node.name} class="flow-node" data-node={node.name} data-value={ends[node.name]}>
            <rect x={node.x} y={TOP - 2} width={BAR} height={node.height + 4} rx="2" />
            <text x={last ? node.x + BAR : node.x} y={16} text-anchor={last ? 'end' : 'start'}><tspan class="flow-name">{node.name}</tspan>{ends[node.name] !== undefined && <tspan class="flow-value" dx="8">{count(ends[node.name]!)}</tspan>}</text>
            <text x={last ? node.x + BAR : node.x} y={33} text-anchor={last ? 'end' : 'start'} class="flow-share">{last && totals.made > 0 ? `${share(totals.stored / totals.made)} of what was made` : NODE_TEXT[node.name]}</text>
          </g>
        );
      })}
      {picture.labels.map((label) => <ExitLabel key={label.exit.title} exit={label.exit} x={label.x} y={label.y} part={label.share} chosen={chosen} choose={choose} />)}
    </svg>
  );
}

function Narrow({ totals, stages, chosen, choose }: Omit<Props, 'reasons' | 'unit'> & { stages: Stage[] }) {
  const row = (title: string, value: number, kind: string, key: string) => (
    <li key={title} class={`flow-row is-${kind}`}>
      {key === '' ? <span>{title}</span> : <button class="plain" aria-pressed={chosen === key} onClick={() => choose(chosen === key ? '' : key)}>{title}</button>}
      <b>{count(value)}</b>
      <meter min={0} max={Math.max(1, totals.made)} value={value} aria-label={title} />
    </li>
  );
  return (
    <ul class="flow-list">
      {row('Made', totals.made, 'made', '')}
      {stages.flatMap((stage) => stage.exits.map((exit) => row(`${stage.name}: ${exit.title}`, exit.value, exit.kind, exit.key)))}
      {row('Stored', totals.stored, 'stored', '')}
    </ul>
  );
}

const NARROW = 700;

export function FlowPicture({ totals, reasons, unit, chosen, choose }: Props) {
  const { place, width } = useWidth();
  const stages = stagesOf(totals, reasons, unit);
  return (
    <div class="flow-place" ref={place}>
      {width < NARROW ? <Narrow totals={totals} stages={stages} chosen={chosen} choose={choose} /> : <Wide totals={totals} stages={stages} width={width} chosen={chosen} choose={choose} />}
    </div>
  );
}

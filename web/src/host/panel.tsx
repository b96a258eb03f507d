// One chart with its title, its explanation and what can be done with it.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { link } from '../lib/page';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Icon, type IconName } from '../ui/icon';
import { lineColour } from '../ui/palette';
import { Chart, MOST_LINES } from './chart';
import { csvOf, fileName, imageOf, save } from './export';
import type { HostModel } from './model';
import type { Panel } from './panels';

function Tool({ icon, label, run, pressed }: { icon: IconName; label: string; run: () => void; pressed?: boolean }): ComponentChildren {
  return <button class="quiet tool" aria-label={label} title={label} aria-pressed={pressed} onClick={run}><Icon name={icon} size={14} /></button>;
}

function Tools({ panel, model, chart, whole, setWhole }: { panel: Panel; model: HostModel; chart: { current: Chart | null }; whole: boolean; setWhole: (whole: boolean) => void }) {
  const [said, setSaid] = useState('');
  const { title, metric } = panel.spec;
  const say = (text: string) => {
    setSaid(text);
    window.setTimeout(() => setSaid(''), 2500);
  };
  const image = async () => {
    const canvas = chart.current?.canvas;
    const labels = panel.lines.slice(0, 8).map((line, i) => ({ text: line.label, colour: lineColour(i, isDark()) }));
    const blob = canvas === null || canvas === undefined ? null : await imageOf(canvas, `${title} · ${model.agents.value.join(', ')}`, labels);
    if (blob === null) return;
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
      say('Image copied');
    } catch {
      save(fileName(metric, model.agents.value, 'png'), blob);  // the browser forbids the clipboard
      say('Image saved');
    }
  };
  const address = async () => {
    const url = new URL(link('agent', model.lasting(metric)), location.href).href;
    try {
      await navigator.clipboard.writeText(url);
      say('Link copied');
    } catch {
      location.href = url;
    }
  };
  const csv = () => {
    save(fileName(metric, model.agents.value, 'csv'), new Blob([csvOf([...panel.lines, ...panel.past])], { type: 'text/csv' }));
    say('CSV saved');
  };
  return (
    <span class="panel-tools">
      <span class="dim" role="status">{said}</span>
      <Tool icon="image" label={`Copy ${title} as an image`} run={() => void image()} />
      <Tool icon="download" label={`Save ${title} as CSV`} run={csv} />
      <Tool icon="link" label={`Copy a link to ${title}`} run={() => void address()} />
      <Tool icon={whole ? 'close' : 'full'} label={whole ? 'Leave full screen' : `Show ${title} in full screen`} pressed={whole} run={() => setWhole(!whole)} />
    </span>
  );
}

export function PanelView({ panel, model }: { panel: Panel; model: HostModel }) {
  void model.panels.version.value;
  const element = useRef<HTMLElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const [whole, setWhole] = useState(false);
  const { title, metric, by, description, unit, mode } = panel.spec;
  useEffect(() => {
    const made = new Chart(host.current!, { unit, metric, mode }, (from, to) => model.move(() => { model.range.fixed = [from, to]; }), () => model.move(() => model.range.goLive()), () => model.marks.value);
    chart.current = made;
    const seen = new IntersectionObserver((entries) => model.panels.attach(panel, made, entries[entries.length - 1]!.isIntersecting), { rootMargin: '100px' });
    const resized = new ResizeObserver(() => made.resize());
    seen.observe(element.current!);
    resized.observe(host.current!);
    return () => {
      seen.disconnect();
      resized.disconnect();
      model.panels.attach(panel, null, false);
      made.close();
    };
  }, [panel, unit, metric, mode]);
  useEffect(() => {
    chart.current?.resize();
    if (!whole) return undefined;
    const leave = (pressed: KeyboardEvent) => { if (pressed.key === 'Escape') setWhole(false); };  // wherever the focus is
    document.addEventListener('keydown', leave);
    return () => document.removeEventListener('keydown', leave);
  }, [whole]);
  const more = panel.lines.length > MOST_LINES ? ` · ${MOST_LINES} of ${panel.lines.length} lines` : '';
  return (
    <figure ref={element} class={`panel${whole ? ' is-whole' : ''}`} data-metric={metric} data-by={by}>
      <figcaption>
        <strong>{title}</strong>{title === metric ? null : <small>{metric}</small>}<small>{more}</small>
        <Tools panel={panel} model={model} chart={chart} whole={whole} setWhole={setWhole} />
        {description !== '' && <p title={description}>{description}</p>}
      </figcaption>
      <div ref={host} class="plot" />
    </figure>
  );
}

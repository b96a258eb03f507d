// The page of one or several hosts: figures, what happened, and a chart of every metric, in sections.
import { effect } from '@preact/signals';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { link } from '../lib/page';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { isDark, settings } from '../state/settings';
import { Loading, Skeleton } from '../ui/states';
import { Containers } from './container_table';
import { Controls } from './controls';
import { Facts } from './facts';
import { Filesystems } from './filesystems';
import { MarkStrip } from './mark_strip';
import { HostModel } from './model';
import { PanelView } from './panel';
import { Processes } from './process_table';
import { SECTIONS } from './sections';
import { Sensors } from './sensor_table';
import { Strip } from './strip';

function onKey(model: HostModel, pressed: KeyboardEvent): boolean {
  const { range } = model;
  const moves: Record<string, () => void> = { ArrowLeft: () => range.pan(-0.5), ArrowRight: () => range.pan(0.5), '+': () => range.zoomIn(), '=': () => range.zoomIn(), '-': () => range.zoomOut(), 0: () => range.goLive() };
  const move = moves[pressed.key];
  if (pressed.key === '/') document.querySelector<HTMLElement>('.agent-field')?.focus();
  else if (move !== undefined) model.move(move);
  else return false;
  return true;
}

// The tools stay in sight, in one row or more: the section begins below them.
function jumpTo(section: HTMLElement | null, tools: HTMLElement | null): void {
  if (section === null) return;
  const covered = tools !== null && getComputedStyle(tools).position === 'sticky' ? tools.offsetHeight : 0;
  section.style.scrollMarginTop = `${covered + 8}px`;
  section.scrollIntoView({ behavior: 'smooth', block: 'start' });
}

function Sections({ model }: { model: HostModel }) {
  const panels = model.panels.shown.value.filter((one) => !one.spec.same || model.metric.value !== '');
  // The section of processes is there without any as well: it says how to collect them.
  const always = model.metric.value === '' && model.agents.value.length === 1 && panels.length > 0 ? 'process' : '';
  const sections = SECTIONS.filter(([id]) => id === always || panels.some((one) => one.spec.section === id));
  const jump = (id: string) => jumpTo(document.getElementById(`section-${id}`), document.querySelector('.host-tools'));
  return (
    <>
      {sections.length > 1 && <div class="jumps" role="group" aria-label="Sections">{sections.map(([id, title]) => <button key={id} class="quiet" onClick={() => jump(id)}>{title}</button>)}</div>}
      {sections.map(([id, title]) => (
        <section key={id} id={`section-${id}`} class="host-section" aria-label={title}>
          <h2>{title}</h2>
          {id === 'filesystem' && <Filesystems model={model} />}
          {id === 'process' && <Processes model={model} />}
          {id === 'container' && <Containers model={model} />}
          {id === 'sensor' && <Sensors model={model} />}
          <div class={panels.length === 1 ? 'charts is-single' : 'charts'}>{panels.filter((one) => one.spec.section === id).map((one) => <PanelView key={one.key} panel={one} model={model} />)}</div>
        </section>
      ))}
    </>
  );
}

function Choose({ model }: { model: HostModel }) {
  return (
    <div class="charts">
      <ul class="list">{model.names.value.slice(0, 200).map((name) => <li key={name}><a href={link('agent', { agents: name })}>{name}</a></li>)}</ul>
    </div>
  );
}

export default function HostPage({ parameters }: PageProps) {
  const model = useMemo(() => new HostModel(), []);
  useLayoutEffect(() => {
    model.start(parameters);
    const forget = setActions({ key: (pressed) => onKey(model, pressed) });
    const stop = effect(() => {
      isDark();
      void settings.zone.value;
      void settings.network.value;
      model.panels.redraw();
    });
    return () => {
      stop();
      forget();
      model.close();
    };
  }, []);
  useNewParameters(parameters, (next) => model.update(next));
  const chosen = model.agents.value.length > 0;
  return (
    <section class="agent">
      <h1 class="visually-hidden">Hosts</h1>
      <Controls model={model} />
      <Facts model={model} />
      <p class="dim info" role="status">{model.info.value}</p>
      {!chosen && <Choose model={model} />}
      {chosen && !model.loaded.value && model.info.value === '' && <Loading what="the charts"><div class="charts"><Skeleton shape="chart" many={4} /></div></Loading>}
      {chosen && <><Strip model={model} /><MarkStrip model={model} /><Sections model={model} /></>}
    </section>
  );
}

// Which agents, which metrics, which time.
import { useRef } from 'preact/hooks';
import { debounce } from '../lib/debounce';
import { Combobox } from '../ui/combobox';
import { Icon, type IconName } from '../ui/icon';
import type { HostModel } from './model';

const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21600], ['24 h', 86400], ['7 d', 604800], ['30 d', 2592000]];
const EARLIER: [number, string][] = [[0, 'No other time'], [3600, '1 hour earlier'], [86400, 'Yesterday'], [604800, 'A week earlier']];

function Agents({ model }: { model: HostModel }) {
  const agents = model.agents.value;
  const pick = async (name: string) => ((await model.add(name)) ? '' : `Unknown agent: ${name}`);
  return (
    <>
      <div class="chips">
        {agents.map((name) => <span key={name} class="chip">{name}{agents.length > 1 && <button aria-label={`Remove ${name}`} onClick={() => model.remove(name)}><Icon name="close" size={10} /></button>}</span>)}
      </div>
      <Combobox names={model.names.value.filter((name) => !agents.includes(name))} class="agent-field" label="Add an agent" placeholder={agents.length === 0 ? 'Choose a host  /' : 'Compare with a host  /'} pick={pick} />
    </>
  );
}

function Step({ icon, label, keys, run }: { icon: IconName; label: string; keys: string; run: () => void }) {
  return <button aria-label={label} title={`${label}  ${keys}`} onClick={run}><Icon name={icon} size={14} /></button>;
}

function Time({ model }: { model: HostModel }) {
  void model.moved.value;
  const { range } = model;
  return (
    <>
      <div class="group">
        <Step icon="left" label="Earlier" keys="←" run={() => model.move(() => range.pan(-0.5))} />
        <Step icon="plus" label="Zoom in" keys="+" run={() => model.move(() => range.zoomIn())} />
        <Step icon="minus" label="Zoom out" keys="-" run={() => model.move(() => range.zoomOut())} />
        <Step icon="right" label="Later" keys="→" run={() => model.move(() => range.pan(0.5))} />
      </div>
      <div class="group spans" role="group" aria-label="Time">
        {SPANS.map(([label, seconds]) => <button key={label} aria-pressed={range.live && seconds === range.span} onClick={() => model.move(() => range.goLive(seconds))}>{label}</button>)}
      </div>
      <button class="live" aria-pressed={range.live} title={range.live ? 'New values appear as they arrive' : 'Paused: you look at the past'} onClick={() => model.move(() => range.goLive())}>Live</button>
    </>
  );
}

export function Controls({ model }: { model: HostModel }) {
  const filter = useRef(debounce(400, () => undefined));
  const typed = (text: string) => {
    filter.current = debounce(400, () => model.filter(text.trim()));
    filter.current();
  };
  return (
    <div class="tools host-tools">
      <Agents model={model} />
      <MetricField value={model.metric.value} typed={typed} />
      <label class="select"><span class="visually-hidden">Compare with</span>
        <select value={String(model.earlier.value)} onChange={(event) => model.compareWith(Number(event.currentTarget.value))}>{EARLIER.map(([seconds, word]) => <option key={seconds} value={String(seconds)}>{word}</option>)}</select>
      </label>
      <span class="grow" />
      <Time model={model} />
    </div>
  );
}

function MetricField({ value, typed }: { value: string; typed: (text: string) => void }) {
  return <input type="search" class="metric-field" defaultValue={value} placeholder="Metrics, e.g. system.cpu.*" aria-label="Metrics" onInput={(event) => typed(event.currentTarget.value)} />;
}

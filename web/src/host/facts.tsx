// One line of facts for each of the chosen agents.
import { age } from '../lib/format';
import { humanValue } from '../lib/human';
import { byteRate } from '../lib/shown';
import { AgentLinks } from '../home/problem_list';
import type { AgentRow } from '../lib/api';
import type { Fact, HostModel } from './model';

const FIGURES = ['CPU', 'Memory', 'Disk read', 'Disk write', 'Net in', 'Net out'];

function Figures({ figures }: { figures: (number | null)[] }) {
  return (
    <>
      {figures.map((v, i) => v !== null && (
        <span key={FIGURES[i]} class="figure" data-figure={FIGURES[i]} data-value={v}>{FIGURES[i]} <b>{i < 2 ? humanValue('1', 'utilization', v) : byteRate(v, i > 3)}</b></span>
      ))}
    </>
  );
}

function Known({ row, figures }: { row: AgentRow; figures: boolean }) {
  const { agent, host, version, revision, interval, health, why, clock_error: off, other_host: other, labels } = row;
  return (
    <div class={`fact is-${health}`} data-agent={agent}>
      <span class="state" title={why}><i class="dot" />{health}</span>
      <b>{agent}</b>
      <span class="dim">{host}</span><span class="dim">v{version}</span><span class="dim">revision {revision}</span>
      {interval !== null && <span class="dim">every {age(interval)}</span>}
      {Object.entries(labels).map(([name, value]) => <span key={name} class="tag">{name}={value}</span>)}
      {off !== 0 && <span class="warn">clock {age(Math.abs(off))} {off > 0 ? 'ahead' : 'behind'}: shown at the log's time</span>}
      {other !== '' && <span class="warn">another host, {other}, uses this id</span>}
      {why !== '' && <span class={health === 'stopped' ? 'dim' : 'warn'}>{why}</span>}
      {row.unusual !== null && row.unusual.unusual > 0 && <span class="pill is-unusual">{row.unusual.unusual} of {row.unusual.series} series unusual</span>}
      {row.problems.map((one) => <span key={one} class="warn">{one}</span>)}
      {figures && <Figures figures={row.figures} />}
      <AgentLinks agent={agent} />
    </div>
  );
}

export function Facts({ model }: { model: HostModel }) {
  const facts: Fact[] = model.facts.value;
  return (
    <div class="facts">
      {facts.map(({ agent, row, fault }) => (row === null
        ? <div key={agent} class="fact" data-agent={agent}><b>{agent}</b><span class="warn">{fault}</span></div>
        : <Known key={agent} row={row} figures={facts.length > 1} />))}
    </div>
  );
}

// The strip of figures above the charts: now, least, most and 95th percentile of the chosen range.
import { shownValue } from '../lib/shown';
import type { Line } from './lines';
import type { HostModel } from './model';
import { figuresOf, WANTED, type Wanted } from './summary';

function find(model: HostModel, wanted: Wanted): { line: Line; unit: string } | null {
  for (const panel of model.panels.shown.value) {
    for (let i = 0; i < panel.lines.length; ++i) {
      const { series } = panel.spec.series[i]!;
      const labels = Object.entries(series.labels);
      if (series.metric === wanted.metric && labels.length === Object.keys(wanted.labels).length && labels.every(([name, value]) => wanted.labels[name] === value)) return { line: panel.lines[i]!, unit: series.unit };
    }
  }
  return null;
}

export function Strip({ model }: { model: HostModel }) {
  void model.panels.version.value;
  void model.second.value;
  const [agent, ...others] = model.agents.value;
  if (agent === undefined || others.length > 0 || model.panels.shown.value.length === 0) return null;  // several have their figures in their facts
  return (
    <div class="strip" role="group" tabIndex={0} aria-label="Figures of the range" data-agent={agent}>
      {WANTED.map((wanted) => {
        const found = find(model, wanted);
        const figures = found === null ? null : figuresOf(found.line);
        if (found === null || figures === null) return null;
        const show = (v: number | null) => shownValue(found.unit, wanted.metric, v);
        return (
          <div key={wanted.key} class="strip-part" data-figure={wanted.title} data-value={figures.now ?? ''}>
            <span class="tile-label">{wanted.title}</span><strong>{show(figures.now)}</strong>
            <dl><dt>min</dt><dd>{show(figures.min)}</dd><dt>max</dt><dd>{show(figures.max)}</dd><dt>p95</dt><dd>{show(figures.p95)}</dd></dl>
          </div>
        );
      })}
    </div>
  );
}

// What happened in the shown range, on a line of time above the charts.
import { clock } from '../lib/format';
import { Icon, type IconName } from '../ui/icon';
import { share } from '../lib/shown';
import { effectOf, type Mark } from './marks';
import type { HostModel } from './model';

const ICONS: Record<Mark['kind'], IconName> = { alert: 'alerts', config: 'config', rollout: 'rollout', restart: 'play', late: 'clock', gap: 'warn' };
const WORDS: Record<Mark['kind'], string> = { alert: 'Alert', config: 'Configuration', rollout: 'Rollout', restart: 'Restart', late: 'Late data', gap: 'Gap' };

// Also what a change did: an operator who looks at it asks for that.
function textOf(model: HostModel, one: Mark): string {
  const whose = model.agents.value.length > 1 && one.agent !== '' ? `${one.agent} ` : '';
  const effect = one.kind === 'config' || one.kind === 'rollout' || one.kind === 'restart' ? effectOf(model.panels.shown.value, one) : null;
  const then = effect === null ? '' : ` · CPU ${share(effect.before)} before, ${share(effect.after)} after (means of up to 5 min)`;
  return `${WORDS[one.kind]} at ${clock(one.at)}: ${whose}${one.text}${then}`;
}

export function MarkStrip({ model }: { model: HostModel }) {
  void model.second.value;
  void model.moved.value;
  const marks = model.marks.value;
  if (marks.length === 0) return null;
  const [from, to] = model.range.bounds();
  const at = (time: number) => Math.min(Math.max(((time - from) / (to - from)) * 100, 0), 100);
  return (
    <ol class="marks" aria-label="What happened">
      {marks.filter((one) => one.at < to && (one.to ?? (one.kind === 'alert' ? to : one.at)) >= from).map((one) => {
        const text = textOf(model, one);
        const end = one.to ?? (one.kind === 'alert' ? to : one.at);
        return (
          <li key={`${one.kind} ${one.at} ${one.agent} ${one.text}`} class={`mark-of is-${one.kind}`} style={{ left: `${at(one.at)}%`, width: `${at(end) - at(one.at)}%` }}>
            <span class="mark-icon" tabIndex={0} role="img" aria-label={text} data-tip={text}><Icon name={ICONS[one.kind]} size={12} /></span>
          </li>
        );
      })}
    </ol>
  );
}

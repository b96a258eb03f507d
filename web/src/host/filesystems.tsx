// The filesystems of one host as a table: what charts of many lines hide is which one is full.
import { humanValue } from '../lib/human';
import type { HostModel } from './model';

const LABEL = 'system.filesystem.mountpoint';

interface Row { mount: string; used: number | null; share: number | null; inodes: number | null }

export function rowsOf(model: HostModel): Row[] {
  const rows = new Map<string, Row>();
  for (const panel of model.panels.shown.value) {
    panel.spec.series.forEach(({ series }, i) => {
      const mount = series.labels[LABEL];
      const values = panel.lines[i]?.values ?? [];
      const now = values[values.length - 1] ?? null;
      if (mount === undefined) return;
      const row = rows.get(mount) ?? { mount, used: null, share: null, inodes: null };
      if (series.metric === 'system.filesystem.usage') row.used = now;
      else if (series.metric === 'system.filesystem.utilization') row.share = now;
      else if (series.metric === 'system.filesystem.inodes.utilization') row.inodes = now;
      rows.set(mount, row);
    });
  }
  return [...rows.values()].sort((a, b) => (b.share ?? 0) - (a.share ?? 0));
}

export function Filesystems({ model }: { model: HostModel }) {
  void model.panels.version.value;
  void model.second.value;
  const rows = rowsOf(model);
  if (model.agents.value.length !== 1 || rows.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Filesystems">
      <table class="filesystems">
        <caption>Filesystems</caption>
        <thead><tr><th scope="col">Mount point</th><th scope="col" class="num">Used</th><th scope="col">Share</th><th scope="col" class="num">Inodes</th></tr></thead>
        <tbody>
          {rows.map(({ mount, used, share, inodes }) => (
            <tr key={mount}>
              <td>{mount}</td><td class="num">{humanValue('By', '', used)}</td>
              <td class="bar-cell"><span class={`bar${(share ?? 0) >= 0.9 ? ' is-full' : ''}`}><i style={{ width: `${Math.min((share ?? 0) * 100, 100)}%` }} /></span>{humanValue('1', 'utilization', share)}</td>
              <td class="num">{humanValue('1', 'utilization', inodes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// The sensors of one host as a table.
import type { HostModel } from './model';
import { beyond, sensorRows, sensorText } from './sensors';

export function Sensors({ model }: { model: HostModel }) {
  void model.panels.version.value;
  void model.second.value;
  if (model.agents.value.length !== 1) return null;
  const rows = sensorRows(model.panels.shown.value);
  if (rows.length === 0) return null;
  const limits = rows.some((row) => row.low !== null || row.high !== null);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sensors">
      <table class="processes sensors">
        <caption>Newest value of each sensor{limits ? '; a limit is the one that is reached first' : ''}.</caption>
        <thead><tr><th scope="col">Sensor</th><th scope="col">Chip</th><th scope="col">Kind</th><th scope="col" class="num">Value</th>{limits && <><th scope="col" class="num">Low</th><th scope="col" class="num">High</th></>}<th scope="col">State</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.kind} ${row.id}`} data-sensor={row.id} title={row.id}>
              <td>{row.name}</td><td>{row.chip}</td><td>{row.kind}</td><td class="num">{sensorText(row, row.value)}</td>
              {limits && <><td class="num">{sensorText(row, row.low)}</td><td class="num">{sensorText(row, row.high)}</td></>}
              <td>{beyond(row) ? <strong>beyond its limit</strong> : row.low === null && row.high === null ? '' : 'ok'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

import { assert, test } from 'vitest';
import type { Series } from '../lib/api';
import { lineOf } from './lines';
import { sectionOf, specsOf } from './sections';
import { beyond, sensorRows, sensorText } from './sensors';

const of = (metric: string, labels: Record<string, string>, values: number[], times = [1, 2]): Series => ({ agent: 'a', metric, labels, unit: 'Cel', kind: 'gauge', times, values });
const panels = (series: Series[]) => specsOf({ series, metrics: {} }, 1).map((spec) => ({ spec, lines: spec.series.map((one) => lineOf(one.series, one.label, '', false)) }));
const core = { 'hw.id': 'coretemp:coretemp.0:temp1', 'hw.name': 'Package id 0', 'hw.parent': 'coretemp' };
const fan = { 'hw.id': 'nct:nct.1:fan1', 'hw.name': 'fan1', 'hw.parent': 'nct' };

test('rows have the newest value and the limit that is reached first', () => {
  const rows = sensorRows(panels([
    of('hw.fan.speed', fan, [1, 1205]), of('hw.temperature', core, [40, 81.25]), of('hw.energy', core, [1, 2]),
    of('hw.temperature.limit', { ...core, 'hw.limit_type': 'high.critical' }, [100, 100]), of('hw.temperature.limit', { ...core, 'hw.limit_type': 'high.degraded' }, [80, 80]),
    of('hw.fan.speed.limit', { ...fan, 'hw.limit_type': 'low.degraded' }, [300, 300])]));
  assert.deepEqual(rows.map((row) => [row.name, row.chip, row.kind, sensorText(row, row.value), row.low, row.high, beyond(row)]), [
    ['Package id 0', 'coretemp', 'Temperature', '81.3 °C', null, 80, true], ['fan1', 'nct', 'Fan', '1205 rpm', 300, null, false]]);
  assert.equal(sectionOf('hw.temperature'), 'sensor');
});

test('a sensor that is gone has no row, and a limit of 0 is none', () => {
  const rows = sensorRows(panels([of('hw.temperature', core, [40], [1]), of('hw.voltage', fan, [1, 2]), of('hw.voltage.limit', { ...fan, 'hw.limit_type': 'high.degraded' }, [0, 0])]));
  assert.deepEqual(rows.map((row) => [row.kind, beyond(row)]), [['Voltage', false]]);
});

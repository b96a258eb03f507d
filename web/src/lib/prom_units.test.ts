import { assert, test } from 'vitest';
import { unitOf } from './prom_units';

test('units are read from the names in an expression', () => {
  assert.deepEqual(unitOf('avg by (agent) (system_cpu_utilization_ratio)'), ['1', 'utilization']);
  assert.deepEqual(unitOf('sum(system_network_io_rate_bytes_per_second)'), ['By/s', 'system.network.io.rate']);
  assert.deepEqual(unitOf('system_memory_usage_bytes'), ['By', '']);
  assert.deepEqual(unitOf('system_uptime_seconds'), ['s', '']);
  assert.deepEqual(unitOf('count(system_memory_usage_bytes)'), ['', '']);
  assert.deepEqual(unitOf('system_cpu_load_average_1m_ratio'), ['', '']);
});

// The unit of an expression, by the names in it: Prometheus writes units into names.

// The unit, and a name by which shares and network rates are recognized.
export function unitOf(expression: string): [unit: string, name: string] {
  if (/^\s*(count|group|changes|resets|absent)\b/.test(expression)) return ['', ''];
  if (/_bytes_per_second\b/.test(expression)) return ['By/s', /system_network/.test(expression) ? 'system.network.io.rate' : ''];
  if (/_bytes\b/.test(expression)) return ['By', ''];
  if (/load_average\w*_ratio\b/.test(expression)) return ['', ''];
  if (/_ratio\b/.test(expression)) return ['1', 'utilization'];
  if (/seconds\b/.test(expression)) return ['s', ''];
  return ['', ''];
}

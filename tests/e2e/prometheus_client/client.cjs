// Asks a server with the HTTP client of Prometheus' own page, and prints what it got as JSON.
//   node client.cjs URL GET|POST METRIC
const { HTTPPrometheusClient } = require('@prometheus-io/codemirror-promql/dist/cjs/client/prometheus.js');

const [url, httpMethod, metric] = process.argv.slice(2);
const errors = [];
const client = new HTTPPrometheusClient({ url, httpMethod, lookbackInterval: 3600000, httpErrorHandler: (error) => errors.push(String(error)) });

(async () => {
  const answers = {
    names: await client.metricNames(),
    labels: await client.labelNames(metric),
    values: await client.labelValues('agent', metric, []),
    series: await client.series(metric, [], 'agent'),
    metadata: await client.metricMetadata(),
    flags: await client.flags(),
  };
  const before = errors.length;
  await client.labelNames('{');
  console.log(JSON.stringify({ ...answers, errors: errors.slice(0, before), wrong: errors.slice(before) }));
})();

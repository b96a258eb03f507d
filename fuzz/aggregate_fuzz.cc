// State that comes from outside: the sketch, and the windows in a reader's snapshot, which anyone with write access to
// the log's Kafka can forge. What parses must survive a round trip, take more values, be emitted and printed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "metrics/batch.h"
#include "sketch/ddsketch.h"
#include "ui/aggregate/format.h"
#include "views/aggregate/aggregate_view.h"

namespace {

using namespace monitor;
using namespace monitor::analysis;

void try_sketch(std::string_view bytes) {
  auto sketch = sketch::DDSketch::decode(bytes);
  if (!sketch) return;
  std::string once;
  sketch->encode(once);
  const auto again = sketch::DDSketch::decode(once);
  if (!again || !(*again == *sketch)) std::abort();
  sketch::DDSketch merged;
  for (const double value : {1e300, -1e-300, 0.0, 7.5}) merged.add(value);
  merged.merge(*sketch);
  sketch->merge(merged);
  if (sketch->buckets() > sketch::DDSketch::kMaxBuckets) std::abort();
  for (const double q : {0.0, 0.3, 1.0}) (void)sketch->quantile(q);
}

metrics::Batch batch_at(int64_t time_ns) {
  metrics::Batch batch;
  batch.agent_id = "a";
  batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  batch.sequence = 1;
  batch.appended_ns = time_ns;
  batch.series = {{.name = "m", .labels = {}, .unit = "1"}};
  batch.frames.push_back({time_ns, 0, {{}}});
  return batch;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_sketch(bytes);
  AggregateSpec spec;
  spec.by = *parse_dimensions("agent");
  spec.stats = *parse_stats("avg,p50,rate");
  spec.max_series = 1000;
  spec.max_cells = 1000;
  telemetry::Registry registry;
  AggregateView view(spec, registry);
  if (!view.decode(0, view.version(), bytes)) return 0;
  std::string once;
  view.encode(0, once);
  std::string twice;
  AggregateView again(spec, registry);
  if (!again.decode(0, again.version(), once)) std::abort();
  again.encode(0, twice);
  if (once != twice) std::abort();
  for (const int64_t time_ns : {int64_t{1}, int64_t{1'700'000'000} * kNanosPerSecond}) {
    view.apply({.partition = 0, .offset = 1, .time_ns = time_ns}, batch_at(time_ns));
  }
  view.pass(1);
  view.pass(int64_t{3600} * kNanosPerSecond);
  for (const AggregateRow& row : view.take_rows()) (void)row_json(spec, row);
  for (const AggregateRow& row : view.open_rows()) (void)row_key(spec, row);
  view.encode(0, twice);
  return 0;
}

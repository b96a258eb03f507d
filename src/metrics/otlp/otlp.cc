#include "metrics/otlp/otlp.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/hex.h"
#include "base/text.h"
#include "metrics/encode.h"
#include "otlp/metrics.pb.h"

namespace monitor::metrics {

namespace {

constexpr const char* kIncarnation = "monitor.incarnation";
constexpr const char* kEnvelope = "monitor.envelope";
constexpr const char* kExponent = "monitor.exponent";
constexpr const char* kAgent = "monitor-agent";

void add_text(otlp::Resource& resource, const std::string& key, const std::string& value) {
  otlp::KeyValue& attribute = *resource.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(value);
}

void add_resource(const Batch& batch, otlp::Resource& resource) {
  add_text(resource, "service.name", kAgent);
  add_text(resource, "service.instance.id", batch.agent_id);
  add_text(resource, "host.name", batch.hostname);
  add_text(resource, kIncarnation, hex(batch.incarnation));
  for (const auto& [key, value] : batch.resource) add_text(resource, key, value);
  // The rest of the envelope in our own encoding, which other programs forward without reading it.
  Batch envelope;
  static_cast<Envelope&>(envelope) = static_cast<const Envelope&>(batch);
  otlp::KeyValue& rest = *resource.add_attributes();
  rest.set_key(kEnvelope);
  rest.mutable_value()->set_bytes_value(encode_batch(envelope));
}

void describe(const Series& series, otlp::Metric& metric) {
  metric.set_name(series.name);
  metric.set_unit(series.unit);
  if (series.kind == Kind::kCounter) {
    metric.mutable_sum()->set_is_monotonic(true);
    metric.mutable_sum()->set_aggregation_temporality(otlp::AGGREGATION_TEMPORALITY_CUMULATIVE);
  } else {
    metric.mutable_gauge();
  }
  if (!series.integer || series.exponent == 0) return;
  otlp::KeyValue& exponent = *metric.add_metadata();
  exponent.set_key(kExponent);
  exponent.mutable_value()->set_int_value(series.exponent);
}

void add_point(const Batch& batch, const Frame& frame, const Point& point, otlp::NumberDataPoint& out) {
  const Series& series = batch.series[point.series];
  out.set_time_unix_nano(static_cast<uint64_t>(frame.time_ns));
  out.set_start_time_unix_nano(static_cast<uint64_t>(frame.rates_since_ns));
  for (const auto& [key, value] : series.labels) {
    otlp::KeyValue& attribute = *out.add_attributes();
    attribute.set_key(key);
    attribute.mutable_value()->set_string_value(value);
  }
  if (series.integer && series.exponent == 0) {
    out.set_as_int(point.integer);
  } else {
    out.set_as_double(batch.value(point));
  }
}

Error refused(std::string_view why) { return Error(Code::kInvalidArgument, fmt::format("OTLP: {}", why)); }

// Rebuilds frames from points of the same time.
class Rebuilder {
 public:
  explicit Rebuilder(Batch& batch) : batch_(batch), table_(20'000) {}

  Status metric(const otlp::Metric& metric) {
    Series series;
    series.name = metric.name();
    series.unit = metric.unit();
    series.kind = metric.has_sum() ? Kind::kCounter : Kind::kGauge;
    for (const otlp::KeyValue& entry : metric.metadata()) {
      if (entry.key() != kExponent) continue;
      if (std::abs(entry.value().int_value()) > 18) return refused("monitor.exponent is outside -18 to 18");
      series.integer = true;
      series.exponent = static_cast<int>(entry.value().int_value());
    }
    for (const otlp::NumberDataPoint& point :
         metric.has_sum() ? metric.sum().data_points() : metric.gauge().data_points()) {
      if (auto s = add(series, point); !s) return s;
    }
    return {};
  }

  void finish() {
    for (auto& [time, frame] : frames_) batch_.frames.push_back(std::move(frame));
  }

 private:
  Status add(Series series, const otlp::NumberDataPoint& in) {
    for (const otlp::KeyValue& label : in.attributes())
      set_label(series.labels, label.key(), label.value().string_value());
    Point point;
    if (in.value_case() == otlp::NumberDataPoint::kAsInt) {
      series.integer = true;
      point.integer = in.as_int();
    } else if (series.integer) {
      const double scaled = series.exponent < 0 ? in.as_double() * power_of_ten(-series.exponent)
                                                : in.as_double() / power_of_ten(series.exponent);
      if (!(std::fabs(scaled) < 9.2e18)) return refused("a value does not fit into 64 bits");
      point.integer = std::llround(scaled);
    } else {
      point.real = in.as_double();
    }
    const auto id = table_.intern(series);
    if (!id) return refused("too many series");
    point.series = *id;
    if (*id == batch_.series.size()) batch_.series.push_back(std::move(series));
    const auto time = static_cast<int64_t>(in.time_unix_nano());
    if (time <= 0) return refused("a point without a time");
    Frame& frame = frames_[time];
    frame.time_ns = time;
    frame.rates_since_ns = static_cast<int64_t>(in.start_time_unix_nano());
    frame.points.push_back(point);
    return {};
  }

  Batch& batch_;
  SeriesTable table_;
  std::map<int64_t, Frame> frames_;
};

}  // namespace

std::string to_otlp(const Batch& batch) {
  otlp::ExportMetricsServiceRequest request;
  otlp::ResourceMetrics& resource = *request.add_resource_metrics();
  add_resource(batch, *resource.mutable_resource());
  otlp::ScopeMetrics& scope = *resource.add_scope_metrics();
  scope.mutable_scope()->set_name(kAgent);
  scope.mutable_scope()->set_version(batch.agent_version);
  // One metric for each series: series of one name may differ in their exponents.
  for (const Series& series : batch.series) describe(series, *scope.add_metrics());
  for (const Frame& frame : batch.frames) {
    for (const Point& point : frame.points) {
      otlp::Metric& metric = *scope.mutable_metrics(static_cast<int>(point.series));
      add_point(
          batch, frame, point,
          metric.has_sum() ? *metric.mutable_sum()->add_data_points() : *metric.mutable_gauge()->add_data_points());
    }
  }
  return request.SerializeAsString();
}

Result<Batch> from_otlp(std::string_view bytes, const BatchLimits& limits) {
  otlp::ExportMetricsServiceRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return refused("malformed protobuf");
  if (request.resource_metrics_size() != 1 || request.resource_metrics(0).scope_metrics_size() != 1) {
    return refused("expected one resource with one scope");
  }
  const otlp::ResourceMetrics& resource = request.resource_metrics(0);
  std::optional<Batch> batch;
  for (const otlp::KeyValue& attribute : resource.resource().attributes()) {
    if (attribute.key() != kEnvelope) continue;
    auto envelope = decode_batch(attribute.value().bytes_value(), limits);
    if (!envelope) return envelope.error();
    batch = std::move(*envelope);
  }
  if (!batch) return refused("no attribute monitor.envelope: not made from a batch");
  Rebuilder rebuilder(*batch);
  for (const otlp::Metric& metric : resource.scope_metrics(0).metrics()) {
    if (auto s = rebuilder.metric(metric); !s) return s.error();
  }
  rebuilder.finish();
  return std::move(*batch);
}

}  // namespace monitor::metrics

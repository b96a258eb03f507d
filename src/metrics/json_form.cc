#include "metrics/json_form.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <map>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::metrics {

namespace {

using nlohmann::json;

std::string labels_json(const Labels& labels) {
  std::string out = "{";
  for (const auto& [key, value] : labels) {
    if (out.size() > 1) out += ',';
    out += json_quote(key) + ":" + json_quote(value);
  }
  return out + "}";
}

// Writes the exact value: an integer series is written from its digits, not through a double.
std::string value_json(const Series& series, const Point& point) {
  if (!series.integer) return json_number(point.real);
  if (series.exponent == 0 || point.integer == 0) return fmt::format("{}", point.integer);
  if (series.exponent > 0) return fmt::format("{}e{}", point.integer, series.exponent);
  const auto decimals = static_cast<size_t>(-series.exponent);
  const bool negative = point.integer < 0;
  std::string digits = fmt::format("{}", point.integer);
  if (negative) digits.erase(0, 1);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - decimals);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  std::string out = (negative ? "-" : "") + digits.substr(0, digits.size() - decimals);
  return fraction.empty() ? out : out + "." + fraction;
}

std::string metrics_json(const Batch& batch, const Frame& frame, const std::function<bool(const Series&)>& keep,
                         bool with_encoding) {
  std::string out = "[";
  for (const Point& point : frame.points) {
    const Series& series = batch.series[point.series];
    if (keep && !keep(series)) continue;
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"name":{},"unit":{},"labels":{},"value":{})", json_quote(series.name),
                       json_quote(series.unit), labels_json(series.labels), value_json(series, point));
    if (with_encoding && series.kind == Kind::kCounter) out += R"(,"kind":"counter")";
    if (with_encoding && series.integer) out += fmt::format(R"(,"exponent":{})", series.exponent);
    out += '}';
  }
  return out + "]";
}

std::string counters_json(const Counters& counters) {
  std::string dropped;
  for (const Drop& total : counters.dropped) {
    if (!dropped.empty()) dropped += ',';
    dropped += fmt::format(R"({{"stage":{},"reason":{},"plugin":{},"batches":{},"ticks":{},"points":{}}})",
                           json_quote(total.stage), json_quote(total.reason), json_quote(total.plugin), total.batches,
                           total.ticks, total.points);
  }
  return fmt::format(R"({{"ticks_due":{},"ticks_missed":{},"points_made":{},"dropped":[{}]}})", counters.ticks_due,
                     counters.ticks_missed, counters.points_made, dropped);
}

std::string drops_json(const std::vector<Drop>& drops) {
  std::string out = "[";
  for (const Drop& drop : drops) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"incarnation":"{}","stage":{},"reason":{},"plugin":{},"batches":{},"ticks":{},"points":{},)"
                       R"("first_sequence":{},"last_sequence":{},"first_time_ns":{},"last_time_ns":{}}})",
                       hex(drop.incarnation), json_quote(drop.stage), json_quote(drop.reason), json_quote(drop.plugin),
                       drop.batches, drop.ticks, drop.points, drop.first_sequence, drop.last_sequence,
                       drop.first_time_ns, drop.last_time_ns);
  }
  return out + "]";
}

std::string incarnations_json(const Envelope& envelope) {
  std::string ended;
  for (const IncarnationEnd& end : envelope.ended) {
    if (!ended.empty()) ended += ',';
    ended += fmt::format(R"({{"incarnation":"{}","last_sequence":{},"last_time_ns":{},"clean":{}}})",
                         hex(end.incarnation), end.last_sequence, end.last_time_ns, end.clean);
  }
  std::string older;
  for (const OlderIncarnation& one : envelope.older) {
    if (!older.empty()) older += ',';
    older += fmt::format(R"({{"incarnation":"{}","first_unacked":{}}})", hex(one.incarnation), one.first_unacked);
  }
  std::string elsewhere;
  for (const Elsewhere& one : envelope.elsewhere) {
    if (!elsewhere.empty()) elsewhere += ',';
    elsewhere += fmt::format(R"({{"incarnation":"{}","log":{},"first_sequence":{},"last_sequence":{}}})",
                             hex(one.incarnation), json_quote(one.log), one.first_sequence, one.last_sequence);
  }
  if (!elsewhere.empty()) elsewhere = fmt::format(R"(,"elsewhere":[{}])", elsewhere);
  return fmt::format(R"("ended":[{}],"older":[{}]{})", ended, older, elsewhere);
}

// Reading: at() and get() of nlohmann-json check types and throw; batch_from_json() catches.
std::string bytes_at(const json& object, const char* key) {
  const auto bytes = unhex(object.at(key).get<std::string>());
  if (!bytes) throw std::invalid_argument(fmt::format("{} is not hexadecimal", key));
  return *bytes;
}

Labels labels_from(const json& object) {
  Labels labels;
  for (const auto& [key, value] : object.items()) set_label(labels, key, value.get<std::string>());
  return labels;
}

int64_t time_from(const json& text) {
  const auto time = parse_rfc3339(text.get<std::string>());
  if (!time) throw std::invalid_argument(time.error().message());
  return *time;
}

Counters counters_from(const json& object) {
  Counters counters;
  counters.ticks_due = object.at("ticks_due").get<uint64_t>();
  counters.ticks_missed = object.at("ticks_missed").get<uint64_t>();
  counters.points_made = object.at("points_made").get<uint64_t>();
  for (const json& total : object.at("dropped")) {
    counters.dropped.push_back({total.at("stage").get<std::string>(), total.at("reason").get<std::string>(),
                                total.at("batches").get<uint64_t>(), total.at("ticks").get<uint64_t>(),
                                total.at("points").get<uint64_t>(), total.value("plugin", "")});
  }
  return counters;
}

Drop drop_from(const json& object) {
  Drop drop;
  drop.incarnation = bytes_at(object, "incarnation");
  drop.stage = object.at("stage").get<std::string>();
  drop.reason = object.at("reason").get<std::string>();
  drop.plugin = object.at("plugin").get<std::string>();
  drop.batches = object.at("batches").get<uint64_t>();
  drop.ticks = object.at("ticks").get<uint64_t>();
  drop.points = object.at("points").get<uint64_t>();
  drop.first_sequence = object.at("first_sequence").get<uint64_t>();
  drop.last_sequence = object.at("last_sequence").get<uint64_t>();
  drop.first_time_ns = object.at("first_time_ns").get<int64_t>();
  drop.last_time_ns = object.at("last_time_ns").get<int64_t>();
  return drop;
}

void envelope_from(const json& object, Envelope& envelope) {
  envelope.agent_id = object.at("agent").get<std::string>();
  envelope.hostname = object.at("host").get<std::string>();
  envelope.incarnation = bytes_at(object, "incarnation");
  envelope.sequence = object.at("sequence").get<uint64_t>();
  envelope.config_revision = object.at("config_revision").get<uint64_t>();
  envelope.resource = labels_from(object.at("resource"));
  envelope.first_unacked = object.at("first_unacked").get<uint64_t>();
  envelope.counters = counters_from(object.at("counters"));
  for (const json& drop : object.at("drops")) envelope.drops.push_back(drop_from(drop));
  envelope.appended_ns = time_from(object.at("appended"));
  for (const json& end : object.at("ended")) {
    envelope.ended.push_back({bytes_at(end, "incarnation"), end.at("last_sequence").get<uint64_t>(),
                              end.at("last_time_ns").get<int64_t>(), end.at("clean").get<bool>()});
  }
  for (const json& older : object.at("older")) {
    envelope.older.push_back({bytes_at(older, "incarnation"), older.at("first_unacked").get<uint64_t>()});
  }
  // batch_to_json() writes the field only if there is an entry.
  for (const json& one : object.value("elsewhere", json::array())) {
    envelope.elsewhere.push_back({bytes_at(one, "incarnation"), one.at("log").get<std::string>(),
                                  one.at("first_sequence").get<uint64_t>(), one.at("last_sequence").get<uint64_t>()});
  }
  envelope.agent_version = object.at("agent_version").get<std::string>();
  envelope.send_every_ns = object.at("send_every_ns").get<uint64_t>();
  envelope.final_batch = object.value("final", false);
}

// Reads the value of an integer series from its decimal text through a double: exact up to 2^53, the limit on which
// JSON readers agree.
int64_t scaled_integer(double value, int exponent) {
  const double scaled = exponent < 0 ? value * power_of_ten(-exponent) : value / power_of_ten(exponent);
  if (!(std::fabs(scaled) < 9.2e18)) throw std::invalid_argument("a value does not fit into 64 bits");
  return static_cast<int64_t>(std::llround(scaled));
}

void frame_from(const json& object, SeriesTable& table, Batch& batch) {
  Frame frame;
  frame.time_ns = time_from(object.at("time"));
  if (object.contains("rates_since")) frame.rates_since_ns = time_from(object.at("rates_since"));
  frame.continued = object.value("continued", false);
  for (const json& metric : object.at("metrics")) {
    Series series;
    series.name = metric.at("name").get<std::string>();
    series.unit = metric.at("unit").get<std::string>();
    series.labels = labels_from(metric.at("labels"));
    series.kind = metric.value("kind", "gauge") == "counter" ? Kind::kCounter : Kind::kGauge;
    series.integer = metric.contains("exponent");
    if (series.integer) series.exponent = metric.at("exponent").get<int>();
    if (series.exponent < -18 || series.exponent > 18) throw std::invalid_argument("exponent outside -18 to 18");
    const json& value = metric.at("value");
    Point point;
    if (series.integer && value.is_number_integer() && series.exponent == 0) {
      point.integer = value.get<int64_t>();
    } else if (series.integer) {
      point.integer = scaled_integer(value.get<double>(), series.exponent);
    } else {
      point.real = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    }
    const auto id = table.intern(series);
    if (!id) throw std::invalid_argument("more series than the limit");
    point.series = *id;
    if (point.series == batch.series.size()) batch.series.push_back(std::move(series));
    frame.points.push_back(point);
  }
  batch.frames.push_back(std::move(frame));
}

}  // namespace

std::string tick_to_json(const Batch& batch, size_t frame, bool late, const std::function<bool(const Series&)>& keep) {
  const Frame& f = batch.frames[frame];
  return fmt::format(R"({{"time":"{}","agent":{},"host":{},"incarnation":"{}","sequence":{},"frame":{},)"
                     R"("config_revision":{},"late":{},"metrics":{}}})",
                     format_rfc3339(f.time_ns), json_quote(batch.agent_id), json_quote(batch.hostname),
                     hex(batch.incarnation), batch.sequence, frame, batch.config_revision, late,
                     metrics_json(batch, f, keep, false));
}

std::string batch_to_json(const Batch& batch) {
  std::string frames;
  for (const Frame& frame : batch.frames) {
    if (!frames.empty()) frames += ',';
    frames += fmt::format(R"({{"time":"{}",)", format_rfc3339(frame.time_ns));
    if (frame.rates_since_ns != 0)
      frames += fmt::format(R"("rates_since":"{}",)", format_rfc3339(frame.rates_since_ns));
    if (frame.continued) frames += R"("continued":true,)";
    frames += fmt::format(R"("metrics":{}}})", metrics_json(batch, frame, {}, true));
  }
  return fmt::format(R"({{"agent":{},"host":{},"incarnation":"{}","sequence":{},"config_revision":{},"resource":{},)"
                     R"("first_unacked":{},"counters":{},"drops":{},"appended":"{}",{},"agent_version":{},)"
                     R"("send_every_ns":{},{}"frames":[{}]}})",
                     json_quote(batch.agent_id), json_quote(batch.hostname), hex(batch.incarnation), batch.sequence,
                     batch.config_revision, labels_json(batch.resource), batch.first_unacked,
                     counters_json(batch.counters), drops_json(batch.drops), format_rfc3339(batch.appended_ns),
                     incarnations_json(batch), json_quote(batch.agent_version), batch.send_every_ns,
                     batch.final_batch ? R"("final":true,)" : "", frames);
}

Result<Batch> batch_from_json(std::string_view text, const BatchLimits& limits) {
  constexpr size_t kJsonIsLarger = 16;
  if (text.size() > limits.batch_bytes * kJsonIsLarger) {
    return Error(Code::kResourceExhausted, fmt::format("batch as JSON: size is {}, the limit is {}", text.size(),
                                                       limits.batch_bytes * kJsonIsLarger));
  }
  try {
    const json object = json::parse(text);
    Batch batch;
    SeriesTable table(limits.series, SeriesTable::Edge::kAsIs);
    envelope_from(object, batch);
    for (const json& frame : object.at("frames")) frame_from(frame, table, batch);
    if (!valid_name(batch.agent_id) || batch.incarnation.size() != kIncarnationBytes || batch.sequence == 0) {
      return Error(Code::kInvalidArgument, "batch as JSON: agent, incarnation or sequence is not valid");
    }
    return batch;
  } catch (const std::exception& e) {
    return Error(Code::kInvalidArgument, fmt::format("batch as JSON: {}", e.what()));
  }
}

}  // namespace monitor::metrics

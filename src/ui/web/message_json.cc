#include "ui/web/message_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/hex.h"
#include "base/text.h"
#include "consume/consumer.h"
#include "metrics/json_form.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kLongestBatch = size_t{64} * 1024;
constexpr size_t kLongestWhole = size_t{4} << 20;

bool is_text(std::string_view value) {
  return valid_utf8(value) && std::ranges::none_of(value, [](unsigned char c) { return c < 0x20; });
}

std::string headers_json(const metriclog::Headers& headers) {
  std::string out = "{";
  std::set<std::string_view> seen;
  for (const auto& [name, value] : headers) {
    if (!seen.insert(name).second) continue;
    out += fmt::format("{}{}:{}", seen.size() > 1 ? "," : "", json_quote(name),
                       json_quote(is_text(value) ? value : hex(value)));
  }
  return out + "}";
}

std::string all_headers_json(const metriclog::Headers& headers) {
  std::string out = "[";
  for (const auto& [name, value] : headers) {
    const bool text = is_text(value);
    out += fmt::format(R"({}{{"name":{},"bytes":{},"text":{},"value":{}}})", out.size() > 1 ? "," : "",
                       json_quote(name), value.size(), text, json_quote(text ? value : hex(value)));
  }
  return out + "]";
}

std::string summary_json(const metrics::Batch& batch) {
  size_t points = 0;
  for (const metrics::Frame& frame : batch.frames) points += frame.points.size();
  std::string out =
      fmt::format(R"(,"agent":{},"host":{},"sequence":{},"ticks":{},"points":{})", json_quote(batch.agent_id),
                  json_quote(batch.hostname), batch.sequence, batch.frames.size(), points);
  if (batch.frames.empty()) return out;
  const auto [first, last] = std::ranges::minmax_element(batch.frames, {}, &metrics::Frame::time_ns);
  return out +
         fmt::format(R"(,"first_tick":{},"last_tick":{})", seconds_json(first->time_ns), seconds_json(last->time_ns));
}

}  // namespace

std::string message_json(const metriclog::Record& record, MessageContent content) {
  std::string out = fmt::format(R"({{"partition":{},"offset":{},"time":{},"key":{},"bytes":{},"headers":{})",
                                record.partition, record.offset, seconds_json(record.time_ns), json_quote(record.key),
                                record.value.size(), headers_json(record.headers));
  const bool whole = content == MessageContent::kWhole;
  if (whole) out += ",\"all_headers\":" + all_headers_json(record.headers);
  const auto batch = decode_record(record);
  if (!batch) return out + fmt::format(R"(,"error":{}}})", json_quote(batch.error().message()));
  out += summary_json(*batch);
  if (content == MessageContent::kSummary) return out + "}";
  const std::string body = metrics::batch_to_json(*batch);
  const bool fits = body.size() <= (whole ? kLongestWhole : kLongestBatch);
  return out + (fits ? ",\"batch\":" + body : R"(,"too_large":true)") + "}";
}

}  // namespace monitor::analysis::web

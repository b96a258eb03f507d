#include "inputs/stream/log_record.h"

#include "base/hex.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"
#include "payload/decode.h"

namespace monitor::server {

namespace {

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kPayloadType = "application/x-monitor-payload";

}  // namespace

LogRecord::LogRecord(const metrics::BatchView& view, std::string_view batch, const IngestOptions& options)
    : view_(view), batch_(batch), options_(options), sequence_(view.sequence), revision_(view.config_revision) {
  hex_to(view.incarnation, incarnation_.data());
  std::string_view type = payload::is_payload(batch) ? kPayloadType : kProtobufType;
  if (options.encoding == Encoding::kProtobuf) type = kProtobufType;
  if (options.encoding == Encoding::kJson) type = kJsonType;
  headers_ = {{
      {"agent", view.agent_id},
      {"incarnation", {incarnation_.data(), incarnation_.size()}},
      {"sequence", {sequence_.data(), sequence_.size()}},
      {"config-revision", {revision_.data(), revision_.size()}},
      {"content-type", type},
  }};
}

Result<metriclog::RecordView> LogRecord::record() {
  std::string_view value = batch_;
  const bool is_v2 = payload::is_payload(batch_);
  if (options_.encoding == Encoding::kJson || (is_v2 && options_.encoding == Encoding::kProtobuf)) {
    const auto decoded = payload::decode_any(batch_, view_.agent_id, options_.limits);
    if (!decoded) return decoded.error();
    const bool json = options_.encoding == Encoding::kJson;
    value = converted_ = json ? metrics::batch_to_json(*decoded) : metrics::encode_batch(*decoded);
  }
  // A record of payload v2 says itself what the headers of others say.
  const bool bare = is_v2 && options_.encoding == Encoding::kAsSent && !options_.record_headers;
  return metriclog::RecordView{view_.agent_id, bare ? decltype(metriclog::RecordView::headers)() : headers_, value};
}

}  // namespace monitor::server

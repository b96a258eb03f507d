#include "inputs/stream/log_record.h"

#include "base/hex.h"
#include "metrics/json_form.h"

namespace monitor::server {

LogRecord::LogRecord(const metrics::BatchView& view, std::string_view batch, const IngestOptions& options)
    : view_(view), batch_(batch), options_(options), sequence_(view.sequence), revision_(view.config_revision) {
  hex_to(view.incarnation, incarnation_.data());
  const bool json = options.encoding == Encoding::kJson;
  headers_ = {{
      {"agent", view.agent_id},
      {"incarnation", {incarnation_.data(), incarnation_.size()}},
      {"sequence", {sequence_.data(), sequence_.size()}},
      {"config-revision", {revision_.data(), revision_.size()}},
      {"content-type", json ? "application/json" : "application/x-protobuf"},
  }};
}

Result<metriclog::RecordView> LogRecord::record() {
  std::string_view value = batch_;
  if (options_.encoding == Encoding::kJson) {
    const auto decoded = metrics::decode_batch(batch_, options_.limits);
    if (!decoded) return decoded.error();
    json_ = metrics::batch_to_json(*decoded);
    value = json_;
  }
  return metriclog::RecordView{view_.agent_id, headers_, value};
}

}  // namespace monitor::server

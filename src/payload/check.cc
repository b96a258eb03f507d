#include "payload/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "metrics/claims.h"
#include "metrics/encode.h"
#include "payload/decode.h"

namespace monitor::payload {

namespace {

// The list of the standard set; SetMemory counts from 1.
constexpr uint64_t kStandardList = UINT64_MAX;

}  // namespace

Result<metrics::BatchView> BatchChecker::check(std::string_view bytes, std::string_view agent_id) {
  if (auto s = reader_.read(bytes, agent_id, memory_, batch_); !s) return s.error();
  int64_t latest_ns = 0;
  for (const auto& frame : batch_.frames) latest_ns = std::max({latest_ns, frame.time_ns, frame.rates_since_ns});
  if (latest_ns > metrics::kMaxTimeNs) {
    return Error(Code::kInvalidArgument, fmt::format("payload: the time of a frame is {} ns, the limit is {} (the year "
                                                     "2200)",
                                                     latest_ns, metrics::kMaxTimeNs));
  }
  if (auto s = metrics::check_claims(batch_); !s) return s.error();
  metrics::BatchView view;
  view.agent_id = batch_.agent_id;
  view.hostname = batch_.hostname;
  view.incarnation = batch_.incarnation;
  view.sequence = batch_.sequence;
  view.config_revision = batch_.config_revision;
  view.first_unacked = batch_.first_unacked;
  view.appended_ns = batch_.appended_ns;
  view.ticks_due = batch_.counters.ticks_due;
  view.ticks_missed = batch_.counters.ticks_missed;
  view.frames = batch_.frames.size();
  view.points = reader_.points();
  if (batch_.frames.empty()) return view;
  view.first_time_ns = batch_.frames.front().time_ns;
  view.last_time_ns = batch_.frames.back().time_ns;
  view.series = reader_.set().plan->size();
  view.list_id = reader_.set().set ? kStandardList : reader_.set().id;
  return view;
}

Result<std::string> BatchChecker::wire_series(std::string_view bytes, std::string_view agent_id) const {
  const auto batch = decode(bytes, agent_id, limits_);
  if (!batch) return batch.error();
  return metrics::encode_series(batch->series);
}

}  // namespace monitor::payload

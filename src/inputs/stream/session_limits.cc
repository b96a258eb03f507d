// Session: the limits of its agent's identity (identity_limits.h). Beyond one, the stream gets no more room to send. Of
// too many batches in flight, the last ones are discarded, and the agent is asked to send them again.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "inputs/stream/session.h"

namespace monitor::server {

namespace {

constexpr int64_t kShortestWait = 1 * kNanosPerMilli;

}  // namespace

// After a message was counted. True: its batch must be discarded.
bool Session::stop_at_limits() {
  const auto limit = use_.exceeded();
  if (!limit) return false;
  if (limit_timer_ == 0) {
    report_breach(*limit);
    hold_back(use_.wait_ns());
  }
  if (*limit != IdentityLimit::kBatches) return false;
  // While it pauses for memory, what arrives is discarded already, and the memory's queue resumes it.
  if (!paused_) paused_ = paused_by_limit_ = true;
  return true;
}

void Session::report_breach(IdentityLimit limit) {
  context_.metrics.limited[static_cast<size_t>(limit)]->add();
  if (!use_.breach()) return;
  const std::string what = use_.describe(limit);
  log_warning("agent_limited", {{"agent", receiver_.hello().agent_id},
                                {"limit", name_of(limit)},
                                {"host", receiver_.hello().hostname},
                                {"peer", call_.peer()},
                                {"reason", what},
                                {"breaches", use_.take_breaches()},
                                {"next", "only this agent is slowed; its batches wait in its spool"}});
  receiver_.notify({std::string(stream::Notice::kLimited),
                    fmt::format("the server slows this agent: {}; batches wait in the spool", what)});
}

void Session::hold_back(int64_t wait_ns) {
  // While it lasts, it is reported again.
  limit_timer_ = context_.env.timers.call_after(std::clamp(wait_ns, kShortestWait, Identity::kReportEvery), [this] {
    limit_timer_ = 0;
    look_at_limits();
  });
}

// Other streams of the identity may have used up what this one waited for, in other loops, too.
void Session::look_at_limits() {
  if (ended_) return;
  if (const int64_t wait_ns = use_.wait_ns(); wait_ns > 0) {
    hold_back(wait_ns);
    if (const auto limit = use_.exceeded()) report_breach(*limit);
    return flush();
  }
  if (paused_by_limit_ && !use_.room_for_batches()) {
    hold_back(context_.options.paused_retry_ns);
    return flush();  // a report may wait
  }
  if (std::exchange(paused_by_limit_, false)) return resume(0);
  release_withheld();
  flush();
}

}  // namespace monitor::server

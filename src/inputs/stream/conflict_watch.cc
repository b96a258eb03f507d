#include "inputs/stream/conflict_watch.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"

namespace monitor::server {

namespace {

constexpr int64_t kNotifyEvery = 60 * kNanosPerSecond;

}  // namespace

std::string describe(const LiveStream& stream) { return fmt::format("{} ({})", stream.hostname, stream.peer); }

std::shared_ptr<LiveStream> ConflictWatch::rival_of(LiveStream& stream, int64_t now_ns) {
  const bool first = stream.has_rival.exchange(false, std::memory_order_relaxed);
  if (!first && (!in_conflict_ || now_ns - notified_ns_ < kNotifyEvery)) return nullptr;
  auto rival = streams_.rival_of(stream);
  in_conflict_ = rival != nullptr;
  if (!rival || !first) return rival;
  metrics_.conflicts.add();
  log_warning("agent_id_conflict", {{"agent", stream.agent_id},
                                    {"host", stream.hostname},
                                    {"peer", stream.peer},
                                    {"other_host", rival->hostname},
                                    {"other_peer", rival->peer},
                                    {"next", "both are stored; change the --agent-id of one of them"}});
  return rival;
}

bool ConflictWatch::may_notify(int64_t now_ns) {
  if (in_conflict_ && notified_ns_ != 0 && now_ns - notified_ns_ < kNotifyEvery / 2) return false;
  notified_ns_ = now_ns;
  in_conflict_ = true;
  return true;
}

}  // namespace monitor::server

#include "views/fleet/server_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/time_format.h"

namespace monitor::analysis {

namespace {

// Agents send at least every 10 s.
constexpr int64_t kSilent = 30 * kNanosPerSecond;

}  // namespace

std::string_view to_string(Servers::State state) {
  constexpr std::array<std::string_view, 4> kNames = {"unknown", "writing", "stopped", "away"};
  return kNames.at(static_cast<size_t>(state));
}

void ServerWatch::take(const std::vector<metriclog::Heartbeat>& beats, int64_t mono_ns) {
  const bool first = looked_ns_ == 0 || mono_ns - looked_ns_ > kLooksEvery;
  bool came = false;
  std::map<std::string, uint64_t> counts;
  all_ended_ = !beats.empty();
  for (const metriclog::Heartbeat& beat : beats) {
    counts[beat.writer] = beat.count;
    all_ended_ = all_ended_ && beat.ended;
    last_ns_ = std::max(last_ns_, beat.time_ns);
    const auto before = counts_.find(beat.writer);
    came = came || before == counts_.end() || before->second != beat.count;
  }
  counts_ = std::move(counts);
  looked_ns_ = mono_ns;
  if (first) seen_ = false;
  if (came && !first) seen_ = true;
  if (came || first) since_ns_ = mono_ns;
}

Servers ServerWatch::judge(int64_t mono_ns) const {
  Servers servers{.state = Servers::State::kUnknown, .last_ns = last_ns_};
  if (counts_.empty() || mono_ns - looked_ns_ > kAwayAfter) return servers;
  if (all_ended_) {
    servers.state = Servers::State::kStopped;
  } else if (mono_ns - since_ns_ >= kAwayAfter) {
    servers.state = Servers::State::kAway;
  } else if (seen_) {
    servers.state = Servers::State::kWriting;
  }
  return servers;
}

std::string silence_of(const Servers& servers, int64_t newest_ns, int64_t now_ns) {
  if (servers.state == Servers::State::kStopped || servers.state == Servers::State::kAway) {
    return fmt::format("no server has written the log since {}{}; it is unknown whether the agents are alive",
                       format_rfc3339(std::max(servers.last_ns, newest_ns), 0),
                       servers.state == Servers::State::kStopped ? " (it was stopped)" : "");
  }
  const int64_t quiet = elapsed_ns(newest_ns, now_ns);
  if (newest_ns == 0 || quiet <= kSilent) return "";
  const std::string silence =
      fmt::format("no data from any agent for {}", format_duration(quiet / kNanosPerSecond * kNanosPerSecond));
  if (servers.state == Servers::State::kUnknown) return silence + "; it is unknown whether a server writes the log";
  return silence + "; a server writes the log, so the agents are not running or do not reach it";
}

}  // namespace monitor::analysis

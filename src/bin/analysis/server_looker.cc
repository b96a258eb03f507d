#include "bin/analysis/server_looker.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/log.h"
#include "base/time_format.h"

namespace monitor {

namespace {

constexpr std::chrono::seconds kLookEvery(2);

}  // namespace

ServerLooker::ServerLooker(const LogFlags& flags, const Clock& clock, Tell tell)
    : flags_(flags), clock_(clock), tell_(tell), thread_([this] { run(); }) {}

ServerLooker::~ServerLooker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

analysis::Servers ServerLooker::servers() const {
  const std::lock_guard lock(mutex_);
  return watch_.judge(clock_.mono_ns());
}

void ServerLooker::run() {
  const auto browser = open_log_browser(flags_);
  if (!browser) return;  // the log's reader reports the reason
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const auto beats = (*browser)->heartbeats();
    lock.lock();
    if (beats) {
      watch_.take(*beats, clock_.mono_ns());
    } else {
      watch_.forget();
    }
    if (tell_ == Tell::kLog) log_change(watch_.judge(clock_.mono_ns()));
    wake_.wait_for(lock, kLookEvery, [this] { return stop_; });
  }
}

void ServerLooker::log_change(const analysis::Servers& now) {
  if (now.state == analysis::Servers::State::kUnknown) return;
  if (now.gone() && !logged_.gone()) {
    log_warning("no server writes the log; no data arrives until one does",
                {{"server", std::string(to_string(now.state))}, {"since", format_rfc3339(now.last_ns, 0)}});
  } else if (!now.gone() && logged_.gone()) {
    log_info("a server writes the log again");
  }
  logged_ = now;
}

void log_absent_servers(const LogFlags& flags, const Clock& clock) {
  const auto browser = open_log_browser(flags);
  if (!browser) return;
  const auto beats = (*browser)->heartbeats();
  if (!beats || beats->empty()) return;
  const auto last = std::ranges::max_element(*beats, {}, &metriclog::Heartbeat::time_ns);
  const bool stopped = std::ranges::all_of(*beats, [](const auto& one) { return one.ended; });
  if (!stopped && elapsed_ns(last->time_ns, clock.wall_ns()) <= analysis::ServerWatch::kAwayAfter) return;
  log_warning("no server writes the log; later batches are not in it",
              {{"server", stopped ? "stopped" : "away"}, {"since", format_rfc3339(last->time_ns, 0)}});
}

}  // namespace monitor

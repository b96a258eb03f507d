#include "bin/analysis/share_looker.h"

#include <chrono>
#include <utility>

namespace monitor {

namespace {

namespace history = analysis::history;

constexpr std::chrono::seconds kLookEvery(5);
// Every agent has a row once a minute.
constexpr int64_t kFreshMs = 180'000;

}  // namespace

ShareLooker::ShareLooker(const std::string& history_path, const Clock& clock)
    : path_(history_path.empty() ? "" : history::facts_path(history_path)), clock_(clock), thread_([this] { run(); }) {}

ShareLooker::~ShareLooker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::optional<analysis::top::UnusualShares> ShareLooker::changed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(found_, std::nullopt);
}

void ShareLooker::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    auto found = look();
    lock.lock();
    found_ = std::move(found);
    wake_.wait_for(lock, kLookEvery, [this] { return stop_; });
  }
}

// Without a file there are no shares, and the column is empty: the page may run elsewhere.
analysis::top::UnusualShares ShareLooker::look() {
  analysis::top::UnusualShares shares;
  if (path_.empty()) return shares;
  if (!facts_) {
    auto opened = history::AgentFactsReader::open(path_);
    if (!opened) return shares;
    facts_ = std::move(*opened);
  }
  const int64_t now_ms = clock_.wall_ns() / kNanosPerMilli;
  const auto found = facts_->series("unusual_fraction", {}, now_ms - kFreshMs, now_ms);
  if (!found) {
    facts_.reset();  // the file may have been replaced
    return shares;
  }
  for (const query::StoredSeries& one : *found) {
    if (!one.points.empty()) shares[std::string(one.labels.get("agent"))] = one.points.back().value;
  }
  return shares;
}

}  // namespace monitor

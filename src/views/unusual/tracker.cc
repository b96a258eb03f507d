#include "views/unusual/tracker.h"

#include <algorithm>
#include <set>
#include <utility>

namespace monitor::analysis::unusual {

using monitor::unusual::hour_of;
using monitor::unusual::kHourMinutes;

Result<std::unique_ptr<Tracker>> Tracker::open(const std::string& path, const Clock& clock, ScoreBoard& board,
                                               const TrackerOptions& options) {
  auto reader = history::HistoryReader::open(path);
  if (!reader) return reader.error();
  return std::unique_ptr<Tracker>(new Tracker(std::move(*reader), clock, board, options));
}

Status Tracker::pass(int64_t now_ns, const std::function<bool()>& stop) {
  const int64_t minute = minute_of(now_ns);
  const int64_t started_ns = clock_.mono_ns();
  const auto known = reader_->agents();
  if (!known) return known.error();
  std::set<std::string_view> names;
  for (const history::KnownAgent& one : *known) names.insert(one.name);
  for (auto agent = agents_.begin(); agent != agents_.end();) {
    if (names.contains(agent->first)) {
      ++agent;
      continue;
    }
    board_.remove(agent->first);
    agent = agents_.erase(agent);
  }
  for (const history::KnownAgent& one : *known) {
    if (stop && stop()) return {};
    Agent& agent = agents_[one.name];
    if (reload_due(agent, minute, started_ns)) {
      agent = {};
      agent.loaded = minute;
      ++reloads_;
    }
    if (Status updated = update(one, agent, minute); !updated) {
      agent = {};  // it may have a part of the minutes
      return updated;
    }
    publish(one, agent, minute);
  }
  board_.complete(minute);
  return {};
}

bool Tracker::reload_due(const Agent& agent, int64_t minute, int64_t started_ns) const {
  if (agent.loaded == INT64_MIN) return true;
  // The clock was set back, or the process was suspended.
  if (minute < agent.settled || minute - agent.settled > 4 * kHourMinutes) return true;
  return minute - agent.loaded >= options_.reload_minutes && clock_.mono_ns() - started_ns < options_.reload_budget_ns;
}

Status Tracker::update(const history::KnownAgent& known, Agent& agent, int64_t minute) {
  const int64_t settle = (hour_of(minute) - 1) * kHourMinutes;
  const int64_t from = agent.settled == INT64_MIN ? monitor::unusual::first_needed(settle) : agent.settled;
  const int64_t recent_from = minute - ScoreBoard::kRecentMinutes;
  for (auto& [key, tracked] : agent.series) {
    tracked.ahead = std::make_unique<SeriesScorer>(tracked.settled);
    tracked.recent.clear();
  }
  Status read =
      read_minutes(*reader_, {.agent = known.name, .from = from, .to = minute}, [&](const history::RangeSeries& part) {
        const std::string key = metrics::identity(part.series);
        auto place = agent.series.find(key);
        if (place == agent.series.end()) {
          Tracked made{.series = part.series, .settled = scorer_of(part.series)};
          made.ahead = std::make_unique<SeriesScorer>(made.settled);
          place = agent.series.emplace(key, std::move(made)).first;
        }
        take(place->second, part, settle, recent_from);
      });
  if (!read) return read;
  agent.settled = settle;
  for (auto& [key, tracked] : agent.series) tracked.ahead.reset();
  const int64_t oldest = minute - monitor::unusual::kLongestHours * kHourMinutes;
  std::erase_if(agent.series, [oldest](const auto& one) { return one.second.seen < oldest; });
  return {};
}

void Tracker::take(Tracked& tracked, const history::RangeSeries& part, int64_t settle, int64_t recent_from) {
  for (size_t i = 0; i < part.times_ns.size(); ++i) {
    const int64_t minute = minute_at(part, i);
    const Extremes values = extremes_at(part, i);
    tracked.ahead->add(minute, values);
    tracked.seen = std::max(tracked.seen, minute);
    if (minute < settle) tracked.settled.add(minute, values);
    if (minute < recent_from) continue;
    if (const auto score = tracked.ahead->score()) tracked.recent.push_back({minute, *score});
  }
}

void Tracker::publish(const history::KnownAgent& known, Agent& agent, int64_t minute) {
  auto scores = std::make_shared<AgentScores>();
  scores->agent = known;
  for (auto& [key, tracked] : agent.series) {
    if (tracked.recent.empty()) continue;
    const Score newest = tracked.recent.back();
    const bool fresh = newest.minute >= minute - ScoreBoard::kFreshMinutes;
    const bool unusual_now = fresh && newest.value >= monitor::unusual::kUnusualFrom;
    scores->series.push_back({tracked.series, std::move(tracked.recent), unusual_now});
    scores->share.series += fresh ? 1 : 0;
    scores->share.unusual += unusual_now ? 1 : 0;
  }
  board_.put(std::move(scores));
}

size_t Tracker::series() const {
  size_t count = 0;
  for (const auto& [name, agent] : agents_) count += agent.series.size();
  return count;
}

size_t Tracker::bytes() const {
  size_t bytes = 0;
  for (const auto& [name, agent] : agents_) {
    for (const auto& [key, tracked] : agent.series) {
      bytes += key.capacity() + sizeof tracked + tracked.settled.bytes() - sizeof(SeriesScorer) +
               tracked.recent.capacity() * sizeof(Score);
    }
  }
  return bytes;
}

}  // namespace monitor::analysis::unusual

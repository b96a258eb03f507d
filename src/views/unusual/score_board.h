// ScoreBoard: the newest scores of all series of all agents. The tracker writes it; queries, rules and the page read
// it. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series.h"
#include "views/history/agents.h"

namespace monitor::analysis::unusual {

struct Score {
  int64_t minute = 0;
  double value = 0;
};

struct SeriesScores {
  metrics::Series series;
  std::vector<Score> recent;  // ascending, not empty; of the last kRecentMinutes
  bool unusual_now = false;   // the newest one says so, and is of the last kFreshMinutes
};

// How many of an agent's series are unusual at once.
struct Share {
  size_t series = 0;  // that have a score
  size_t unusual = 0;

  bool operator==(const Share&) const = default;
};

struct AgentScores {
  history::KnownAgent agent;
  std::vector<SeriesScores> series;  // those with a recent score
  Share share;
};

class ScoreBoard {
 public:
  // How many minutes are kept: more than a query looks back for a sample.
  static constexpr int64_t kRecentMinutes = 10;
  // A score counts for so long.
  static constexpr int64_t kFreshMinutes = 5;

  void put(std::shared_ptr<const AgentScores> scores);
  void remove(std::string_view agent);
  // All agents have their scores up to this minute, exclusive.
  void complete(int64_t minute);

  // The first minute of which all scores are there; INT64_MAX: of none.
  int64_t first_minute() const;
  std::vector<std::shared_ptr<const AgentScores>> agents() const;
  // nullptr: it has no scores.
  std::shared_ptr<const AgentScores> find(std::string_view agent) const;
  // Of an agent without scores: zeros.
  Share share_of(std::string_view agent) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const AgentScores>, std::less<>> agents_;
  int64_t complete_ = INT64_MIN;
};

}  // namespace monitor::analysis::unusual

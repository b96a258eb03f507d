// Tracker: keeps the scores of the newest minutes of all series up to date, for a ScoreBoard.
//
// It reads the history once a minute, and of each agent only the minutes since the start of the hour before: data that
// is late by up to an hour counts as if it had come in time. At its start, and every six hours, it reads the last week
// of an agent; so older late data counts after six hours at the latest. What the history has deleted early, because its
// file was too large, may count until then.
//
// One thread. The board must outlive it. Memory: about 1 KiB a series.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "views/history/query.h"
#include "views/unusual/minutes.h"
#include "views/unusual/score_board.h"

namespace monitor::analysis::unusual {

struct TrackerOptions {
  // Between two readings of an agent's whole week.
  int64_t reload_minutes = 360;
  // A pass begins no further reading of a week that an agent has already had after this time.
  int64_t reload_budget_ns = 3 * kNanosPerSecond;
};

class Tracker {
 public:
  // Errors: the history does not exist, or cannot be read.
  static Result<std::unique_ptr<Tracker>> open(const std::string& path, const Clock& clock, ScoreBoard& board,
                                               const TrackerOptions& options = {});

  // Brings the board up to the last minute that is over at `now_ns`. `stop` is asked now and then; when it is true, the
  // pass ends early. Errors: those of the disk. The next pass goes on.
  Status pass(int64_t now_ns, const std::function<bool()>& stop = {});

  size_t series() const;
  size_t bytes() const;
  uint64_t reloads() const { return reloads_; }

 private:
  struct Tracked {
    metrics::Series series;
    SeriesScorer settled;                      // has the minutes before the agent's `settled`
    std::unique_ptr<SeriesScorer> ahead = {};  // has those after it, too; during an update
    std::vector<Score> recent = {};
    int64_t seen = 0;  // the last minute with data
  };
  struct Agent {
    std::unordered_map<std::string, Tracked> series;  // by identity
    int64_t settled = INT64_MIN;                      // minute
    int64_t loaded = INT64_MIN;                       // the minute of the last reading of the whole week
  };

  Tracker(std::unique_ptr<history::HistoryReader> reader, const Clock& clock, ScoreBoard& board,
          const TrackerOptions& options)
      : reader_(std::move(reader)), clock_(clock), board_(board), options_(options) {}
  bool reload_due(const Agent& agent, int64_t minute, int64_t started_ns) const;
  Status update(const history::KnownAgent& known, Agent& agent, int64_t minute);
  static void take(Tracked& tracked, const history::RangeSeries& part, int64_t settle, int64_t recent_from);
  void publish(const history::KnownAgent& known, Agent& agent, int64_t minute);

  const std::unique_ptr<history::HistoryReader> reader_;
  const Clock& clock_;
  ScoreBoard& board_;
  const TrackerOptions options_;
  std::map<std::string, Agent> agents_;
  uint64_t reloads_ = 0;
};

}  // namespace monitor::analysis::unusual

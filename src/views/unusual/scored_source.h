// ScoredSource: adds the function unusual() to a source of samples. The score of a minute is a point at the minute's
// end.
//
// The newest scores come from a ScoreBoard, if there is one. Older ones are computed from the history: reading a week
// of an agent takes a fraction of a second. Without a reader, there are only the newest ones: rules ask again and
// again.
//
// One thread. The source, the reader and the board must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/series.h"
#include "views/history/query.h"
#include "views/unusual/score_board.h"

namespace monitor::analysis::unusual {

struct ScoredOptions {
  history::HistoryReader* reader = nullptr;
  const ScoreBoard* board = nullptr;
  std::function<Status()> check = {};  // called now and then; an error ends the computation
  // For a source that is asked for one moment after another, as a replay does: scores are computed this far ahead, and
  // kept. What is added to the history meanwhile is not seen.
  int64_t ahead_ms = 0;
  size_t max_points = 20'000'000;  // that one selector may find
};

class ScoredSource final : public query::SeriesSource {
 public:
  ScoredSource(query::SeriesSource& data, ScoredOptions options) : data_(data), options_(std::move(options)) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    return data_.select(matchers, from_ms, to_ms);
  }
  void limit_bytes(size_t bytes) override {
    max_bytes_ = bytes;
    data_.limit_bytes(bytes);
  }
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override;

 private:
  using Found = std::vector<query::StoredSeries>;
  struct Kept {
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    Found series;
  };
  Found from_board(std::span<const query::Matcher> matchers, int64_t from_ms, int64_t to_ms) const;
  Result<Found> kept(std::span<const query::Matcher> matchers, int64_t from_ms, int64_t to_ms);
  Result<Found> compute(std::span<const query::Matcher> matchers, int64_t from_ms, int64_t to_ms);
  Status compute_agent(const history::KnownAgent& agent, std::span<const query::Matcher> matchers, int64_t from_ms,
                       int64_t to_ms, Found& found);
  Status check_size(const Found& found) const;

  query::SeriesSource& data_;
  const ScoredOptions options_;
  size_t max_bytes_ = SIZE_MAX;
  std::map<std::string, Kept> kept_;  // by selector
};

}  // namespace monitor::analysis::unusual

// LayeredSource: the stored metrics and the results of rules as one SeriesSource.
#pragma once

#include "query/series.h"

namespace monitor::rules {

// One thread. The sources must outlive it. If both have a series, that of the results counts.
class LayeredSource final : public query::SeriesSource {
 public:
  LayeredSource(query::SeriesSource& data, query::SeriesSource& results) : data_(data), results_(results) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;
  // The results are in memory, or few.
  void limit_bytes(size_t bytes) override { data_.limit_bytes(bytes); }
  // Rules compute none.
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    return data_.own_series(function, matchers, from_ms, to_ms);
  }

 private:
  query::SeriesSource& data_;
  query::SeriesSource& results_;
};

}  // namespace monitor::rules

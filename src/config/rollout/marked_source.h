// MarkedSource: another source's series of the agents of a rollout, with the label "rollout": "changed" or "unchanged".
// Series of other agents are left out; series without the label "agent" are passed on. It also notes up to when each
// agent's data has arrived. One thread; the references must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/series.h"

namespace monitor::config::rollout {

class MarkedSource final : public query::SeriesSource {
 public:
  // `changed`: by agent. `now_ms`: up to when the source is read, so that data that came after a moment shows that the
  // moment's own is there.
  MarkedSource(query::SeriesSource& source, const std::map<std::string, bool, std::less<>>& changed, int64_t now_ms)
      : source_(source), changed_(changed), now_ms_(now_ms) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override;
  void limit_bytes(size_t bytes) override { source_.limit_bytes(bytes); }

  // The time of the newest value of each agent, over all series that were asked for.
  const std::map<std::string, int64_t, std::less<>>& newest_ms() const { return newest_ms_; }

 private:
  std::vector<query::StoredSeries> marked(std::vector<query::StoredSeries> found,
                                          std::span<const query::Matcher> conditions, int64_t to_ms);

  query::SeriesSource& source_;
  const std::map<std::string, bool, std::less<>>& changed_;
  const int64_t now_ms_;
  std::map<std::string, int64_t, std::less<>> newest_ms_;
};

}  // namespace monitor::config::rollout

// HistorySource: gives the query language the samples of the history.
//
// A series has its metric's name, its own labels, and "agent" and "host". A selector may use the names of this program
// ("system.cpu.utilization", cpu.mode) or those of Prometheus (system_cpu_utilization_ratio, cpu_mode); the result has
// the names that were used. A selector without a condition on the name uses the former.
//
// Values are the stored ones as long as the history has them in full; for older times, they are averages of 10 s, 1 min
// or 1 h, at the end of their interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "query/series.h"
#include "views/history/agent_facts.h"
#include "views/history/query.h"

namespace monitor::analysis::history {

struct SourceLimits {
  size_t max_points = 20'000'000;      // that one selector may find
  std::function<Status()> check = {};  // called now and then; an error ends the reading
};

// One thread. The reader must outlive it.
class HistorySource final : public query::SeriesSource {
 public:
  // `facts`: for own_series(); nullptr: there are none.
  explicit HistorySource(HistoryReader& reader, SourceLimits limits = {}, AgentFactsReader* facts = nullptr)
      : reader_(reader), limits_(std::move(limits)), facts_(facts) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;

  void limit_bytes(size_t bytes) override { max_bytes_ = bytes; }

  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override;

 private:
  Status select_agent(const KnownAgent& agent, std::span<const query::Matcher> matchers, int64_t from_ms, int64_t to_ms,
                      std::vector<query::StoredSeries>& found);

  HistoryReader& reader_;
  const SourceLimits limits_;
  AgentFactsReader* const facts_;
  size_t max_bytes_ = SIZE_MAX;
};

}  // namespace monitor::analysis::history

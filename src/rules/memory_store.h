// MemoryStore: a ResultStore that keeps everything in memory, for tests of rules and for replays.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rules/result_store.h"

namespace monitor::rules {

class MemoryStore final : public ResultStore {
 public:
  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;

  // The series whose metric has the name of the function: tests of rules note what is known of agents as
  // agent_state{agent="web-1", state="gone"}. The scores of unusual() are computed.
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override;

  // Series may be added at any time, in the order of time.
  Status begin() override { return {}; }
  Status append(const query::Labels& labels, const query::Point& point) override;
  Status save_rule(const std::string& /*group*/, const std::string& /*rule*/, const StoredRule& /*state*/) override {
    return {};
  }
  Status save_group(const std::string& /*group*/, int64_t /*evaluated_ms*/) override { return {}; }
  Status commit() override { return {}; }
  void rollback() override {}
  Result<std::optional<StoredGroup>> load(const std::string& /*group*/) override {
    return std::optional<StoredGroup>();
  }
  Status forget(const std::string& /*group*/) override { return {}; }

 private:
  using Series = std::vector<query::Point>;
  // By metric name first: nearly every selector names one.
  std::map<std::string, std::map<query::Labels, Series>, std::less<>> series_;
};

}  // namespace monitor::rules

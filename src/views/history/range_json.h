// RangeJson: writes the answer to a request for a range as JSON, agent by agent, so that nobody has to hold the numbers
// of all agents at once. /api/ui/v1/openapi.json describes the object.
//
// Not thread-safe. Times are seconds with up to six decimals; values are the shortest decimals that give the same
// double.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "views/history/query.h"
#include "views/history/range.h"

namespace monitor::analysis::history {

class RangeJson {
 public:
  // The request must outlive the object.
  RangeJson(const RangeRequest& request, Resolution resolution, const std::string& live_id);

  // All series of an agent.
  void add(std::span<const RangeSeries> series);
  std::string finish();

 private:
  void put_series(const RangeSeries& one);
  void put_times(const std::vector<int64_t>& times);
  void make_room(size_t added);

  const RangeRequest& request_;
  const bool reduced_;
  std::string out_;
  bool first_ = true;
  size_t agents_ = 0;  // that were added
  std::vector<std::string> metrics_;
  // The times of the last series and their text: the next one of the agent nearly always has the same.
  std::vector<int64_t> times_;
  std::string times_text_;
};

}  // namespace monitor::analysis::history

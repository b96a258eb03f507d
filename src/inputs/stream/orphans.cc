#include "inputs/stream/orphans.h"

#include <algorithm>
#include <utility>

namespace monitor::server {

void Orphans::adopt(uint32_t stream, uint64_t first_token, std::deque<size_t> costs) {
  const auto left =
      static_cast<size_t>(std::count_if(costs.begin(), costs.end(), [](size_t cost) { return cost != 0; }));
  if (left > 0) by_stream_[stream] = {first_token, std::move(costs), left};
}

void Orphans::reported(uint32_t stream, uint32_t token_low) {
  const auto found = by_stream_.find(stream);
  if (found == by_stream_.end()) return;
  Records& records = found->second;
  const uint32_t index = token_low - static_cast<uint32_t>(records.first_token);
  if (index >= records.costs.size() || records.costs[index] == 0) return;
  memory_.give_back(std::exchange(records.costs[index], 0));
  if (--records.left == 0) by_stream_.erase(found);
}

void Orphans::reset() {
  for (const auto& [stream, records] : by_stream_) {
    for (const size_t cost : records.costs) memory_.give_back(cost);
  }
  by_stream_.clear();
}

}  // namespace monitor::server

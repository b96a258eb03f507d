// Flights: the batches of one stream, from their arrival until the log has confirmed or rejected them. Tokens are those
// of stream::Receiver: contiguous, in the order of arrival.
//
// On the loop's thread. Pointers and references are valid until the next add() or forget_settled().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/fifo.h"

namespace monitor::server {

struct Flight {
  uint64_t token = 0;
  size_t bytes = 0;
  size_t cost = 0;  // taken from the memory budget; 0: released
  int64_t since_ns = 0;
  bool settled = false;
  bool copy = false;  // a copy of a batch that the log holds; not appended again
};

class Flights {
 public:
  bool empty() const { return all_.empty(); }
  // Includes settled ones that arrived after one that is not.
  size_t size() const { return all_.size(); }
  auto begin() { return all_.begin(); }
  auto end() { return all_.end(); }

  void add(const Flight& flight) { all_.push_back(flight); }
  // nullptr if it was forgotten, or never added.
  Flight* find(uint64_t token) {
    if (all_.empty() || token < all_.front().token) return nullptr;
    return at(token - all_.front().token);
  }
  // Finds an unsettled one by the low half of its token; nullptr as above.
  Flight* find_low(uint32_t token_low) {
    if (all_.empty()) return nullptr;
    Flight* const found = at(token_low - static_cast<uint32_t>(all_.front().token));
    return found != nullptr && !found->settled ? found : nullptr;
  }
  // Forgets the oldest ones up to the first that is not settled.
  void forget_settled() {
    while (!all_.empty() && all_.front().settled) all_.pop_front();
  }
  void clear() { all_.clear(); }

  // Only if not empty.
  uint64_t first_token() const { return all_.front().token; }
  std::deque<size_t> costs() const {
    std::deque<size_t> result;
    for (const Flight& flight : all_) result.push_back(flight.cost);
    return result;
  }

 private:
  Flight* at(uint64_t index) { return index < all_.size() ? &all_[static_cast<size_t>(index)] : nullptr; }

  Fifo<Flight> all_;
};

}  // namespace monitor::server

// Which batches of a partition were seen: by (agent, incarnation, sequence), for as long as a copy may still come.
// Not thread-safe: a reader has one a partition.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/consume/interval_set.h"
#include "analysis/consume/log_time.h"
#include "base/clock.h"
#include "base/result.h"

namespace monitor::analysis {

class Dedupe {
 public:
  // Agents drop what is older than this, so no copy comes later.
  static constexpr int64_t kKeepNs = int64_t{7} * 24 * 3600 * kNanosPerSecond;

  bool seen(std::string_view agent, std::string_view incarnation, uint64_t sequence) const;
  void add(std::string_view agent, std::string_view incarnation, uint64_t sequence, int64_t log_time_ns);

  // Forgets incarnations whose last record is older than kKeepNs before the log's time (log_time.h).
  void prune();
  size_t incarnations() const { return seen_.size(); }

  void encode(std::string& out) const;
  static Result<Dedupe> decode(std::string_view bytes);

 private:
  struct Entry {
    IntervalSet sequences;
    int64_t last_time_ns = 0;
  };
  // Ordered and looked up without making a string.
  using Key = std::pair<std::string, std::string>;
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return std::pair<std::string_view, std::string_view>(a) < std::pair<std::string_view, std::string_view>(b);
    }
  };
  std::map<Key, Entry, Less> seen_;
  LogTime now_;
};

}  // namespace monitor::analysis

// TopList: which processes have series of their own: those with the most CPU time, the most memory and the most I/O.
//
// A new series costs every reader of the log memory and an entry in its index, so the list changes slowly. A process
// enters when it was among the top ones in two successive readings, so that short-lived ones do not, and at most as
// many as a ranking has places enter per minute. It stays for kReadingsKept readings after it was last among the top
// ones, and leaves when it ends. The first list is complete at once.
//
// Pure; the clock is the caller's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/process_table.h"

namespace monitor::agent {

// The series of a process; kNoSeries: not needed yet.
struct ProcessSeries {
  metrics::SeriesId cpu = kNoSeries;
  metrics::SeriesId memory = kNoSeries;
  std::array<metrics::SeriesId, 2> io_rates{kNoSeries, kNoSeries};  // read, written
  std::array<metrics::SeriesId, 2> io{kNoSeries, kNoSeries};
};

// A process of the list.
struct ListedProcess {
  uint32_t pid = 0;
  uint64_t start_ticks = 0;
  uint64_t ranked_at = 0;  // the last reading in which it was among the top ones
  // The collector's; the labels decide which series these are.
  std::string command;
  std::string owner;
  ProcessSeries series;
};

class TopList {
 public:
  static constexpr uint64_t kReadingsKept = 12;
  // The list has at most this many times the places of a ranking.
  static constexpr size_t kMostRankings = 4;

  // Chooses from a reading that has a reading before it. `places`: of each ranking.
  void update(ProcessTable& table, size_t places, int64_t mono_ns);
  void clear() { *this = TopList(); }
  void forget_series();

  std::vector<ListedProcess>& processes() { return listed_; }

 private:
  enum Ranking { kCpu, kMemory, kIo, kRankings };

  void rank(ProcessTable& table, size_t places);
  void leave(ProcessTable& table);
  void refill(size_t places, int64_t mono_ns);
  void enter(ProcessTable& table, size_t places);
  bool make_room(size_t most);
  bool is_listed(const Process& process) const;

  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  int64_t credit_ = 0;                 // entries that are allowed, times a minute in nanoseconds
  std::vector<ListedProcess> listed_;  // in the order in which they entered
  // The indexes in the table of the top processes of this reading, the largest amount first.
  std::array<std::vector<uint32_t>, kRankings> top_;
  std::vector<std::pair<uint64_t, uint32_t>> amounts_;  // with the index; kept to reuse its memory
};

}  // namespace monitor::agent

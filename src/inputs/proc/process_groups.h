// ProcessGroups: sums over the processes of each user, and over those whose names match a pattern.
//
// The number of series depends on the configuration and on the users of the host, not on what runs there. All methods
// run on the agent's loop.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/process_table.h"

namespace monitor::agent {

class ProcessGroups {
 public:
  static constexpr size_t kMostUsers = 100;  // those with the lowest numbers

  // How to read and convert what processes used.
  struct Reading {
    const ProcessTable& table;
    std::function<std::string(uint32_t user)> user_name;
    std::function<int64_t(uint64_t cpu_ticks)> share;  // of all processors, in steps of 10^kFineShareExponent
    uint64_t page_bytes = 0;
    int64_t elapsed_ns = 0;
  };

  void configure(const std::vector<std::string>& patterns, bool per_user);
  void forget_series();
  // Adds the figures of a reading that has a reading before it.
  void add(const Reading& reading, TickBuilder& out);

 private:
  struct Group {
    // Of this reading.
    uint64_t processes = 0;
    uint64_t cpu_growth = 0;
    uint64_t rss_pages = 0;
    std::array<uint64_t, 2> io_growth{};
    uint64_t io_known = 0;    // processes whose I/O could be read
    bool io_refused = false;  // that of one could not
    // kNoSeries: not needed yet.
    metrics::SeriesId count = kNoSeries;
    metrics::SeriesId cpu = kNoSeries;
    metrics::SeriesId memory = kNoSeries;
    std::array<metrics::SeriesId, 2> io{kNoSeries, kNoSeries};

    void clear();
    void take(const Process& process);
  };

  void sum(const ProcessTable& table);
  static void add_group(Group& group, std::string_view label, const std::function<std::string()>& value,
                        const Reading& reading, TickBuilder& out);

  std::vector<std::pair<std::string, Group>> by_pattern_;
  bool per_user_ = false;
  std::map<uint32_t, Group> by_user_;
};

}  // namespace monitor::agent

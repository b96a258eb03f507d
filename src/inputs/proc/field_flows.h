// FieldFlows: metrics that are single numbers of the kernel's files, such as "Tcp: RetransSegs" of net/snmp. A table
// says which number becomes which series; counters become rates, and with `counters` also the kernel's counters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inputs/collector.h"

namespace monitor::agent {

// One series. Several fields with the same metric and labels add up.
struct FieldFlow {
  std::string_view selector;
  std::string_view field;   // "Tcp RetransSegs": the line's or file's name and the field's
  std::string_view metric;  // of a counter, that of the counter: the rate has ".rate" at its end
  std::string_view label = {};
  std::string_view value = {};
  std::string_view label2 = {};
  std::string_view value2 = {};
  bool gauge = false;
  uint64_t scale = 1;  // the value is the field times this number
};

class FieldFlows {
 public:
  // `table` must outlive it.
  explicit FieldFlows(std::span<const FieldFlow> table) : table_(table) {}

  // The selectors of the table that are selected. Baselines of those that were not selected before are dropped.
  void configure(const std::vector<config::MetricSelection>& selections);
  bool wanted() const { return wanted_; }
  bool wants(std::string_view selector) const;
  void adopt(const FieldFlows& other);
  void forget_series();

  // One reading: begin(), set() for every field that is there, finish().
  void begin();
  // Fields that no series needs are ignored.
  void set(std::string_view group, std::string_view field, uint64_t value);
  void finish(const Timestamp& now, TickBuilder& out);

 private:
  struct Series {
    const FieldFlow* flow = nullptr;
    std::optional<uint64_t> sum;  // of this reading
    Delta delta;
    metrics::SeriesId rate_id = kNoSeries;  // of a gauge: its only series
    metrics::SeriesId counter_id = kNoSeries;
  };
  struct Selected {
    bool now = false;
    bool counters = false;
  };

  void build();
  static metrics::SeriesId intern(const FieldFlow& flow, const std::string& metric, TickBuilder& out);
  void add(Series& series, bool counters, int64_t elapsed_ns, TickBuilder& out);

  std::span<const FieldFlow> table_;
  std::vector<Series> series_;
  std::unordered_map<std::string, std::vector<std::pair<size_t, uint64_t>>> fields_;  // series and scale
  std::unordered_map<std::string_view, Selected> selected_;
  std::string key_;  // kept to reuse its memory
  bool wanted_ = false;
  int64_t last_mono_ = 0;
};

// Passes the numbers of net/snmp and net/netstat, where a line of names precedes one of values: "Tcp: A B" and
// "Tcp: 1 2". Negative values are left out.
void read_paired_lines(std::string_view text, FieldFlows& flows);
// "name 5" (vmstat) and "Name: 5 kB" (meminfo), under the group `group`.
void read_named_lines(std::string_view text, std::string_view group, FieldFlows& flows);

}  // namespace monitor::agent

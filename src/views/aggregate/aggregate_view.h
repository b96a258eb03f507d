// AggregateView: aggregates over windows of event time, as a view of a Consumer. Its state is in the consumer's
// snapshots, so that windows are exact through kills and rebalances.
//
// A window is emitted once all data up to its end plus the lateness has come (Progress), and again, with a higher
// revision, after late data has changed it. When it is emitted depends only on the records of its partitions, except
// after a silence (pass()). So a reader that repeats records after a kill emits the same rows with the same keys.
//
// With the dimension `agent`, all data of a group is in one partition, and partitions are independent. Without it, a
// row merges all partitions; emission waits for the slowest one, and for the reader to hold them all.
//
// Not thread-safe. Spec and registry must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consume/view.h"
#include "telemetry/registry.h"
#include "views/aggregate/partition_windows.h"
#include "views/aggregate/spec.h"

namespace monitor::analysis {

struct AggregateRow {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  Group group;
  uint32_t revision = 0;  // 0: the first result of this window and group
  // False if the window was not over, or records that may belong to it were not read.
  bool complete = true;
  std::vector<double> values;  // one for each stat of the spec; NaN: unknown
};

// Identifies window and group: the JSON array ["aggregate","2026-11-30T06:40:00Z",60,"metric","unit",{"agent":"a"}].
std::string row_key(const AggregateSpec& spec, const AggregateRow& row);

class AggregateView final : public View {
 public:
  AggregateView(const AggregateSpec& spec, telemetry::Registry& registry);

  std::string_view kind() const override { return "aggregate"; }
  void fresh(int32_t partition, const metriclog::Extent& extent) override;
  Status decode(int32_t partition, uint32_t version, std::string_view bytes) override;
  void encode(int32_t partition, std::string& out) override;
  void on_revoked(int32_t partition) override;
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override;
  void on_lost(int32_t partition, int64_t from, int64_t to) override;

  // Call it while the log is readable and has nothing new: agents that have gone are then not waited for.
  void pass(int64_t mono_ns);
  // Emits nothing while it is paused; only for rows of several partitions.
  void set_paused(bool paused) { paused_ = paused; }
  // Emits only the first `windows` windows.
  void limit(size_t windows) { limit_ = windows; }
  // True once the limit is reached in all partitions.
  bool reached_limit() const;
  bool spans_partitions() const { return joined_; }

  // What was emitted since the last call.
  std::vector<AggregateRow> take_rows() { return std::exchange(rows_, {}); }
  // All windows that are not over yet, and pending corrections, as they are. Changes nothing.
  std::vector<AggregateRow> open_rows();

  const LeftOut& left_out() const { return left_out_; }
  // Names of some series that were refused since the last call.
  std::vector<std::string> take_refused_names();

 private:
  struct Partition {
    PartitionWindows windows;
    int64_t last_record_mono_ns = -1;  // -1: pass() was not called since the last record
  };
  // What a row is made of.
  struct Parts {
    std::vector<std::pair<const Cell*, int32_t>> cells;  // with their partitions
    const Group* group = nullptr;
    uint32_t revision = 0;
  };
  using Members = std::vector<std::pair<int32_t, Partition*>>;
  using RowsOfWindow = std::map<std::string_view, Parts>;  // by the group's key

  Members all();
  void advance(int32_t partition);
  void emit(const Members& members);
  int64_t due_of(const Members& members) const;
  bool corrections_due(const Members& members, int64_t due_ns) const;
  static RowsOfWindow parts_of(const Members& members, int64_t window_ns);
  AggregateRow row_of(const Parts& parts, int64_t window_ns, bool complete) const;
  void add_rows(const Members& members, int64_t window_ns, const std::set<std::string>* only);
  void count_left_out(const LeftOut& before, const LeftOut& after);
  static bool is_whole(const Members& members, int64_t window_ns);

  const AggregateSpec& spec_;
  const bool joined_;
  std::map<int32_t, Partition> partitions_;
  std::vector<AggregateRow> rows_;
  std::set<int64_t> starts_;  // of windows emitted; bounded by remembering only the newest ones without a limit
  size_t limit_ = SIZE_MAX;
  int64_t limit_end_ns_ = INT64_MAX;
  bool paused_ = false;
  LeftOut left_out_;
  telemetry::Counter& emitted_;
  telemetry::Counter& corrected_;
  telemetry::Counter& too_late_;
  telemetry::Counter& ahead_;
  telemetry::Counter& refused_;
};

}  // namespace monitor::analysis

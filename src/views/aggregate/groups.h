// GroupTable: numbers the series and the groups of a partition, so that cells are found by index instead of by name.
//
// A number is valid until release(), which frees those that were not used recently; epoch() changes then. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "views/aggregate/spec.h"

namespace monitor::analysis {

struct Group {
  std::string metric;
  std::string unit;
  // The dimensions in the order of the spec. All labels of a series are one value here: "a=1;b=2".
  std::vector<std::string> columns;
  // The same with one entry for each label.
  std::vector<std::pair<std::string, std::string>> by;
  // JSON without spaces: "metric","unit",{"agent":"a"}. Different for different groups, and never changes.
  std::string key;

  // Sets `key`.
  void name();
};

class GroupTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit GroupTable(const AggregateSpec& spec) : spec_(spec) {}

  // The number of a series of the batch; kNone if the table is full.
  uint32_t find_or_add(const metrics::Batch& batch, const metrics::Series& series);
  uint32_t group_of(uint32_t series) const { return series_[series].group; }
  bool is_counter(uint32_t series) const { return series_[series].counter; }
  const Group& group(uint32_t number) const { return groups_[number].group; }
  // All numbers are lower.
  size_t groups_bound() const { return groups_.size(); }
  size_t series_bound() const { return series_.size(); }
  bool has_group(uint32_t number) const { return number < groups_.size() && groups_[number].used; }
  size_t series() const { return by_name_.size(); }

  // Marks the series and its group as used in the pane that starts at this time.
  void use(uint32_t series, int64_t pane_ns) {
    SeriesEntry& entry = series_[series];
    if (entry.last_ns >= pane_ns) return;
    entry.last_ns = pane_ns;
    GroupEntry& group = groups_[entry.group];
    if (group.last_ns < pane_ns) group.last_ns = pane_ns;
  }
  void use_all(int64_t pane_ns);
  // Frees what was only used in panes before this time.
  void release(int64_t before_ns);
  uint64_t epoch() const { return epoch_; }

  void encode(std::string& out) const;
  Status decode(std::string_view bytes);

 private:
  struct SeriesEntry {
    std::string name;  // agent and identity; empty: free
    uint32_t group = 0;
    bool counter = false;
    int64_t last_ns = INT64_MIN;
  };
  struct GroupEntry {
    Group group;
    bool used = false;
    int64_t last_ns = INT64_MIN;
  };
  Group make_group(const metrics::Batch& batch, const metrics::Series& series) const;
  uint32_t number_of(Group group);
  Status decode_group(std::string_view bytes);
  Status decode_series(std::string_view bytes);

  const AggregateSpec& spec_;
  std::vector<SeriesEntry> series_;
  std::vector<GroupEntry> groups_;
  std::vector<uint32_t> free_series_;
  std::vector<uint32_t> free_groups_;
  std::unordered_map<std::string, uint32_t> by_name_;
  std::unordered_map<std::string, uint32_t> by_key_;
  uint64_t epoch_ = 0;
};

}  // namespace monitor::analysis

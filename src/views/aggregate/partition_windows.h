// PartitionWindows: the open and the recent windows of one partition. Batches go in; merged cells of windows come out.
//
// A pane is a stretch of event time, pane_ns() long, with one cell for each group that has values in it. A window is
// the merge of its panes. After a window was taken, its panes are kept for keep_ns, so that late data corrects it.
//
// Not thread-safe. The spec must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/protowire.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "views/aggregate/cell.h"
#include "views/aggregate/groups.h"
#include "views/aggregate/progress.h"
#include "views/aggregate/spec.h"

namespace monitor::analysis {

// Points that are in no window.
struct LeftOut {
  uint64_t too_late = 0;  // older than what is kept
  uint64_t ahead = 0;     // in the future of the log
  uint64_t refused = 0;   // beyond the limits on series and cells
};

// When results were emitted. Part of the state, so that a reader continues after a kill as if there had been none.
struct Pace {
  int64_t log_second_ns = INT64_MIN;    // of the last record
  int64_t corrected_at_ns = INT64_MIN;  // due_ns() when corrections were last emitted
};

class PartitionWindows {
 public:
  explicit PartitionWindows(const AggregateSpec& spec)
      : spec_(spec), wanted_(spec), pane_ns_(spec.pane_ns()), groups_(spec) {}

  // Windows that begin before the first record's time are incomplete, because earlier records were not read.
  void begin_midway() { unread_before_first_ = true; }

  void apply(const metriclog::Record& record, const metrics::Batch& batch);
  // Nothing has come for this long.
  void set_silence(int64_t silence_ns) { progress_.set_silence(silence_ns); }

  // Event time that no window waits for any more: the watermark minus the lateness.
  int64_t due_ns();
  // Windows that end at or before this time were taken.
  int64_t taken_until_ns() const { return taken_until_ns_; }

  // Starts of the windows with values that end in (taken_until_ns(), until_ns].
  std::vector<int64_t> windows_until(int64_t until_ns) const;
  // Starts of all windows with values that were not taken.
  std::vector<int64_t> open_windows() const;
  // Windows that were taken, and have got values since: start and group.
  const std::set<std::pair<int64_t, uint32_t>>& corrections() const { return corrections_; }
  // Marks windows up to this time as taken, and drops what is too old.
  void take_until(int64_t until_ns);
  // Counts a revision for each pending correction.
  void take_corrections();

  // The cells of a window: by group, one for each pane with values.
  std::map<uint32_t, std::vector<const Cell*>> cells_of(int64_t window_ns) const;
  uint32_t revision(int64_t window_ns, uint32_t group) const;
  // False if records that may belong to the window were not read.
  bool is_whole(int64_t window_ns) const { return window_ns >= whole_from_ns_; }
  const GroupTable& groups() const { return groups_; }
  Pace& pace() { return pace_; }
  const Pace& pace() const { return pace_; }
  const LeftOut& left_out() const { return left_out_; }
  // Why the last points were refused: the names of some series. Reading clears it.
  std::vector<std::string> take_refused_names() { return std::exchange(refused_names_, {}); }
  size_t cells() const { return cell_count_; }

  void encode(std::string& out) const;
  // kDataLoss: malformed, or of other windows.
  static Result<PartitionWindows> decode(std::string_view bytes, const AggregateSpec& spec);

 private:
  struct Pane {
    std::vector<std::unique_ptr<Cell>> cells;  // by group
    std::vector<bool> corrected;  // by group: its windows are among the corrections, as far as they were taken
  };
  // What the agent's series were numbered when its list of series was last seen.
  struct Numbers {
    std::vector<metrics::Series> list;
    std::string host;
    std::vector<uint32_t> series;  // kNone: not wanted, or no room
    uint64_t epoch = UINT64_MAX;
    int64_t pane_ns = INT64_MIN;  // their use was noted in this pane
  };
  Numbers& numbers_of(const metrics::Batch& batch);
  void add_frame(const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns, Numbers& numbers);
  Cell* cell_for(Pane& pane, uint32_t group);
  void note_late(int64_t pane_ns, Pane& pane, uint32_t group);
  void refuse(const metrics::Series& series, const std::string& agent);
  void drop_old_panes();
  // Start of the first and the last window that contains the pane.
  int64_t first_window(int64_t pane_ns) const;
  int64_t last_window(int64_t pane_ns) const { return floor_to(pane_ns, spec_.slide_ns); }
  void encode_panes(std::string& out) const;
  Status decode_pane(std::string_view bytes);
  Status decode_revision(std::string_view bytes, bool pending);
  void decode_number(const protowire::Field& field);

  const AggregateSpec& spec_;
  Wanted wanted_;
  int64_t pane_ns_;
  GroupTable groups_;
  Progress progress_;
  std::map<int64_t, Pane> panes_;                     // by start
  std::unordered_map<std::string, Numbers> numbers_;  // by agent; a cache
  int64_t taken_until_ns_ = INT64_MIN;
  int64_t whole_from_ns_ = INT64_MIN;
  bool unread_before_first_ = false;
  std::map<std::pair<int64_t, uint32_t>, uint32_t> revisions_;  // only of windows that were corrected
  std::set<std::pair<int64_t, uint32_t>> corrections_;
  size_t cell_count_ = 0;
  LeftOut left_out_;
  Pace pace_;
  std::vector<std::string> refused_names_;
};

}  // namespace monitor::analysis

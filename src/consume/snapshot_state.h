// The state in a consumer's snapshots, as Protocol Buffers: the batches that were seen (Dedupe's fields), and one
// message for each view. Field numbers are for ever; unknown fields are skipped. Pure.
//
//   repeated ViewState views = 5;  ViewState: string kind = 1, uint32 version = 2, bytes state = 3,
//                                  uint64 frames_taken = 4, bool taken_whole = 5
//
// Before views, there was one sink and at most one state: uint64 frames_taken = 2, string kind = 3, bytes state = 4.
// That form is still read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis {

// The view whose snapshots named nothing before there were several.
inline constexpr std::string_view kNoView = "get-metrics";

// How much a view took of the record that comes next.
struct Taken {
  uint64_t frames = 0;
  bool whole = false;
};

struct ViewState {
  std::string kind;
  uint32_t version = 1;
  std::string bytes;
  Taken taken;
};

struct SnapshotState {
  bool empty = true;  // a position without a state
  std::vector<ViewState> views;

  // Null when it has none of this kind.
  const ViewState* find(std::string_view kind) const;
};

SnapshotState read_snapshot_state(std::string_view bytes);
void append_view_state(std::string& out, const ViewState& view);

}  // namespace monitor::analysis

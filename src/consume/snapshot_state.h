// The state in a consumer's snapshots, as Protocol Buffers: the batches that were seen (Dedupe's fields), and one
// message per view. Field numbers must never change; unknown fields are skipped. Pure.
//
//   repeated ViewState views = 5;  ViewState: string kind = 1, uint32 version = 2, bytes state = 3,
//                                  uint64 frames_taken = 4, bool taken_whole = 5
//
// Before views existed, there was one sink with at most one state: uint64 frames_taken = 2, string kind = 3, bytes
// state = 4. This form can still be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis {

// The kind of a state without a name, from before there were several views.
inline constexpr std::string_view kNoView = "get-metrics";

// How much a view took of the next record.
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

  // nullptr if there is no state of this kind.
  const ViewState* find(std::string_view kind) const;
};

SnapshotState read_snapshot_state(std::string_view bytes);
void append_view_state(std::string& out, const ViewState& view);

}  // namespace monitor::analysis

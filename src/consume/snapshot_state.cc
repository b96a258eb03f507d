#include "consume/snapshot_state.h"

#include <algorithm>
#include <utility>

#include "base/protowire.h"

namespace monitor::analysis {

namespace {

enum : uint32_t { kOldFramesTaken = 2, kOldKind = 3, kOldState = 4, kView = 5 };
enum : uint32_t { kKind = 1, kVersion = 2, kState = 3, kFramesTaken = 4, kTakenWhole = 5 };
// In old snapshots, the page's ledger and history shared one state, which contained only the ledger.
constexpr std::string_view kOldPage = "history+ledger";

ViewState read_view(std::string_view bytes) {
  ViewState view;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kKind) view.kind = field->bytes;
    if (field->number == kVersion) view.version = static_cast<uint32_t>(field->value);
    if (field->number == kState) view.bytes = field->bytes;
    if (field->number == kFramesTaken) view.taken.frames = field->value;
    if (field->number == kTakenWhole) view.taken.whole = field->value != 0;
  }
  return view;
}

}  // namespace

const ViewState* SnapshotState::find(std::string_view kind) const {
  const auto found = std::ranges::find(views, kind, &ViewState::kind);
  return found == views.end() ? nullptr : &*found;
}

SnapshotState read_snapshot_state(std::string_view bytes) {
  SnapshotState state;
  state.empty = bytes.empty();
  ViewState old;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kOldFramesTaken) old.taken.frames = field->value;
    if (field->number == kOldKind) old.kind = field->bytes;
    if (field->number == kOldState) old.bytes = field->bytes;
    if (field->number == kView) state.views.push_back(read_view(field->bytes));
  }
  if (state.empty || !state.views.empty()) return state;
  if (old.kind == kOldPage) {
    old.kind = "ledger";
    state.views.push_back({.kind = "history", .version = 1, .bytes = {}, .taken = {}});
  }
  if (old.kind.empty()) old.kind = kNoView;
  state.views.push_back(std::move(old));
  return state;
}

void append_view_state(std::string& out, const ViewState& view) {
  std::string bytes;
  protowire::put_bytes(bytes, kKind, view.kind);
  protowire::put_uint64(bytes, kVersion, view.version);
  protowire::put_bytes(bytes, kState, view.bytes);
  protowire::put_uint64(bytes, kFramesTaken, view.taken.frames);
  protowire::put_uint64(bytes, kTakenWhole, view.taken.whole ? 1 : 0);
  protowire::put_message(out, kView, bytes);
}

}  // namespace monitor::analysis

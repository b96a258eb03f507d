#include "spool/recovery.h"

#include <algorithm>
#include <map>

#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr size_t kNamesInLog = 3;

std::string some_of(const std::vector<std::string>& names) {
  std::vector<std::string> first(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesInLog)));
  std::string text = join(first, ", ");
  if (names.size() > kNamesInLog) text += " ...";
  return sanitize_utf8(text);
}

}  // namespace

// Each earlier run once: in the order of the checkpoint, then in that of the segments.
std::vector<std::string> Recovery::incarnations(const FolderContent& content) const {
  std::vector<std::string> found;
  const auto add = [&](const std::string& incarnation) {
    if (incarnation.empty() || incarnation == tracker_.incarnation()) return;
    if (std::find(found.begin(), found.end(), incarnation) == found.end()) found.push_back(incarnation);
  };
  if (checkpoint_ != nullptr) {
    for (const IncarnationState& state : checkpoint_->incarnations) add(state.incarnation);
  }
  for (const SegmentInfo& segment : content.segments) add(segment.incarnation);
  return found;
}

const IncarnationState* Recovery::state_of(const std::string& incarnation) const {
  if (checkpoint_ == nullptr) return nullptr;
  const auto& all = checkpoint_->incarnations;
  const auto state =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.incarnation == incarnation; });
  return state == all.end() ? nullptr : &*state;
}

void Recovery::run(FolderContent& content) {
  const std::vector<std::string> found = incarnations(content);
  store_.adopt(content, checkpoint_ == nullptr ? 0 : checkpoint_->segment);
  for (const std::string& incarnation : found) adopt(incarnation);
  PendingReports reports;
  if (checkpoint_ != nullptr) reports = checkpoint_->reports;
  adopt_ends(reports);
  listener_.on_recovered(reports, tracker_.index().settled());
  // Only after the listener knows what was reported before.
  for (const std::string& incarnation : found) lose_missing(incarnation);
}

// Everything up to its last sequence that is not resolved waits.
void Recovery::adopt(const std::string& incarnation) {
  PendingIndex::Entry& entry = tracker_.index().entry(incarnation);
  const IncarnationState* const state = state_of(incarnation);
  if (state != nullptr) {
    entry.end_reported = state->end_reported;
    entry.clean = state->clean;
  }
  IntervalSet known;
  for (const auto& [number, segment] : store_.segments()) {
    if (segment.incarnation != incarnation) continue;
    for (const auto& [first, last] : segment.sequences.intervals()) known.add(first, last);
    for (const BatchInfo& torn : segment.torn) known.add(torn.sequence);
    entry.last_time_ns = std::max(entry.last_time_ns, segment.last_time_ns);
  }
  entry.last_sequence = known.last();
  IntervalSet settled;
  if (state != nullptr) {
    entry.last_sequence = std::max({entry.last_sequence, state->last_sequence, state->settled.last()});
    entry.last_time_ns = std::max(entry.last_time_ns, state->last_time_ns);
    settled = state->settled;
  } else if (checkpoint_ == nullptr && known.first() > 1) {
    // Without a checkpoint, nothing is known about earlier batches. (A checkpoint that lacks this run shows that
    // nothing of the run was deleted. Batches below its first record were then only in memory, and are reported as
    // damaged.)
    settled.add(1, known.first() - 1);
  }
  if (entry.last_sequence > 0) entry.waiting.add(1, entry.last_sequence);
  for (const auto& [first, last] : settled.intervals()) entry.waiting.remove(first, last);
}

void Recovery::lose_missing(const std::string& incarnation) {
  IntervalSet missing = tracker_.index().entry(incarnation).waiting;
  std::map<uint64_t, BatchInfo> torn;
  for (const auto& [number, segment] : store_.segments()) {
    if (segment.incarnation != incarnation) continue;
    for (const auto& [first, last] : segment.sequences.intervals()) missing.remove(first, last);
    for (const BatchInfo& info : segment.torn) torn[info.sequence] = info;
  }
  tracker_.lose_each(missing, torn, incarnation, metrics::reason::kDamaged);
}

// Reports runs whose end was not reported yet.
void Recovery::adopt_ends(PendingReports& reports) {
  for (PendingIndex::Entry& entry : tracker_.index().entries()) {
    if (entry.incarnation == tracker_.incarnation() || entry.end_reported) continue;
    entry.end_reported = true;
    if (entry.last_sequence == 0) continue;
    reports.ended.push_back({entry.incarnation, entry.last_sequence, entry.last_time_ns, entry.clean});
    log_info("an earlier run of this agent ended",
             {{"incarnation", hex(entry.incarnation)}, {"last_sequence", entry.last_sequence}, {"clean", entry.clean}});
  }
}

void log_recovery(const std::string& folder, const FolderContent& content, const SegmentStore& store, uint64_t waiting,
                  uint64_t damaged_bytes) {
  if (!content.foreign.empty()) {
    log_warning("the spool's folder contains foreign files, which are not touched",
                {{"folder", folder}, {"files", content.foreign.size()}, {"names", some_of(content.foreign)}});
  }
  if (!content.newer.empty()) {
    log_warning("segments of a newer version are not touched; the newer program sends them",
                {{"folder", folder}, {"files", content.newer.size()}, {"names", some_of(content.newer)}});
  }
  if (!content.unreadable.empty()) {
    log_error("segments cannot be read, and are not touched",
              {{"folder", folder}, {"files", content.unreadable.size()}, {"names", some_of(content.unreadable)}});
  }
  log_info("spool opened", {{"folder", folder},
                            {"segments", store.segments().size()},
                            {"bytes", store.disk_bytes()},
                            {"waiting", waiting},
                            {"damaged_bytes", damaged_bytes}});
}

}  // namespace monitor::agent

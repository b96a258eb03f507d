#include "spool/inspect.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/counted.h"
#include "base/escape.h"
#include "base/hex.h"
#include "base/size_format.h"
#include "base/text.h"
#include "base/time_format.h"
#include "spool/checkpoint.h"
#include "spool/folder.h"

namespace monitor::agent {

namespace {

std::string ranges(const IntervalSet& set) {
  constexpr size_t kMost = 4;
  std::string text;
  size_t shown = 0;
  for (const auto& [first, last] : set.intervals()) {
    if (shown++ == kMost) return text + fmt::format(",... ({} ranges)", set.intervals().size());
    text += fmt::format("{}{}", text.empty() ? "" : ",", first);
    if (last != first) text += fmt::format("-{}", last);
  }
  return text.empty() ? "-" : text;
}

// The start of an incarnation, for people.
std::string short_name(const std::string& incarnation) {
  return incarnation.empty() ? "-" : hex(incarnation).substr(0, 8);
}

struct Verified {
  uint64_t records = 0;
  uint64_t damaged_records = 0;
  uint64_t damaged_bytes = 0;
  IntervalSet intact;
};

Result<Verified> verify(FileDisk& disk, const std::string& folder, const SegmentInfo& segment) {
  auto file = disk.open_file(folder + "/" + segment_name(segment.number), FileDisk::Open::kRead);
  if (!file) return file.error();
  Verified result;
  SegmentScanner scanner(**file, segment.number, segment.size, segment.begin, SegmentScanner::Read::kPayloads);
  scanner.give_up();
  result.damaged_bytes = segment.begin == 0 ? kSegmentHeaderBytes : 0;
  while (true) {
    const auto found = scanner.next();
    if (!found) return found.error();
    if (found->kind == Found::Kind::kEnd) return result;
    if (found->kind == Found::Kind::kDamage) result.damaged_bytes += found->bytes;
    if (found->kind != Found::Kind::kRecord || found->header.kind != RecordKind::kBatch) continue;
    if (found->intact) {
      ++result.records;
      result.intact.add(found->header.sequence);
    } else {
      ++result.damaged_records;
      result.damaged_bytes += found->bytes;
    }
  }
}

class Reporter {
 public:
  Reporter(FileDisk& disk, std::string folder, Inspect how) : disk_(disk), folder_(std::move(folder)), how_(how) {}

  InspectReport run(const FolderContent& content) {
    checkpoint();
    if (!content.segments.empty()) {
      line("{:<16}  {:>10}  {:<8}  {:<20}  {:<24}  state", "segment", "bytes", "run", "last batch", "sequences");
    }
    uint64_t bytes = 0;
    for (const SegmentInfo& segment : content.segments) {
      bytes += segment.size;
      show(segment);
    }
    for (const uint64_t number : content.empty) line("{:016x}  empty", number);
    for (const std::string& name : content.foreign) line("{}  foreign, not touched", printable(name));
    for (const std::string& name : content.newer) line("{}  of a newer version, not touched", printable(name));
    for (const std::string& name : content.unreadable) {
      line("{}  unreadable", printable(name));
      report_.damaged = true;
    }
    line("{}, {}", counted(content.segments.size(), "segment"), format_size(bytes));
    if (how_ == Inspect::kVerify) line("{}", report_.damaged ? "damage found" : "everything is intact");
    return std::move(report_);
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    report_.text += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  void checkpoint() {
    auto file = disk_.open_file(folder_ + "/checkpoint", FileDisk::Open::kRead);
    if (!file) return line("checkpoint: {}", file.error().message());
    const CheckpointContent content = read_checkpoint(**file);
    if (content.newer) return line("checkpoint: written by a newer version");
    if (!content.checkpoint) {
      report_.damaged = true;
      return line("checkpoint: no valid slot; all batches found would be sent again");
    }
    line("checkpoint: generation {}, {}, {}", content.generation,
         counted(content.checkpoint->reports.drops.size(), "drop record"),
         counted(content.checkpoint->reports.ended.size(), "unreported end"));
    for (const IncarnationState& state : content.checkpoint->incarnations) {
      line("  run {}: settled {} of 1-{}{}{}", short_name(state.incarnation), ranges(state.settled),
           state.last_sequence, state.clean ? ", stopped in order" : "", state.end_reported ? ", end reported" : "");
      settled_[state.incarnation] = state.settled;
    }
  }

  void show(const SegmentInfo& segment) {
    std::string state = segment.sealed ? "sealed" : "open";
    if (segment.begin == 0) state += ", header damaged";
    IntervalSet waiting = segment.sequences;
    waiting.remove(settled_[segment.incarnation]);
    state += waiting.empty() ? ", settled" : ", " + counted(waiting.count(), "waits", "wait");
    if (segment.damaged_bytes > 0) state += fmt::format(", {} damaged", counted(segment.damaged_bytes, "byte"));
    if (how_ == Inspect::kVerify) state += verified(segment);
    const std::string time = segment.newest_appended_ns == 0 ? "-" : format_rfc3339(segment.newest_appended_ns, 0);
    line("{:016x}  {:>10}  {:<8}  {:<20}  {:<24}  {}", segment.number, segment.size, short_name(segment.incarnation),
         time, ranges(segment.sequences), state);
  }

  std::string verified(const SegmentInfo& segment) {
    const auto result = verify(disk_, folder_, segment);
    if (!result) {
      report_.damaged = true;
      return ", unreadable: " + result.error().message();
    }
    IntervalSet missing = segment.sequences;
    missing.remove(result->intact);
    const bool damaged = result->damaged_bytes > 0 || !missing.empty();
    report_.damaged = report_.damaged || damaged;
    std::string text = "; " + counted(result->records, "record checks", "records check");
    if (damaged)
      text += fmt::format(", {} damaged, {}", result->damaged_records, counted(result->damaged_bytes, "byte"));
    if (!missing.empty()) text += ", missing " + ranges(missing);
    return text;
  }

  FileDisk& disk_;
  std::string folder_;
  Inspect how_;
  InspectReport report_;
  std::map<std::string, IntervalSet> settled_;
};

}  // namespace

Result<InspectReport> inspect_spool(FileDisk& disk, const std::string& folder, Inspect how) {
  const auto content = read_folder(disk, folder, Unreadable::kIsPassedOver);
  if (!content) return content.error();
  return Reporter(disk, folder, how).run(*content);
}

}  // namespace monitor::agent

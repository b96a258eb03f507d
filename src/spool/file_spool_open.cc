// FileSpool: what a start makes of what it finds.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "spool/file_spool.h"
#include "spool/format.h"

namespace monitor::agent {

namespace {

// As often is a folder tried in which something cannot be read; then what can be is used.
constexpr int kPatience = 3;
constexpr size_t kNamesInLog = 3;

std::string some_of(const std::vector<std::string>& names) {
  std::vector<std::string> first(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesInLog)));
  std::string text = join(first, ", ");
  if (names.size() > kNamesInLog) text += " ...";
  return sanitize_utf8(text);
}

}  // namespace

Status FileSpool::open() {
  Status opened = try_open();
  if (opened) return {};
  if (opened.error().code() == Code::kAborted) return opened;
  disk_failed(opened.error());
  return {};
}

Status FileSpool::try_open() {
  if (Status s = disk_.make_folder(options_.folder); !s) return s;
  auto lock = disk_.lock_file(options_.folder + "/lock", "spool " + options_.folder);
  if (!lock) return lock.error();
  const Unreadable unreadable = failures_ < kPatience ? Unreadable::kIsError : Unreadable::kIsPassedOver;
  auto content = read_folder(disk_, options_.folder, unreadable);
  if (!content) return content.error();
  auto checkpoint = CheckpointFile::open(disk_, options_.folder, unreadable);
  if (!checkpoint) return checkpoint.error();
  checkpoint_.emplace(std::move(*checkpoint));
  lock_ = std::move(*lock);
  const auto& known = checkpoint_->content().checkpoint;
  adopt(std::move(*content), known ? *known : Checkpoint());
  keep(true);
  sync_recovered();
  return {};
}

// What a killed run had written and not synced would else stay at the mercy of a loss of power until it is sent.
void FileSpool::sync_recovered() {
  if (options_.sync == SpoolSync::kNever) return;
  struct Job {
    std::vector<std::string> paths;
    uint64_t synced = 0;
    Status status;
  };
  const auto job = std::make_shared<Job>();
  for (const auto& [number, segment] : segments_) {
    if (!dead_.contains(number)) job->paths.push_back(options_.folder + "/" + segment_name(number));
  }
  if (job->paths.empty()) return;
  worker_.submit(
      [job, &disk = disk_, folder = options_.folder] {
        job->status = disk.sync_folder(folder);
        for (const std::string& path : job->paths) {
          auto file = disk.open_file(path, FileDisk::Open::kRead);
          if (!file && file.error().code() == Code::kNotFound) continue;  // it was settled meanwhile
          const Status synced = file ? (*file)->sync() : Status(file.error());
          if (synced) ++job->synced;
          if (!synced && job->status) job->status = synced;
        }
      },
      [this, job, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired()) return;
        stats_.syncs += job->synced;
        if (job->status) return;
        ++stats_.disk_errors;
        log_warning("what an earlier run wrote cannot be synced; a loss of power may take it before it is sent",
                    {{"folder", options_.folder}, {"reason", job->status.error()}});
      });
}

void FileSpool::report_folder(const FolderContent& content) const {
  if (!content.foreign.empty()) {
    log_warning("files in the spool's folder are not the spool's and are left alone",
                {{"folder", options_.folder}, {"files", content.foreign.size()}, {"names", some_of(content.foreign)}});
  }
  if (!content.newer.empty()) {
    log_warning("segments of a newer version are left alone; the newer program sends them",
                {{"folder", options_.folder}, {"files", content.newer.size()}, {"names", some_of(content.newer)}});
  }
  if (!content.unreadable.empty()) {
    log_error(
        "segments cannot be read and are left alone",
        {{"folder", options_.folder}, {"files", content.unreadable.size()}, {"names", some_of(content.unreadable)}});
  }
  log_info("spool opened", {{"folder", options_.folder},
                            {"segments", segments_.size()},
                            {"bytes", disk_bytes_},
                            {"waiting", book_.waiting()},
                            {"damaged_bytes", stats_.damaged_bytes}});
}

void FileSpool::adopt(FolderContent content, const Checkpoint& checkpoint) {
  highest_ = std::max({highest_, content.highest, checkpoint.segment});
  stats_.foreign_files = content.foreign.size() + content.newer.size() + content.unreadable.size();
  std::vector<std::string> incarnations;
  incarnations.reserve(checkpoint.incarnations.size() + content.segments.size());
  for (const IncarnationState& state : checkpoint.incarnations) incarnations.push_back(state.incarnation);
  for (SegmentInfo& segment : content.segments) {
    stats_.damaged_bytes += segment.damaged_bytes;
    live_bytes_ += segment.size;
    disk_bytes_ += segment.size;
    if (!segment.incarnation.empty()) incarnations.push_back(segment.incarnation);
    segments_[segment.number] = std::move(segment);
  }
  for (const uint64_t number : content.empty) {
    segments_[number].number = number;
    dead_.insert(number);
  }
  Tellings tellings{checkpoint.drops, checkpoint.ended};
  std::vector<std::string> found;
  for (const std::string& incarnation : incarnations) {
    const bool known = std::find(found.begin(), found.end(), incarnation) != found.end();
    if (known || incarnation == options_.incarnation) continue;
    found.push_back(incarnation);
    const auto state = std::find_if(checkpoint.incarnations.begin(), checkpoint.incarnations.end(),
                                    [&](const auto& one) { return one.incarnation == incarnation; });
    Book::Entry& entry = book_.entry(incarnation);
    if (state == checkpoint.incarnations.end()) {
      adopt_incarnation(incarnation, nullptr);
    } else {
      entry.told = state->told;
      entry.clean = state->clean;
      adopt_incarnation(incarnation, &*state);
    }
  }
  adopt_ends(tellings);
  listener_.on_recovered(tellings);
  for (const std::string& incarnation : found) lose_missing(incarnation);
  report_folder(content);
  sweep();
}

// What of it waits: what is in segments and not settled. What is in neither is lost; lose_missing() says so later, when
// the listener knows what was told before.
void FileSpool::adopt_incarnation(const std::string& incarnation, const IncarnationState* state) {
  Book::Entry& entry = book_.entry(incarnation);
  SequenceSet known;
  for (const auto& [number, segment] : segments_) {
    if (segment.incarnation != incarnation) continue;
    for (const auto& [first, last] : segment.sequences.ranges()) known.add(first, last);
    for (const BatchInfo& torn : segment.torn) known.add(torn.sequence);
    entry.last_time_ns = std::max(entry.last_time_ns, segment.last_time_ns);
  }
  entry.last_sequence = known.last();
  SequenceSet settled;
  if (state != nullptr) {
    entry.last_sequence = std::max({entry.last_sequence, state->last_sequence, state->settled.last()});
    entry.last_time_ns = std::max(entry.last_time_ns, state->last_time_ns);
    settled = state->settled;
  } else if (!checkpoint_->content().checkpoint && known.first() > 1) {
    // The checkpoint is lost: nothing is known of what came before. (One that is there and does not name a run has
    // deleted nothing of it: what is below the first record then was in memory alone, and is told as damaged.)
    settled.add(1, known.first() - 1);
  }
  if (entry.last_sequence > 0) entry.waiting.add(1, entry.last_sequence);
  for (const auto& [first, last] : settled.ranges()) entry.waiting.remove(first, last);
}

void FileSpool::lose_missing(const std::string& incarnation) {
  SequenceSet missing = book_.entry(incarnation).waiting;
  std::map<uint64_t, BatchInfo> torn;
  for (const auto& [number, segment] : segments_) {
    if (segment.incarnation != incarnation) continue;
    for (const auto& [first, last] : segment.sequences.ranges()) missing.remove(first, last);
    for (const BatchInfo& info : segment.torn) torn[info.sequence] = info;
  }
  lose_each(missing, torn, incarnation, metrics::reason::kDamaged);
}

// Who ended without its end being told.
void FileSpool::adopt_ends(Tellings& tellings) {
  for (Book::Entry& entry : book_.entries()) {
    if (entry.incarnation == options_.incarnation || entry.told) continue;
    entry.told = true;
    if (entry.last_sequence == 0) continue;
    tellings.ended.push_back({entry.incarnation, entry.last_sequence, entry.last_time_ns, entry.clean});
    log_info("an earlier run of this agent ended",
             {{"incarnation", hex(entry.incarnation)}, {"last_sequence", entry.last_sequence}, {"clean", entry.clean}});
  }
}

}  // namespace monitor::agent

#include "inputs/proc/filesystem.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/saturating.h"
#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

constexpr int64_t kLeastDeadline = 2 * kNanosPerMilli;
// Maximum length of a label on the wire.
constexpr size_t kMostLabelBytes = 1024;

// Appends a checksum to a path that is `ambiguous`, or longer than a label can be, so that different paths have
// different labels.
std::string label_of(std::string_view text, bool ambiguous = false) {
  std::string label = sanitize_utf8(text);
  const std::string end = fmt::format("...{:08x}", crc32c(text));
  if (ambiguous && label.size() + end.size() <= kMostLabelBytes) return label + end;
  if (label.size() <= kMostLabelBytes) return label;
  label.resize(kMostLabelBytes - end.size());
  // Do not cut inside a UTF-8 character.
  while (!label.empty() && !valid_utf8(label)) label.pop_back();
  return label + end;
}

metrics::Labels labels_of(const Mount& mount) {
  return {{"system.device", label_of(mount.source)},
          {"system.filesystem.mountpoint", label_of(mount.mount_point)},
          {"system.filesystem.type", label_of(mount.type)}};
}

// The shortest path is the one by which people know a filesystem.
bool shown_before(const Mount& a, const Mount& b) { return a.mount_point.size() < b.mount_point.size(); }

bool is_file(const MeasuredMount& one) { return one.answer && *one.answer && !(*one.answer)->directory; }

bool is_hidden(const MeasuredMount& one) { return one.answer && !*one.answer && is_unseen(one.answer->error()); }

bool is_gone(const MeasuredMount& one) {
  return one.answer && !*one.answer && one.answer->error().code() == Code::kNotFound;
}

}  // namespace

FilesystemCollector::FilesystemCollector(const Roots& roots, std::shared_ptr<MountProber> prober)
    : table_(roots), prober_(std::move(prober)) {}

void FilesystemCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = false;
  for (const auto& selection : selections) {
    if (selection.name != "filesystem") continue;
    wanted_ = true;
    const bool same =
        each_ == selection.has("per_filesystem") && include_ == selection.include && exclude_ == selection.exclude;
    chosen_ = chosen_ && same;
    each_ = selection.has("per_filesystem");
    include_ = selection.include;
    exclude_ = selection.exclude;
  }
}

// Of each set of mounts with the same bytes, chooses one mount that counts or has series of its own.
void FilesystemCollector::choose_by_bytes() {
  std::map<std::string, size_t> group_of;
  for (const Mount& mount : table_.mounts()) {
    const MountKind kind = kind_of(mount);
    const bool needed = is_counted(kind) || claims_device(mount) || (each_ && is_listed(kind));
    if (!needed || matches_any(exclude_, mount.mount_point)) continue;
    const auto keys = byte_keys(mount);
    const auto known = std::ranges::find_if(keys, [&](const std::string& key) { return group_of.contains(key); });
    const size_t group = known == keys.end() ? groups_.size() : group_of[*known];
    if (group == groups_.size()) groups_.emplace_back();
    groups_[group].push_back({{mount, kind, false, std::nullopt}, false, labels_of(mount)});
    for (const std::string& key : keys) group_of.emplace(key, group);
  }
  for (Group& group : groups_) {
    std::ranges::stable_sort(group, shown_before,
                             [](const Candidate& one) -> const Mount& { return one.measured.mount; });
  }
}

void FilesystemCollector::choose_by_name() {
  for (const Mount& mount : table_.mounts()) {
    if (!matches_any(include_, mount.mount_point) || matches_any(exclude_, mount.mount_point)) continue;
    groups_.push_back({{{mount, kind_of(mount), true, std::nullopt}, false, labels_of(mount)}});
  }
}

void FilesystemCollector::choose() {
  groups_.clear();
  if (include_.empty()) {
    choose_by_bytes();
  } else {
    choose_by_name();
  }
  chosen_ = true;
  describe();
}

// Prepares the queries and labels of the chosen mounts. They are valid until the choice changes.
void FilesystemCollector::describe() {
  const auto remote = remote_points(table_.mounts());
  std::map<metrics::Labels, int> times;
  for (const Group& group : groups_) {
    for (const Candidate& one : group) ++times[one.labels];
  }
  std::set<metrics::Labels> there;
  for (Group& group : groups_) {
    for (Candidate& one : group) {
      const Mount& mount = one.measured.mount;
      one.remote = is_remote(mount, remote);
      // The paths differ only in bytes that a label cannot contain.
      if (times[one.labels] > 1) {
        metrics::set_label(one.labels, "system.filesystem.mountpoint", label_of(mount.mount_point, true));
      }
      there.insert(one.labels);
    }
  }
  // Ends the series of mounts that were unmounted or replaced.
  std::erase_if(ids_, [&](const auto& one) { return !there.contains(one.first); });
}

// Returns false if a mount has disappeared since the table was read.
bool FilesystemCollector::ask(int64_t deadline_ns) {
  std::vector<MountProber::Question> questions;
  questions.reserve(groups_.size());
  for (const Group& group : groups_) questions.push_back({&group.front().measured.mount, group.front().remote});
  const auto answers = prober_->ask(questions, table_.origin(), deadline_ns);
  measured_.clear();
  bool again = false;
  for (size_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    measured_.push_back(group.front().measured);
    measured_.back().answer = answers[i];
    // If this is the mount of a single file (such as a container's /etc/hosts), or the agent cannot see it, another
    // mount of the same bytes takes its place.
    if (include_.empty() && group.size() > 1 && (is_file(measured_.back()) || is_hidden(measured_.back()))) {
      group.erase(group.begin());
      again = true;
    }
  }
  if (again) return ask(deadline_ns);
  return std::ranges::none_of(measured_, is_gone);
}

// A quarter of the time between two ticks, but at most kMostDeadline.
int64_t FilesystemCollector::deadline(const Timestamp& now) {
  const int64_t since_last = now.mono_ns - std::exchange(last_mono_ns_, now.mono_ns);
  return std::clamp(since_last / 4, kLeastDeadline, kMostDeadline);
}

FilesystemCollector::Ids FilesystemCollector::intern(const metrics::Labels& labels, TickBuilder& out) const {
  metrics::Labels used = labels;
  metrics::set_label(used, "system.filesystem.state", "used");
  Ids ids;
  ids.usage = out.intern("system.filesystem.usage", used);
  ids.utilization = out.intern("system.filesystem.utilization", labels);
  ids.inodes_usage = out.intern("system.filesystem.inodes.usage", used);
  ids.inodes_utilization = out.intern("system.filesystem.inodes.utilization", labels);
  return ids;
}

// Omits the utilization of a filesystem without space, and the inodes of one that does not count them.
void FilesystemCollector::add(const FilesystemUsage& usage, const Ids& ids, TickBuilder& out) {
  out.add_integer(ids.usage, static_cast<int64_t>(usage.used));
  const uint64_t room = saturating_add(usage.used, usage.available);
  if (room != 0) out.add_share(ids.utilization, usage.used, room);
  const uint64_t inodes = saturating_add(usage.inodes_used, usage.inodes_free);
  if (inodes == 0) return;
  out.add_integer(ids.inodes_usage, static_cast<int64_t>(usage.inodes_used));
  out.add_share(ids.inodes_utilization, usage.inodes_used, inodes);
}

void FilesystemCollector::forget_series() {
  ids_.clear();
  sum_ids_.reset();
}

void FilesystemCollector::add_each(TickBuilder& out) {
  for (size_t i = 0; i < measured_.size(); ++i) {
    const MeasuredMount& one = measured_[i];
    if (!one.answer || !*one.answer) continue;
    if (is_file(one) && !one.named) continue;
    const auto usage = usage_of(**one.answer);
    if (!usage) continue;
    const auto [ids, is_new] = ids_.try_emplace(groups_[i].front().labels);
    if (is_new) ids->second = intern(ids->first, out);
    add(*usage, ids->second, out);
  }
}

void FilesystemCollector::add_sum(TickBuilder& out) {
  const FilesystemSum sum = sum_of(measured_, table_.mounts());
  if (!sum.usage) return;
  if (!sum_ids_) sum_ids_ = intern({}, out);
  add(*sum.usage, *sum_ids_, out);
}

// Logs each mount that returned an error, once.
void FilesystemCollector::log_faults() {
  std::map<std::string, std::string> faults;
  for (const MeasuredMount& one : measured_) {
    if (one.answer && !*one.answer) faults[one.mount.mount_point] = one.answer->error().message();
  }
  if (faults == faults_) return;
  for (const auto& [mount, reason] : faults) {
    if (const auto logged = faults_.find(mount); logged != faults_.end() && logged->second == reason) continue;
    log_warning("filesystem cannot be read; its figures are omitted, and every tick tries again",
                {{"mount", mount}, {"reason", reason}});
  }
  for (const auto& [mount, reason] : faults_) {
    if (!faults.contains(mount)) log_info("filesystem can be read again, or was unmounted", {{"mount", mount}});
  }
  faults_ = std::move(faults);
}

Status FilesystemCollector::collect(const Timestamp& now, TickBuilder& out) {
  const int64_t deadline_ns = deadline(now);
  auto changed = table_.refresh();
  if (!changed) return changed.error();
  if (*changed || !chosen_) choose();
  if (!ask(deadline_ns)) {
    // Another filesystem was mounted there in the meantime.
    changed = table_.refresh();
    if (!changed) return changed.error();
    if (*changed) {
      choose();
      ask(deadline_ns);
    }
  }
  log_faults();
  if (each_) add_each(out);
  add_sum(out);
  if (measured_.empty() || !std::ranges::all_of(measured_, is_hidden)) return {};
  return Error(Code::kPermissionDenied, "no mount is accessible below " + table_.origin().rootfs +
                                            "; set --rootfs to the folder with the host's root");
}

std::unique_ptr<Collector> make_filesystem(const CollectorContext& context) {
  return std::make_unique<FilesystemCollector>(context.roots, context.prober);
}

}  // namespace monitor::agent

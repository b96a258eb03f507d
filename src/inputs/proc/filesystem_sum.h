// The sum over filesystems, which includes every byte once. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "inputs/proc/mount_facts.h"
#include "inputs/proc/mount_kind.h"

namespace monitor::agent {

struct MeasuredMount {
  Mount mount;
  MountKind kind = MountKind::kDisk;
  bool named = false;  // a pattern of `include` matches it
  // Nothing if the mount did not answer in time.
  std::optional<Result<MountFacts>> answer;
};

struct FilesystemSum {
  std::optional<FilesystemUsage> usage;  // nothing: unknown, or no filesystem counts
  std::string_view unknown = {};         // the mount point that makes it unknown
};

// - Mounts with a common key (byte_keys) or block device count once.
// - The datasets of a ZFS pool share its free space: their used bytes are added, but only the largest available size of
//   each pool counts.
// - An overlay counts as the filesystem below it: that of its upper folder, or the one with the same figures.
// - Single files, filesystems without blocks, and those that claim 1 EiB or more (no known limit) do not count.
// - Shares count only if a pattern matches them and no other filesystem is chosen.
// - A mount that the agent cannot see does not count. A mount that fails or does not answer makes the sum unknown.
// `all` is the whole mount table, in which upper folders are looked up.
FilesystemSum sum_of(const std::vector<MeasuredMount>& mounts, const std::vector<Mount>& all);

}  // namespace monitor::agent

// The sum over filesystems: every byte once. Pure.
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
  bool named = false;  // by a pattern of `include`
  // Nothing: it did not answer in time.
  std::optional<Result<MountFacts>> answer;
};

struct FilesystemSum {
  std::optional<FilesystemUsage> usage;  // nothing: not known, or there is nothing to add up
  std::string_view unknown = {};         // the mount point for whose sake it is not known
};

// - Mounts with one key (byte_keys), or of one block device, count once.
// - Datasets of a ZFS pool share what is available: their used bytes are added, the most that one has available counts
//   once for the pool.
// - An overlay is the filesystem below it: its upper folder's, or the one with the same figures.
// - Single files, filesystems without blocks and those that claim 1 EiB or more (no limit is known) are left out.
// - Shares count only where a pattern names them and nothing else is chosen.
// - One that the agent cannot see is left out; one that fails or does not answer makes the sum unknown.
// `all` is the whole table, which upper folders are looked up in.
FilesystemSum sum_of(const std::vector<MeasuredMount>& mounts, const std::vector<Mount>& all);

}  // namespace monitor::agent

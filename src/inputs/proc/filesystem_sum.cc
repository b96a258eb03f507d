#include "inputs/proc/filesystem_sum.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>

namespace monitor::agent {

namespace {

constexpr uint64_t kNoLimit = uint64_t{1} << 60;
constexpr uint64_t kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
// Two readings of the same filesystem, shortly after one another, differ by less than this share.
constexpr uint64_t kNearlyShare = 1024;
constexpr uint64_t kNearlyBytes = uint64_t{16} << 20;

uint64_t saturated(uint64_t a, uint64_t b) { return b > kMost - std::min(a, kMost) ? kMost : a + b; }

// True if two mounts report the same filesystem.
bool same_figures(const MountFacts& a, const MountFacts& b) {
  if (a.blocks != b.blocks || a.block_bytes != b.block_bytes) return false;
  const uint64_t apart = a.blocks_free > b.blocks_free ? a.blocks_free - b.blocks_free : b.blocks_free - a.blocks_free;
  const uint64_t bytes = apart * std::max<uint64_t>(a.block_bytes, 1);
  return bytes <= std::max(kNearlyBytes, a.blocks / kNearlyShare * a.block_bytes);
}

class Adder {
 public:
  explicit Adder(const std::vector<Mount>& all) : all_(all) {}

  void add(const MeasuredMount& one) {
    if (!one.answer || !*one.answer) return;
    const MountFacts& facts = **one.answer;
    if (!facts.directory) return;
    const auto usage = usage_of(facts);
    if (!usage || usage->total >= kNoLimit) return;
    if (is_known(one, &facts)) return;
    for (std::string& key : keys_of(one.mount, &facts)) seen_.insert(std::move(key));
    counted_.push_back(facts);
    take(one.mount, *usage);
  }

  bool is_known(const MeasuredMount& one, const MountFacts* facts) const {
    const auto keys = keys_of(one.mount, facts);
    if (std::ranges::any_of(keys, [this](const std::string& key) { return seen_.contains(key); })) return true;
    if (!lies_on_another(one.mount)) return false;
    if (const Mount* const below = mount_of(upper_folder(one.mount), all_);
        below != nullptr && below->mount_point != one.mount.mount_point && seen_.contains(below->device)) {
      return true;
    }
    return facts != nullptr &&
           std::ranges::any_of(counted_, [&](const MountFacts& other) { return same_figures(*facts, other); });
  }

  std::optional<FilesystemUsage> sum() const {
    if (counted_.empty()) return std::nullopt;
    FilesystemUsage sum = sum_;
    for (const auto& [pool, shared] : pools_) {
      sum.available = saturated(sum.available, shared.available);
      sum.inodes_free = saturated(sum.inodes_free, shared.inodes_free);
    }
    sum.total = saturated(sum.used, sum.available);
    return sum;
  }

 private:
  static std::vector<std::string> keys_of(const Mount& mount, const MountFacts* facts) {
    auto keys = byte_keys(mount);
    if (facts == nullptr) return keys;
    if (!facts->source_device.empty() && mount.type != "btrfs") keys.push_back(facts->source_device);
    // A server can export several shares of the same volume.
    if (mount.type == "cifs" && facts->fsid != 0) keys.push_back("cifs " + std::to_string(facts->fsid));
    return keys;
  }

  void take(const Mount& mount, const FilesystemUsage& usage) {
    sum_.used = saturated(sum_.used, usage.used);
    sum_.inodes_used = saturated(sum_.inodes_used, usage.inodes_used);
    if (mount.type == "zfs") {
      FilesystemUsage& shared = pools_[std::string(zfs_pool(mount))];
      shared.available = std::max(shared.available, usage.available);
      shared.inodes_free = std::max(shared.inodes_free, usage.inodes_free);
      return;
    }
    sum_.available = saturated(sum_.available, usage.available);
    sum_.inodes_free = saturated(sum_.inodes_free, usage.inodes_free);
  }

  const std::vector<Mount>& all_;
  std::set<std::string> seen_;
  std::vector<MountFacts> counted_;
  std::map<std::string, FilesystemUsage> pools_;
  FilesystemUsage sum_;
};

bool is_claim(const MeasuredMount& one) {
  if (one.kind != MountKind::kShare) return false;
  return !claims_device(one.mount) || !one.answer || !*one.answer || (*one.answer)->source_device.empty();
}

std::vector<const MeasuredMount*> members(const std::vector<MeasuredMount>& mounts) {
  std::vector<const MeasuredMount*> solid;
  std::vector<const MeasuredMount*> claims;
  for (const MeasuredMount& one : mounts) {
    if (is_claim(one)) {
      if (one.named) claims.push_back(&one);
    } else if (one.named || is_counted(one.kind) || one.kind == MountKind::kShare) {
      solid.push_back(&one);
    }
  }
  auto& chosen = solid.empty() ? claims : solid;
  // Filesystems on top of others come last.
  std::ranges::stable_partition(chosen, [](const MeasuredMount* one) { return !lies_on_another(one->mount); });
  return chosen;
}

}  // namespace

FilesystemSum sum_of(const std::vector<MeasuredMount>& mounts, const std::vector<Mount>& all) {
  const auto chosen = members(mounts);
  Adder adder(all);
  for (const MeasuredMount* const one : chosen) adder.add(*one);
  for (const MeasuredMount* const one : chosen) {
    if (one->answer && (*one->answer || is_unseen(one->answer->error()))) continue;
    if (!adder.is_known(*one, nullptr)) return {std::nullopt, one->mount.mount_point};
  }
  return {adder.sum(), {}};
}

}  // namespace monitor::agent

#include "ui/access/attempt_limit.h"

#include <algorithm>

namespace monitor::access {

void AttemptLimit::forget_idle(int64_t now_ns) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return elapsed_ns(entry.second.filled_ns, now_ns) >= burst_ * one_every_ns_;
  });
}

const std::string& AttemptLimit::bucket_of(const std::string& key) const {
  static const std::string kOthers = "\n";  // no address and no name
  return buckets_.contains(key) || buckets_.size() < most_keys_ ? key : kOthers;
}

int AttemptLimit::take(const std::string& asked) {
  const int64_t now = clock_.mono_ns();
  if (!buckets_.contains(asked) && buckets_.size() >= most_keys_) forget_idle(now);
  const std::string& key = bucket_of(asked);
  Bucket& bucket = buckets_.try_emplace(key, Bucket{burst_ * one_every_ns_, now}).first->second;
  const int64_t passed = std::clamp<int64_t>(elapsed_ns(bucket.filled_ns, now), 0, burst_ * one_every_ns_);
  bucket.credit_ns = std::min(burst_ * one_every_ns_, bucket.credit_ns + passed);
  bucket.filled_ns = now;
  if (bucket.credit_ns >= one_every_ns_) {
    bucket.credit_ns -= one_every_ns_;
    return 0;
  }
  return static_cast<int>((one_every_ns_ - bucket.credit_ns + kNanosPerSecond - 1) / kNanosPerSecond);
}

void AttemptLimit::give_back(const std::string& key) {
  const auto found = buckets_.find(bucket_of(key));
  if (found == buckets_.end()) return;
  found->second.credit_ns = std::min(burst_ * one_every_ns_, found->second.credit_ns + one_every_ns_);
}

}  // namespace monitor::access

#include "base/attempt_limit.h"

#include <algorithm>

namespace monitor {

namespace {

const std::string kOthers = "\n";  // the keys that share one allowance; no address and no name

}  // namespace

int64_t AttemptAllowance::credit_at(const AttemptRate& rate, int64_t now_ns) const {
  const int64_t passed = std::clamp<int64_t>(elapsed_ns(seen_ns_, now_ns), 0, rate.full_ns());
  return std::min(rate.full_ns(), credit_ns_ + passed);
}

void AttemptAllowance::refill(const AttemptRate& rate, int64_t now_ns) {
  credit_ns_ = credit_at(rate, now_ns);
  seen_ns_ = now_ns;
}

int64_t AttemptAllowance::wait_ns(const AttemptRate& rate, int64_t now_ns) {
  refill(rate, now_ns);
  return std::max<int64_t>(rate.one_every_ns - credit_ns_, 0);
}

void AttemptAllowance::charge(const AttemptRate& rate, int64_t now_ns) {
  refill(rate, now_ns);
  credit_ns_ = std::max<int64_t>(credit_ns_ - rate.one_every_ns, 0);
}

void AttemptAllowance::give_back(const AttemptRate& rate) {
  credit_ns_ = std::min(rate.full_ns(), credit_ns_ + rate.one_every_ns);
}

bool AttemptAllowance::is_full(const AttemptRate& rate, int64_t now_ns) const {
  return credit_at(rate, now_ns) == rate.full_ns();
}

int64_t AttemptLimit::wait_ns(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.mono_ns();
  return allowance_of(key, now).wait_ns(rate_, now);
}

void AttemptLimit::charge(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.mono_ns();
  allowance_of(key, now).charge(rate_, now);
}

int64_t AttemptLimit::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.mono_ns();
  AttemptAllowance& allowance = allowance_of(key, now);
  const int64_t wait = allowance.wait_ns(rate_, now);
  if (wait == 0) allowance.charge(rate_, now);
  return wait;
}

void AttemptLimit::give_back(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto found = allowances_.find(key);
  if (found == allowances_.end() && allowances_.size() >= most_keys_) found = allowances_.find(kOthers);
  if (found != allowances_.end()) found->second.give_back(rate_);
}

size_t AttemptLimit::keys() const {
  const std::lock_guard lock(mutex_);
  return allowances_.size();
}

AttemptAllowance& AttemptLimit::allowance_of(const std::string& key, int64_t now_ns) {
  const auto found = allowances_.find(key);
  if (found != allowances_.end()) return found->second;
  if (allowances_.size() >= most_keys_) {
    std::erase_if(allowances_, [&](const auto& one) { return one.second.is_full(rate_, now_ns); });
  }
  const std::string& name = allowances_.size() < most_keys_ ? key : kOthers;
  return allowances_.try_emplace(name, rate_, now_ns).first->second;
}

}  // namespace monitor

#include "inputs/stream/identity_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/protowire.h"
#include "base/size_format.h"

namespace monitor::server {

namespace {

constexpr uint32_t kSeriesField = 10;  // MetricBatch.series
// Of a batch's series beyond the limit, these are remembered as well: they are counted once, not with every batch.
constexpr size_t kRememberedBeyond = 2;
// Fingerprints of series that all identities together remember: at most 170 MB. Without room, a new series is not
// counted, so the limit on series fails open, and memory stays bounded however many ids a peer uses.
constexpr size_t kMostRemembered = 16'000'000;
std::atomic<size_t> remembered{0};

// Moves the time at which all is paid for by `cost`. What was not used before is credited up to `burst`.
void pay(std::atomic<int64_t>& paid_ns, int64_t cost_ns, int64_t burst_ns, int64_t now_ns) {
  int64_t old = paid_ns.load(std::memory_order_relaxed);
  while (!paid_ns.compare_exchange_weak(old, std::max(old, now_ns - burst_ns) + cost_ns, std::memory_order_relaxed)) {
  }
}

}  // namespace

std::string_view name_of(IdentityLimit limit) {
  constexpr std::array<std::string_view, kIdentityLimits> kNames = {"streams", "bytes", "batches", "series"};
  return kNames[static_cast<size_t>(limit)];
}

void Identity::charge_bytes(size_t bytes, int64_t now_ns) {
  if (limits_.bytes_per_second == 0) return;
  const double seconds = static_cast<double>(bytes + kPerBatch) / static_cast<double>(limits_.bytes_per_second);
  pay(bytes_paid_ns_, static_cast<int64_t>(seconds * 1e9), kBurst, now_ns);
}

Identity::~Identity() { remembered.fetch_sub(seen_.size(), std::memory_order_relaxed); }

void Identity::turn_window(int64_t now_ns) {
  if (window_ns_ != INT64_MIN && now_ns - window_ns_ < kSeriesWindow) return;
  window_ns_ = now_ns;
  remembered.fetch_sub(seen_.size(), std::memory_order_relaxed);
  seen_.clear();
  window_.fetch_add(1, std::memory_order_relaxed);
}

uint64_t Identity::series_window(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  turn_window(now_ns);
  return window_.load(std::memory_order_relaxed);
}

size_t Identity::series() const {
  const std::lock_guard lock(mutex_);
  return seen_.size();
}

void Identity::charge_series(std::string_view batch, int64_t now_ns) {
  if (limits_.series == 0) return;
  const std::lock_guard lock(mutex_);
  turn_window(now_ns);
  size_t beyond = 0;
  const size_t before = seen_.size();
  const bool room = remembered.load(std::memory_order_relaxed) < kMostRemembered;
  const size_t most = room ? kRememberedBeyond * limits_.series : 0;
  protowire::Reader reader(batch);
  while (const auto field = reader.next()) {
    if (field->number != kSeriesField) continue;
    const auto fingerprint = static_cast<uint32_t>(hash64(key_, field->bytes));
    const bool within = seen_.size() < limits_.series;
    if (seen_.add(fingerprint, most) && !within) ++beyond;
  }
  remembered.fetch_add(seen_.size() - before, std::memory_order_relaxed);
  if (beyond == 0) return;
  // At this rate, the limit's number of series takes a window. The next window counts anew.
  const double each = static_cast<double>(kSeriesWindow) / static_cast<double>(limits_.series);
  pay(series_paid_ns_, static_cast<int64_t>(each * static_cast<double>(beyond)), 0, now_ns);
  const int64_t end = window_ns_ + kSeriesWindow;
  if (series_paid_ns_.load(std::memory_order_relaxed) > end) series_paid_ns_.store(end, std::memory_order_relaxed);
}

bool Identity::breach(int64_t now_ns) {
  breaches_.fetch_add(1, std::memory_order_relaxed);
  breached_ns_.store(now_ns, std::memory_order_relaxed);
  int64_t reported = reported_ns_.load(std::memory_order_relaxed);
  if (reported != INT64_MIN && now_ns - reported < kReportEvery) return false;
  return reported_ns_.compare_exchange_strong(reported, now_ns, std::memory_order_relaxed);
}

bool Identity::limited(int64_t now_ns) const {
  const int64_t breached = breached_ns_.load(std::memory_order_relaxed);
  return breached != INT64_MIN && now_ns - breached < kReportEvery;
}

// --- The table.

std::shared_ptr<Identity> IdentityTable::enter(const std::string& name, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  forget_idle(now_ns);
  Entry& entry = entries_[name];
  if (entry.identity == nullptr) entry.identity = std::make_shared<Identity>(limits_, key_);
  ++entry.streams;
  return entry.identity;
}

void IdentityTable::leave(const std::string& name, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end() || --it->second.streams > 0) return;
  it->second.left_ns = now_ns;
  idle_.emplace_back(now_ns, name);
  forget_idle(now_ns);
}

void IdentityTable::forget_idle(int64_t now_ns) {
  while (!idle_.empty() && (idle_.size() > kMostIdle || now_ns - idle_.front().first >= Identity::kSeriesWindow)) {
    const auto it = entries_.find(idle_.front().second);
    // It may have come back, and left again.
    if (it != entries_.end() && it->second.streams == 0 && it->second.left_ns == idle_.front().first) {
      entries_.erase(it);
    }
    idle_.pop_front();
  }
}

size_t IdentityTable::limited(int64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [&](const auto& one) { return one.second.identity->limited(now_ns); }));
}

size_t IdentityTable::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

// --- A stream's part.

IdentityUse::~IdentityUse() {
  if (identity_ == nullptr) return;
  identity_->add_batches(-batches_);
  table_.leave(name_, clock_.mono_ns());
}

void IdentityUse::enter(const std::string& name) {
  name_ = name;
  identity_ = table_.enter(name, clock_.mono_ns());
}

void IdentityUse::charge(size_t bytes) {
  if (identity_ != nullptr) identity_->charge_bytes(bytes, clock_.mono_ns());
}

void IdentityUse::add_batch() {
  if (identity_ == nullptr) return;
  ++batches_;
  identity_->add_batches(1);
}

void IdentityUse::remove_batches(size_t count) {
  if (identity_ == nullptr) return;
  batches_ -= static_cast<int64_t>(count);
  identity_->add_batches(-static_cast<int64_t>(count));
}

bool IdentityUse::wants_series(uint64_t list) const {
  if (identity_ == nullptr || identity_->limits().series == 0) return false;
  if (list == 0 || window_ != identity_->series_window(clock_.mono_ns())) return true;
  return std::find(lists_.begin(), lists_.end(), list) == lists_.end();
}

void IdentityUse::count_series(std::string_view batch, uint64_t list) {
  if (identity_ == nullptr || identity_->limits().series == 0) return;
  const int64_t now = clock_.mono_ns();
  const uint64_t window = identity_->series_window(now);
  if (std::exchange(window_, window) != window) lists_ = {};
  if (list != 0 && std::find(lists_.begin(), lists_.end(), list) != lists_.end()) return;
  identity_->charge_series(batch, now);
  lists_[next_list_] = list;
  next_list_ = (next_list_ + 1) % lists_.size();
}

std::optional<IdentityLimit> IdentityUse::exceeded() const {
  if (identity_ == nullptr) return std::nullopt;
  const int64_t now = clock_.mono_ns();
  if (identity_->batches_exceeded()) return IdentityLimit::kBatches;
  if (identity_->series_wait_ns(now) > 0) return IdentityLimit::kSeries;
  if (identity_->bytes_wait_ns(now) > 0) return IdentityLimit::kBytes;
  return std::nullopt;
}

int64_t IdentityUse::wait_ns() const {
  if (identity_ == nullptr) return 0;
  const int64_t now = clock_.mono_ns();
  return std::max(identity_->bytes_wait_ns(now), identity_->series_wait_ns(now));
}

std::string IdentityUse::describe(IdentityLimit limit) const {
  const IdentityLimits& limits = table_.limits();
  switch (limit) {
    case IdentityLimit::kStreams:
      return fmt::format("it has {} (--max-streams-per-agent)", counted(limits.streams, "stream"));
    case IdentityLimit::kBytes:
      return fmt::format(
          "it sends more than {} a second, counting a batch as its size plus 1 KiB "
          "(--max-rate-per-agent)",
          format_size(limits.bytes_per_second));
    case IdentityLimit::kBatches:
      return fmt::format("{} of its batches wait for the log, the limit is {} (--max-batches-per-agent)",
                         identity_->batches(), limits.batches);
    case IdentityLimit::kSeries:
      return fmt::format("it has sent {} different series within an hour, the limit is {} (--max-series-per-agent)",
                         identity_->series(), limits.series);
  }
  return "";
}

}  // namespace monitor::server

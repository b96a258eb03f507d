#include "inputs/proc/throughput_counter.h"

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

namespace {

// Bytes per second: ten times what the fastest network card or memory can move. Faster growth means that the counter
// jumped.
constexpr double kMostPerSecond = 1e12;

}  // namespace

ByteCounter::Change ByteCounter::update(uint64_t value, int64_t elapsed_ns) {
  const bool was_seen = seen_;
  const bool just_fell = fell_;
  const uint64_t before = last_;
  seen_ = true;
  fell_ = false;
  last_ = value;
  growth_ = 0;
  if (!was_seen) return Change::kFirst;
  if (value < before) {
    fell_ = true;
    fell_from_ = std::max(fell_from_, before);
    return Change::kUnknown;
  }
  const uint64_t growth = value - before;
  if (fell_from_ > 0 && value >= fell_from_) {
    // A driver's reset may show 0 for a while and then the old count again.
    const bool came_back = just_fell || growth > fell_from_ / 2;
    fell_from_ = 0;
    if (came_back) return Change::kUnknown;
  }
  if (elapsed_ns > 0 && static_cast<double>(growth) > kMostPerSecond * static_cast<double>(elapsed_ns) / 1e9) {
    return Change::kUnknown;
  }
  growth_ = growth;
  return Change::kGrew;
}

void ThroughputCounter::configure(const std::array<Wanted, 2>& wanted) {
  if (wanted == wanted_) return;
  const bool paused = !this->wanted();
  wanted_ = wanted;
  if (paused) {
    devices_.clear();
    last_mono_ = 0;
  }
  choose_all();
}

void ThroughputCounter::adopt(const ThroughputCounter& other) {
  devices_ = other.devices_;
  totals_ = other.totals_;
  last_mono_ = other.last_mono_;
  reading_ = other.reading_;
  choose_all();
}

void ThroughputCounter::choose_all() {
  interned_ = false;
  for (auto& [name, device] : devices_) choose(name, device);
}

void ThroughputCounter::choose(const std::string& name, Device& device) const {
  device.interned = false;
  for (size_t d = 0; d < 2; ++d) {
    const bool in = wanted_[d].include.empty() ? device.role.listed : matches_any(wanted_[d].include, name);
    device.chosen[d] = in && !matches_any(wanted_[d].exclude, name);
  }
}

void ThroughputCounter::begin(const Timestamp& now) {
  elapsed_ = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  ++reading_;
}

metrics::Labels ThroughputCounter::labels(size_t direction, std::string_view device) const {
  metrics::Labels labels;
  metrics::set_label(labels, names_.direction_label, names_.directions[direction]);
  if (!device.empty()) metrics::set_label(labels, names_.device_label, sanitize_utf8(device));
  return labels;
}

void ThroughputCounter::intern(const std::string& name, Device& device, TickBuilder& out) {
  for (size_t d = 0; d < 2; ++d) {
    const bool each = wanted_[d].sum && wanted_[d].each && device.chosen[d];
    if (each) device.rate_ids[d] = out.intern(names_.rate, labels(d, name));
    if (each && wanted_[d].counters) device.counter_ids[d] = out.intern(names_.counter, labels(d, name));
  }
  device.interned = true;
}

void ThroughputCounter::device(std::string_view name, const std::array<uint64_t, 2>& counters, const Role& role,
                               TickBuilder& out) {
  key_.assign(name);
  Device& device = devices_.try_emplace(key_).first->second;
  if (device.last_reading == reading_) return;  // the text names the device twice: the first line counts
  device.last_reading = reading_;
  if (device.is_new || device.role != role) {
    device.is_new = false;
    device.role = role;
    choose(key_, device);
  }
  if (!device.interned) intern(key_, device, out);
  for (size_t d = 0; d < 2; ++d) {
    const auto change = device.counters[d].update(counters[d], elapsed_);
    device.changes[d] = change;
    if (!wanted_[d].sum || !wanted_[d].each || !device.chosen[d]) continue;
    if (change == ByteCounter::Change::kGrew && elapsed_ > 0) {
      out.add_integer(device.rate_ids[d], per_second(device.counters[d].growth(), elapsed_));
    }
    if (wanted_[d].counters) out.add_integer(device.counter_ids[d], static_cast<int64_t>(counters[d]));
  }
}

ThroughputCounter::Sum ThroughputCounter::sum_of(size_t direction) const {
  Sum sum;
  for (const auto& [name, device] : devices_) {
    if (!device.chosen[direction] || (wanted_[direction].include.empty() && !device.role.in_sum)) continue;
    ++sum.members;
    sum.known += device.changes[direction] == ByteCounter::Change::kGrew ? 1 : 0;
    sum.unknown += device.changes[direction] == ByteCounter::Change::kUnknown ? 1 : 0;
    sum.growth += device.counters[direction].growth();
    sum.counted += device.counters[direction].value();
  }
  return sum;
}

void ThroughputCounter::add_sum(size_t direction, TickBuilder& out) {
  const Sum sum = sum_of(direction);
  auto& total = totals_[direction];
  total = total ? *total + sum.growth : sum.counted;
  // The growth of at least one existing device must be known. Without devices, the sum is 0.
  const bool is_known = sum.unknown == 0 && (sum.known > 0 || sum.members == 0);
  if (elapsed_ > 0 && is_known) out.add_integer(sum_ids_[direction], per_second(sum.growth, elapsed_));
  if (wanted_[direction].counters) out.add_integer(sum_counter_ids_[direction], static_cast<int64_t>(*total));
}

void ThroughputCounter::finish(TickBuilder& out) {
  std::erase_if(devices_, [this](const auto& entry) { return entry.second.last_reading != reading_; });
  for (size_t d = 0; d < 2; ++d) {
    if (!wanted_[d].sum) continue;
    if (!interned_) {
      sum_ids_[d] = out.intern(names_.rate, labels(d, ""));
      if (wanted_[d].counters) sum_counter_ids_[d] = out.intern(names_.counter, labels(d, ""));
    }
    add_sum(d, out);
  }
  interned_ = true;
}

}  // namespace monitor::agent

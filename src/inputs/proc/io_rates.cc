#include "inputs/proc/io_rates.h"

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

namespace {

// Bytes a second: ten times what the fastest network card or memory moves. More is a counter that jumped.
constexpr double kMostPerSecond = 1e12;

}  // namespace

IoCounter::Change IoCounter::update(uint64_t value, int64_t elapsed_ns) {
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
    // A driver's reset that shows 0 for a while ends with the old count.
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

void IoRates::configure(const std::array<Wanted, 2>& wanted) {
  if (wanted == wanted_) return;
  const bool paused = !this->wanted();
  wanted_ = wanted;
  if (paused) {
    things_.clear();
    last_mono_ = 0;
  }
  choose_all();
}

void IoRates::adopt(const IoRates& other) {
  things_ = other.things_;
  totals_ = other.totals_;
  last_mono_ = other.last_mono_;
  reading_ = other.reading_;
  choose_all();
}

void IoRates::choose_all() {
  interned_ = false;
  for (auto& [name, thing] : things_) choose(name, thing);
}

void IoRates::choose(const std::string& name, Thing& thing) const {
  thing.interned = false;
  for (size_t d = 0; d < 2; ++d) {
    const bool in = wanted_[d].include.empty() ? thing.role.listed : matches_any(wanted_[d].include, name);
    thing.chosen[d] = in && !matches_any(wanted_[d].exclude, name);
  }
}

void IoRates::begin(const Timestamp& now) {
  elapsed_ = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  ++reading_;
}

metrics::Labels IoRates::labels(size_t direction, std::string_view thing) const {
  metrics::Labels labels;
  metrics::set_label(labels, names_.direction_label, names_.directions[direction]);
  if (!thing.empty()) metrics::set_label(labels, names_.thing_label, sanitize_utf8(thing));
  return labels;
}

void IoRates::intern(const std::string& name, Thing& thing, TickBuilder& out) {
  for (size_t d = 0; d < 2; ++d) {
    const bool each = wanted_[d].sum && wanted_[d].each && thing.chosen[d];
    if (each) thing.rate_ids[d] = out.intern(names_.rate, labels(d, name));
    if (each && wanted_[d].counters) thing.counter_ids[d] = out.intern(names_.counter, labels(d, name));
  }
  thing.interned = true;
}

void IoRates::thing(std::string_view name, const std::array<uint64_t, 2>& counters, const Role& role,
                    TickBuilder& out) {
  key_.assign(name);
  Thing& thing = things_.try_emplace(key_).first->second;
  if (thing.last_reading == reading_) return;  // twice in one text: the first line stands
  thing.last_reading = reading_;
  if (thing.is_new || thing.role != role) {
    thing.is_new = false;
    thing.role = role;
    choose(key_, thing);
  }
  if (!thing.interned) intern(key_, thing, out);
  for (size_t d = 0; d < 2; ++d) {
    const auto change = thing.counters[d].update(counters[d], elapsed_);
    thing.changes[d] = change;
    if (!wanted_[d].sum || !wanted_[d].each || !thing.chosen[d]) continue;
    if (change == IoCounter::Change::kGrew && elapsed_ > 0) {
      out.add_integer(thing.rate_ids[d], per_second(thing.counters[d].growth(), elapsed_));
    }
    if (wanted_[d].counters) out.add_integer(thing.counter_ids[d], static_cast<int64_t>(counters[d]));
  }
}

IoRates::Sum IoRates::sum_of(size_t direction) const {
  Sum sum;
  for (const auto& [name, thing] : things_) {
    if (!thing.chosen[direction] || (wanted_[direction].include.empty() && !thing.role.in_sum)) continue;
    ++sum.members;
    sum.known += thing.changes[direction] == IoCounter::Change::kGrew ? 1 : 0;
    sum.unknown += thing.changes[direction] == IoCounter::Change::kUnknown ? 1 : 0;
    sum.growth += thing.counters[direction].growth();
    sum.counted += thing.counters[direction].value();
  }
  return sum;
}

void IoRates::add_sum(size_t direction, TickBuilder& out) {
  const Sum sum = sum_of(direction);
  auto& total = totals_[direction];
  total = total ? *total + sum.growth : sum.counted;
  // Of devices that are there something must be known; no device at all moves nothing.
  const bool is_known = sum.unknown == 0 && (sum.known > 0 || sum.members == 0);
  if (elapsed_ > 0 && is_known) out.add_integer(sum_ids_[direction], per_second(sum.growth, elapsed_));
  if (wanted_[direction].counters) out.add_integer(sum_counter_ids_[direction], static_cast<int64_t>(*total));
}

void IoRates::finish(TickBuilder& out) {
  std::erase_if(things_, [this](const auto& entry) { return entry.second.last_reading != reading_; });
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

#include "agent/collect/io_rates.h"

#include "base/text.h"

namespace monitor::agent {

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
  last_mono_ = other.last_mono_;
  reading_ = other.reading_;
  choose_all();
}

void IoRates::choose_all() {
  interned_ = false;
  for (auto& [name, thing] : things_) {
    thing.interned = false;
    choose(name, thing);
  }
}

void IoRates::choose(const std::string& name, Thing& thing) const {
  for (size_t d = 0; d < 2; ++d) {
    const bool in = wanted_[d].include.empty() ? thing.listed : matches_any(wanted_[d].include, name);
    thing.chosen[d] = in && !matches_any(wanted_[d].exclude, name);
  }
}

void IoRates::begin(const Moment& now) {
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

void IoRates::intern(Thing& thing, TickBuilder& out) {
  for (size_t d = 0; d < 2; ++d) {
    const bool each = wanted_[d].sum && wanted_[d].each && thing.chosen[d];
    if (each) thing.rate_ids[d] = out.intern(rate_series(names_.rate, labels(d, key_)));
    if (each && wanted_[d].counters) thing.counter_ids[d] = out.intern(counter_series(names_.counter, labels(d, key_)));
  }
  thing.interned = true;
}

void IoRates::update(Thing& thing, const std::array<uint64_t, 2>& counters, TickBuilder& out) {
  thing.last_reading = reading_;
  thing.counters = counters;
  if (!thing.listed && !thing.chosen[0] && !thing.chosen[1]) {
    thing.deltas = {};  // chosen later, it begins anew: what it did meanwhile is no rate
    return;
  }
  if (!thing.interned) intern(thing, out);
  for (size_t d = 0; d < 2; ++d) {
    const bool usable = thing.deltas[d].update(counters[d], thing.growth[d]);
    if (!wanted_[d].sum || !wanted_[d].each || !thing.chosen[d]) continue;
    if (usable && elapsed_ > 0) out.add_integer(thing.rate_ids[d], per_second(thing.growth[d], elapsed_));
    if (wanted_[d].counters) out.add_integer(thing.counter_ids[d], static_cast<int64_t>(counters[d]));
  }
}

void IoRates::add_sums(const std::array<Sum, 2>& sums, TickBuilder& out) {
  for (size_t d = 0; d < 2; ++d) {
    if (!wanted_[d].sum) continue;
    if (!interned_) {
      sum_ids_[d] = out.intern(rate_series(names_.rate, labels(d, "")));
      if (wanted_[d].counters) sum_counter_ids_[d] = out.intern(counter_series(names_.counter, labels(d, "")));
    }
    if (elapsed_ > 0) out.add_integer(sum_ids_[d], per_second(sums[d].growth, elapsed_));
    if (wanted_[d].counters) out.add_integer(sum_counter_ids_[d], static_cast<int64_t>(sums[d].counter));
  }
  interned_ = true;
}

}  // namespace monitor::agent

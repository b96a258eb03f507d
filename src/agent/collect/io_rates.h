// Rates and counters of things that move bytes in two directions: disks, network interfaces. Keeps a baseline for each
// thing, sums those that count, and forgets those that are gone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/collect/collector.h"

namespace monitor::agent {

// What the series are called.
struct IoNames {
  std::string_view rate;             // system.disk.io.rate
  std::string_view counter;          // system.disk.io
  std::string_view direction_label;  // disk.io.direction
  std::array<std::string_view, 2> directions;
  std::string_view thing_label;  // system.device
};

class IoRates {
 public:
  struct Wanted {
    bool sum = false;
    bool each = false;                      // a series for every thing, too
    bool counters = false;                  // the kernel's counters, too
    std::vector<std::string> include = {};  // patterns of things; none: the usual ones
    std::vector<std::string> exclude = {};

    bool operator==(const Wanted&) const = default;
  };
  // What a selection wants; `each`: the option of its kind.
  static Wanted wanted_of(const config::MetricSelection& selection, bool each) {
    return {true, each, selection.counters, selection.include, selection.exclude};
  }

  explicit IoRates(const IoNames& names) : names_(names) {}

  // By direction. Baselines stay, unless nothing was wanted before: they would average over a pause.
  void configure(const std::array<Wanted, 2>& wanted);
  bool wanted() const { return wanted_[0].sum || wanted_[1].sum; }
  // What the other one has read is where this one's rates start from.
  void adopt(const IoRates& other);

  // One reading: begin(), every thing that is there, finish().
  void begin(const Moment& now);
  // `is_listed` asks once for a thing that is seen anew whether it gets series of its own (a partition does not).
  template <typename IsListed>
  void thing(std::string_view name, const std::array<uint64_t, 2>& counters, TickBuilder& out, IsListed&& is_listed) {
    key_.assign(name);
    auto [it, is_new] = things_.try_emplace(key_);
    if (is_new) {
      it->second.listed = is_listed(key_);
      choose(key_, it->second);
    }
    update(it->second, counters, out);
  }
  // `in_sum` says which of the listed things the sum counts; asked at every reading, may look at all of them.
  template <typename InSum>
  void finish(TickBuilder& out, InSum&& in_sum) {
    std::erase_if(things_, [this](const auto& entry) { return entry.second.last_reading != reading_; });
    std::array<Sum, 2> sums{};
    for (const auto& [name, thing] : things_) {
      for (size_t d = 0; d < 2; ++d) {
        if (!thing.chosen[d] || (wanted_[d].include.empty() && !in_sum(name))) continue;
        sums[d].growth += thing.growth[d];
        sums[d].counter += thing.counters[d];
      }
    }
    add_sums(sums, out);
  }

 private:
  struct Thing {
    bool listed = false;
    std::array<bool, 2> chosen{};  // by direction: listed, and as the patterns say
    bool interned = false;
    uint64_t last_reading = 0;
    std::array<Delta, 2> deltas;
    std::array<uint64_t, 2> growth{};
    std::array<uint64_t, 2> counters{};
    std::array<metrics::SeriesId, 2> rate_ids{kNoSeries, kNoSeries};
    std::array<metrics::SeriesId, 2> counter_ids{kNoSeries, kNoSeries};
  };
  struct Sum {
    uint64_t growth = 0;
    uint64_t counter = 0;
  };

  metrics::Labels labels(size_t direction, std::string_view thing) const;
  void choose_all();
  void choose(const std::string& name, Thing& thing) const;
  void intern(Thing& thing, TickBuilder& out);
  void update(Thing& thing, const std::array<uint64_t, 2>& counters, TickBuilder& out);
  void add_sums(const std::array<Sum, 2>& sums, TickBuilder& out);

  IoNames names_;
  std::array<Wanted, 2> wanted_;
  bool interned_ = false;
  std::array<metrics::SeriesId, 2> sum_ids_{kNoSeries, kNoSeries};
  std::array<metrics::SeriesId, 2> sum_counter_ids_{kNoSeries, kNoSeries};
  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  int64_t elapsed_ = 0;
  std::unordered_map<std::string, Thing> things_;
  std::string key_;  // the thing at hand
};

}  // namespace monitor::agent

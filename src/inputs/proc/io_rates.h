// Rates and counters of devices that move bytes in two directions: disks, network interfaces. Keeps a baseline for each
// device, sums those that count, and forgets those that are gone.
//
// A counter that falls has begun anew, or comes from a driver that is being reset. For that reading there is no rate of
// the device, and none of the sum. One that is back above where it fell from is a new baseline as well. There is no sum
// either while devices are there and nothing is known of any of them; the sum of no devices at all is 0.
//
// A device's counter is what the kernel says. The sum's counter never falls: it begins with what its devices had
// counted at the first reading, and grows by what they grow from then on. A device that is plugged in adds what it
// counts after its first reading; one that leaves takes nothing away.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/collector.h"

namespace monitor::agent {

// What the series are called.
struct IoNames {
  std::string_view rate;             // system.disk.io.rate
  std::string_view counter;          // system.disk.io
  std::string_view direction_label;  // disk.io.direction
  std::array<std::string_view, 2> directions;
  std::string_view thing_label;  // system.device
};

// One counter of a device.
class IoCounter {
 public:
  enum class Change {
    kFirst,    // no earlier reading
    kGrew,     // by growth()
    kUnknown,  // it fell, came back from a fall, or grew by more than any device can move
  };
  Change update(uint64_t value, int64_t elapsed_ns);
  uint64_t growth() const { return growth_; }
  uint64_t value() const { return last_; }

 private:
  bool seen_ = false;
  bool fell_ = false;  // at the last reading
  uint64_t last_ = 0;
  uint64_t fell_from_ = 0;  // until it is passed again
  uint64_t growth_ = 0;
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
    return {true, each, selection.has("counters"), selection.include, selection.exclude};
  }

  // What a device is by the facts of sysfs; may change between two readings.
  struct Role {
    bool listed = false;  // gets series of its own (a partition does not)
    bool in_sum = false;  // its bytes are counted by no other device of the sum

    bool operator==(const Role&) const = default;
  };

  explicit IoRates(const IoNames& names) : names_(names) {}

  // By direction. Baselines stay, unless nothing was wanted before: they would average over a pause.
  void configure(const std::array<Wanted, 2>& wanted);
  bool wanted() const { return wanted_[0].sum || wanted_[1].sum; }
  // What the other one has read is where this one's rates start from.
  void adopt(const IoRates& other);
  void forget_series() { choose_all(); }

  // One reading: begin(), every thing that is there, finish().
  void begin(const Timestamp& now);
  void thing(std::string_view name, const std::array<uint64_t, 2>& counters, const Role& role, TickBuilder& out);
  void finish(TickBuilder& out);

 private:
  struct Thing {
    Role role;
    bool is_new = true;
    std::array<bool, 2> chosen{};  // by direction: listed, and as the patterns say
    bool interned = false;
    uint64_t last_reading = 0;
    std::array<IoCounter, 2> counters;
    std::array<IoCounter::Change, 2> changes{};
    std::array<metrics::SeriesId, 2> rate_ids{kNoSeries, kNoSeries};
    std::array<metrics::SeriesId, 2> counter_ids{kNoSeries, kNoSeries};
  };
  struct Sum {
    size_t members = 0;
    size_t known = 0;    // of which the growth is known
    size_t unknown = 0;  // of which it should be, and is not
    uint64_t growth = 0;
    uint64_t counted = 0;
  };

  metrics::Labels labels(size_t direction, std::string_view thing) const;
  void choose_all();
  void choose(const std::string& name, Thing& thing) const;
  void intern(const std::string& name, Thing& thing, TickBuilder& out);
  Sum sum_of(size_t direction) const;
  void add_sum(size_t direction, TickBuilder& out);

  IoNames names_;
  std::array<Wanted, 2> wanted_;
  bool interned_ = false;
  std::array<metrics::SeriesId, 2> sum_ids_{kNoSeries, kNoSeries};
  std::array<metrics::SeriesId, 2> sum_counter_ids_{kNoSeries, kNoSeries};
  std::array<std::optional<uint64_t>, 2> totals_;  // the sums' counters
  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  int64_t elapsed_ = 0;
  std::unordered_map<std::string, Thing> things_;
  std::string key_;  // the thing at hand
};

}  // namespace monitor::agent

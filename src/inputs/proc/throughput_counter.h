// ThroughputCounter: rates and counters of devices that move bytes in two directions (disks, network interfaces). Keeps
// a baseline for each device, sums the devices that count, and forgets the devices that are gone.
//
// A counter that falls has restarted, or its driver is being reset. In that reading neither the device nor the sum has
// a rate. A counter that rises again above the value from which it fell is a new baseline as well. The sum has no value
// if devices exist but no growth is known; without devices it is 0.
//
// A device's counter is the kernel's. The sum's counter never falls: it starts with the totals of its devices at the
// first reading, and then grows by their growth. A new device adds what it counts after its first reading; a device
// that leaves subtracts nothing.
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

// Names and labels of the series.
struct ThroughputNames {
  std::string_view rate;             // system.disk.io.rate
  std::string_view counter;          // system.disk.io
  std::string_view direction_label;  // disk.io.direction
  std::array<std::string_view, 2> directions;
  std::string_view device_label;  // system.device
};

// One counter of a device.
class ByteCounter {
 public:
  enum class Change {
    kFirst,    // no earlier reading
    kGrew,     // by growth()
    kUnknown,  // it fell, recovered from a fall, or grew by more than any device can move
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

class ThroughputCounter {
 public:
  struct Wanted {
    bool sum = false;
    bool each = false;                      // also a series for every device
    bool counters = false;                  // also the kernel's counters
    std::vector<std::string> include = {};  // patterns of devices; empty: the default ones
    std::vector<std::string> exclude = {};

    bool operator==(const Wanted&) const = default;
  };
  // Converts a selection. `each`: its option for one series per device is set.
  static Wanted wanted_of(const config::MetricSelection& selection, bool each) {
    return {true, each, selection.has("counters"), selection.include, selection.exclude};
  }

  // How sysfs classifies a device; can change between two readings.
  struct Role {
    bool listed = false;  // has series of its own (a partition does not)
    bool in_sum = false;  // no other device of the sum counts its bytes

    bool operator==(const Role&) const = default;
  };

  explicit ThroughputCounter(const ThroughputNames& names) : names_(names) {}

  // Both directions. Keeps the baselines, unless nothing was selected before: rates would average over the pause.
  void configure(const std::array<Wanted, 2>& wanted);
  bool wanted() const { return wanted_[0].sum || wanted_[1].sum; }
  // Takes over the baselines of the other counter.
  void adopt(const ThroughputCounter& other);
  void forget_series() { choose_all(); }

  // One reading: begin(), device() for every existing device, finish().
  void begin(const Timestamp& now);
  void device(std::string_view name, const std::array<uint64_t, 2>& counters, const Role& role, TickBuilder& out);
  void finish(TickBuilder& out);

 private:
  struct Device {
    Role role;
    bool is_new = true;
    std::array<bool, 2> chosen{};  // by direction: whether it is listed and matches the patterns
    bool interned = false;
    uint64_t last_reading = 0;
    std::array<ByteCounter, 2> counters;
    std::array<ByteCounter::Change, 2> changes{};
    std::array<metrics::SeriesId, 2> rate_ids{kNoSeries, kNoSeries};
    std::array<metrics::SeriesId, 2> counter_ids{kNoSeries, kNoSeries};
  };
  struct Sum {
    size_t members = 0;
    size_t known = 0;    // devices whose growth is known
    size_t unknown = 0;  // devices whose growth should be known but is not
    uint64_t growth = 0;
    uint64_t counted = 0;
  };

  metrics::Labels labels(size_t direction, std::string_view device) const;
  void choose_all();
  void choose(const std::string& name, Device& device) const;
  void intern(const std::string& name, Device& device, TickBuilder& out);
  Sum sum_of(size_t direction) const;
  void add_sum(size_t direction, TickBuilder& out);

  ThroughputNames names_;
  std::array<Wanted, 2> wanted_;
  bool interned_ = false;
  std::array<metrics::SeriesId, 2> sum_ids_{kNoSeries, kNoSeries};
  std::array<metrics::SeriesId, 2> sum_counter_ids_{kNoSeries, kNoSeries};
  std::array<std::optional<uint64_t>, 2> totals_;  // the sums' counters
  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  int64_t elapsed_ = 0;
  std::unordered_map<std::string, Device> devices_;
  std::string key_;  // key of the current device
};

}  // namespace monitor::agent

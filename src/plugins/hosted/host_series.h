// HostSeries: the numbers by which the agent and the host of one plugin name series to each other. The agent's series
// have the numbers of its table; series that the plugin creates have numbers of the host's own. Loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/batch.h"

namespace monitor::agent {

class HostSeries {
 public:
  // How many series one plugin may add to the agent's table, which all plugins share.
  static constexpr size_t kMostNew = 5'000;

  // The table must outlive it.
  explicit HostSeries(metrics::SeriesTable& table) : table_(table) {}

  // The host is a new one, which knows no series.
  void forget();
  // True if the host was told no series.
  bool empty() const { return known_.empty(); }
  // What the host must be told before this tick; empty: nothing.
  std::string unknown_in(const metrics::Tick& tick);
  // Takes series that the plugin creates. Returns what is wrong with them; empty: nothing.
  std::string define(std::string_view payload);
  // Translates the host's numbers to those of the table. Points without room in the table are removed and added to
  // `over`. Returns what is wrong with the numbers; empty: nothing.
  std::string translate(std::vector<metrics::Point>& points, uint64_t& over) const;
  // Marks the series whose numbers the host knows.
  void mark(std::vector<bool>& held) const;
  // The limit applies to all versions of a plugin together.
  void inherit(const HostSeries& old) { created_ += old.created_; }
  // Why there is no room for a series of the plugin.
  std::string limit_text() const;

 private:
  metrics::SeriesTable& table_;
  std::vector<bool> known_;                            // the agent's series that this host knows
  size_t known_dense_ = 0;                             // this host knows all numbers below it
  std::vector<std::optional<metrics::SeriesId>> own_;  // the host's own series, by their number in the table
  size_t created_ = 0;
};

}  // namespace monitor::agent

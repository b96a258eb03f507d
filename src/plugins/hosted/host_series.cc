#include "plugins/hosted/host_series.h"

#include <fmt/format.h>

#include <utility>

#include "plugins/wire/wire.h"

namespace monitor::agent {

using plugin_wire::kOwnSeries;

void HostSeries::forget() {
  known_.clear();
  known_dense_ = 0;
  own_.clear();
}

std::string HostSeries::unknown_in(const metrics::Tick& tick) {
  std::string series;
  if (plugin_wire::all_below(tick.points, known_dense_)) return series;
  for (const metrics::Point& point : tick.points) {
    if (point.series < known_dense_ || (point.series < known_.size() && known_[point.series])) continue;
    if (point.series >= known_.size()) known_.resize(point.series + 1);
    known_[point.series] = true;
    plugin_wire::put_series(series, point.series, table_.at(point.series));
  }
  while (known_dense_ < known_.size() && known_[known_dense_]) ++known_dense_;
  return series;
}

std::string HostSeries::define(std::string_view payload) {
  auto all = plugin_wire::decode_series(payload, true);
  if (!all) return all.error().message();
  for (auto& one : *all) {
    if ((one.id & ~kOwnSeries) != own_.size()) return fmt::format("series {} out of order", one.id & ~kOwnSeries);
    const size_t before = table_.size();
    // After a restart of its host, the plugin may create again the series that it had before.
    const auto id = created_ < kMostNew ? table_.intern(std::move(one.series)) : table_.find(one.series);
    if (table_.size() > before) ++created_;
    if (id && *id >= known_.size()) known_.resize(*id + 1);
    own_.push_back(id);
  }
  return "";
}

std::string HostSeries::translate(std::vector<metrics::Point>& points, uint64_t& over) const {
  // Usually all series are known, and below a bound up to which all numbers are known.
  if (plugin_wire::all_below(points, known_dense_)) return "";
  size_t kept = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const metrics::Point point = points[i];
    metrics::SeriesId id = point.series;
    if ((point.series & kOwnSeries) != 0) {
      const size_t own = point.series & ~kOwnSeries;
      if (own >= own_.size()) return fmt::format("a point of series {}, which it did not define", own);
      if (!own_[own]) {
        ++over;
        continue;
      }
      id = *own_[own];
    } else if (id >= known_.size() || !known_[id]) {
      return fmt::format("a point of series {}, which the agent did not send", id);
    }
    points[kept] = point;
    points[kept].reserved = 0;
    points[kept++].series = id;
  }
  points.resize(kept);
  return "";
}

void HostSeries::mark(std::vector<bool>& held) const {
  if (held.size() < table_.bound()) held.resize(table_.bound());
  for (size_t id = 0; id < known_.size(); ++id) {
    if (known_[id]) held[id] = true;
  }
  for (const auto& id : own_) {
    if (id) held[*id] = true;
  }
}

std::string HostSeries::limit_text() const {
  if (created_ < kMostNew) {
    return fmt::format("there is no room for its series; the agent has {} series", table_.size());
  }
  return fmt::format("it has created {} series, which is the limit; points of further series are dropped", created_);
}

}  // namespace monitor::agent

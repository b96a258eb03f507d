#include "metrics/series.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "metrics/series_limits.h"

namespace monitor::metrics {

std::string identity(const Series& series) {
  std::string key;
  const auto add = [&key](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  add(series.name);
  add(series.unit);
  for (const auto& [name, value] : series.labels) {
    add(name);
    add(value);
  }
  key += series.kind == Kind::kCounter ? 'c' : 'g';
  key += series.integer ? 'i' : 'd';
  key += std::to_string(series.integer ? series.exponent : 0);
  return key;
}

std::string to_string(const Series& series) {
  std::string out = series.name;
  if (series.labels.empty()) return out;
  out += '{';
  for (size_t i = 0; i < series.labels.size(); ++i) {
    if (i > 0) out += ',';
    out += series.labels[i].first + "=" + series.labels[i].second;
  }
  return out + "}";
}

namespace {

bool is_family(std::string_view family, std::string_view name) {
  return name.starts_with(family) && (name.size() == family.size() || name[family.size()] == '.');
}

}  // namespace

// A pattern without * ? and { names a family: "system.cpu" selects system.cpu and system.cpu.*. "cpu" does the same,
// because "system." may be omitted. All filters of command lines, API and page use this function.
bool selects(std::string_view pattern, const Series& series) {
  if (!pattern.empty() && pattern.find_first_of("*?{") == std::string_view::npos) {
    constexpr std::string_view kSystem = "system.";
    const std::string_view name = series.name;
    return is_family(pattern, name) || (name.starts_with(kSystem) && is_family(pattern, name.substr(kSystem.size())));
  }
  return pattern.empty() || glob_match(pattern, series.name) || glob_match(pattern, to_string(series));
}

std::string_view label_value(const Labels& labels, std::string_view key) {
  for (const auto& [name, value] : labels) {
    if (name == key) return value;
  }
  return {};
}

void set_label(Labels& labels, std::string_view key, std::string_view value) {
  const auto at = std::lower_bound(labels.begin(), labels.end(), key,
                                   [](const auto& label, std::string_view wanted) { return label.first < wanted; });
  if (at != labels.end() && at->first == key) {
    at->second = std::string(value);
  } else {
    labels.insert(at, {std::string(key), std::string(value)});
  }
}

double power_of_ten(int exponent) {
  static constexpr std::array<double, 19> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                                     1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  const int size = exponent < 0 ? -exponent : exponent;
  if (size > 18) return std::pow(10.0, exponent);
  return exponent < 0 ? 1.0 / kPowers[static_cast<size_t>(size)] : kPowers[static_cast<size_t>(size)];
}

std::optional<SeriesId> SeriesTable::intern(Series series) {
  const bool cut = edge_ == Edge::kFit && fit_labels(series);
  std::string key = identity(series);
  const auto found = ids_.find(key);
  if (found != ids_.end()) return found->second;
  if (room() == 0) {
    ++refusals_;
    return std::nullopt;
  }
  const SeriesId id = free_.empty() ? static_cast<SeriesId>(series_.size()) : free_.back();
  if (cut) ++series_cut_;
  if (edge_ == Edge::kFit) {
    if (std::string fault = fault_of(series); !fault.empty()) faults_.emplace(id, std::move(fault));
  }
  if (free_.empty()) {
    series_.push_back(std::move(series));
    needed_until_.push_back(INT64_MIN);
  } else {
    free_.pop_back();
    series_[id] = std::move(series);
    needed_until_[id] = INT64_MIN;
  }
  ids_.emplace(std::move(key), id);
  return id;
}

std::optional<SeriesId> SeriesTable::find(const Series& series) const {
  Series fitting = series;
  if (edge_ == Edge::kFit) fit_labels(fitting);
  const auto found = ids_.find(identity(fitting));
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<SeriesId> SeriesTable::unneeded(int64_t now_ns, size_t most, const std::vector<bool>& held) const {
  std::vector<SeriesId> result;
  for (SeriesId id = 0; id < needed_until_.size(); ++id) {
    if (needed_until_[id] < now_ns && (id >= held.size() || !held[id])) result.push_back(id);
  }
  std::ranges::sort(result, [this](SeriesId a, SeriesId b) {
    return std::pair(needed_until_[a], a) < std::pair(needed_until_[b], b);
  });
  if (result.size() > most) result.resize(most);
  return result;
}

void SeriesTable::release(const std::vector<SeriesId>& ids) {
  if (ids.empty()) return;
  for (const SeriesId id : ids) {
    ids_.erase(identity(series_[id]));
    faults_.erase(id);
    series_[id] = {};
    needed_until_[id] = INT64_MAX;  // unassigned
    free_.push_back(id);
  }
  released_ += ids.size();
  ++epoch_;
}

std::string_view SeriesTable::fault(SeriesId id) const {
  const auto found = faults_.find(id);
  return found == faults_.end() ? std::string_view() : found->second;
}

double SeriesTable::value(const Point& point) const {
  const Series& series = series_[point.series];
  if (!series.integer) return point.real;
  // Dividing by an exact power of ten rounds once; multiplying by its inverse would round twice.
  return series.exponent < 0 ? static_cast<double>(point.integer) / power_of_ten(-series.exponent)
                             : static_cast<double>(point.integer) * power_of_ten(series.exponent);
}

}  // namespace monitor::metrics

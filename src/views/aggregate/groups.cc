#include "views/aggregate/groups.h"

#include <algorithm>

#include "base/protowire.h"
#include "base/text.h"
#include "metrics/labels_text.h"

namespace monitor::analysis {

namespace {

enum : uint32_t { kGroup = 1, kSeries = 2 };
// Fields of a group.
enum : uint32_t { kNumber = 1, kMetric = 2, kUnit = 3, kColumn = 4, kLabelName = 5, kLabelValue = 6 };
// Fields of a series.
enum : uint32_t { kSeriesNumber = 1, kName = 2, kGroupOf = 3, kCounter = 4 };

Error malformed(const char* what) { return Error(Code::kDataLoss, std::string("aggregates: ") + what); }

std::string name_of(const metrics::Batch& batch, const metrics::Series& series, bool with_host) {
  // Neither an agent id nor a host name contains a NUL.
  std::string name = batch.agent_id + '\0';
  if (with_host) name += batch.hostname + '\0';
  return name + metrics::identity(series);
}

}  // namespace

void Group::name() {
  key = json_quote(metric) + "," + json_quote(unit) + ",{";
  for (size_t i = 0; i < by.size(); ++i) {
    if (i > 0) key += ',';
    key += json_quote(by[i].first) + ":" + json_quote(by[i].second);
  }
  key += '}';
}

Group GroupTable::make_group(const metrics::Batch& batch, const metrics::Series& series) const {
  Group group{.metric = series.name, .unit = series.unit, .columns = {}, .by = {}, .key = {}};
  for (const Dimension& one : spec_.by) {
    if (one.kind != Dimension::Kind::kLabels) {
      const std::string_view value = one.kind == Dimension::Kind::kAgent ? std::string_view(batch.agent_id)
                                     : one.kind == Dimension::Kind::kHost
                                         ? std::string_view(batch.hostname)
                                         : metrics::label_value(series.labels, one.name);
      group.columns.emplace_back(value);
      group.by.emplace_back(one.name, value);
      continue;
    }
    group.columns.push_back(metrics::labels_text(series.labels));
    for (const auto& [key, value] : series.labels) {
      const bool taken = std::ranges::any_of(spec_.by, [&key](const Dimension& d) { return d.name == key; });
      group.by.emplace_back(taken ? "label:" + key : key, value);
    }
  }
  group.name();
  return group;
}

uint32_t GroupTable::number_of(Group group) {
  if (const auto found = by_key_.find(group.key); found != by_key_.end()) return found->second;
  auto number = static_cast<uint32_t>(groups_.size());
  if (free_groups_.empty()) {
    groups_.emplace_back();
  } else {
    number = free_groups_.back();
    free_groups_.pop_back();
  }
  by_key_.emplace(group.key, number);
  groups_[number] = {std::move(group), true, INT64_MIN};
  return number;
}

uint32_t GroupTable::find_or_add(const metrics::Batch& batch, const metrics::Series& series) {
  std::string name = name_of(batch, series, spec_.has(Dimension::Kind::kHost));
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  if (by_name_.size() >= spec_.max_series) return kNone;
  auto number = static_cast<uint32_t>(series_.size());
  if (free_series_.empty()) {
    series_.emplace_back();
  } else {
    number = free_series_.back();
    free_series_.pop_back();
  }
  by_name_.emplace(name, number);
  series_[number] = {std::move(name), number_of(make_group(batch, series)), series.kind == metrics::Kind::kCounter,
                     INT64_MIN};
  return number;
}

void GroupTable::use_all(int64_t pane_ns) {
  for (uint32_t i = 0; i < series_.size(); ++i) {
    if (!series_[i].name.empty()) use(i, pane_ns);
  }
}

void GroupTable::release(int64_t before_ns) {
  ++epoch_;
  for (uint32_t i = 0; i < series_.size(); ++i) {
    SeriesEntry& entry = series_[i];
    if (entry.name.empty() || entry.last_ns >= before_ns) continue;
    by_name_.erase(entry.name);
    entry = {};
    free_series_.push_back(i);
  }
  // A group is used whenever one of its series is.
  for (uint32_t i = 0; i < groups_.size(); ++i) {
    GroupEntry& entry = groups_[i];
    if (!entry.used || entry.last_ns >= before_ns) continue;
    by_key_.erase(entry.group.key);
    entry = {};
    free_groups_.push_back(i);
  }
}

void GroupTable::encode(std::string& out) const {
  std::string bytes;
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i].used) continue;
    const Group& group = groups_[i].group;
    bytes.clear();
    protowire::put_uint64(bytes, kNumber, i);
    protowire::put_bytes(bytes, kMetric, group.metric);
    protowire::put_bytes(bytes, kUnit, group.unit);
    for (const std::string& column : group.columns) protowire::put_message(bytes, kColumn, column);
    for (const auto& [label, value] : group.by) {
      protowire::put_message(bytes, kLabelName, label);
      protowire::put_message(bytes, kLabelValue, value);
    }
    protowire::put_message(out, kGroup, bytes);
  }
  for (size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].name.empty()) continue;
    bytes.clear();
    protowire::put_uint64(bytes, kSeriesNumber, i);
    protowire::put_bytes(bytes, kName, series_[i].name);
    protowire::put_uint64(bytes, kGroupOf, series_[i].group);
    protowire::put_uint64(bytes, kCounter, series_[i].counter ? 1 : 0);
    protowire::put_message(out, kSeries, bytes);
  }
}

Status GroupTable::decode_group(std::string_view bytes) {
  Group group;
  uint64_t number = 0;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kNumber) number = field->value;
    if (field->number == kMetric) group.metric = field->bytes;
    if (field->number == kUnit) group.unit = field->bytes;
    if (field->number == kColumn) group.columns.emplace_back(field->bytes);
    if (field->number == kLabelName) group.by.emplace_back(field->bytes, "");
    if (field->number == kLabelValue && group.by.empty()) return malformed("a label without a name");
    if (field->number == kLabelValue) group.by.back().second = field->bytes;
  }
  if (reader.failed()) return malformed("a group is malformed");
  // A freed number leaves a hole; there are never more numbers than series were allowed at once.
  if (number >= spec_.max_series) return malformed("a group's number is out of range");
  if (group.columns.size() != spec_.by.size()) return malformed("a group has other dimensions");
  group.name();
  if (groups_.size() <= number) groups_.resize(number + 1);
  if (groups_[number].used || !by_key_.emplace(group.key, static_cast<uint32_t>(number)).second) {
    return malformed("a group occurs twice");
  }
  groups_[number] = {std::move(group), true, INT64_MIN};
  return {};
}

Status GroupTable::decode_series(std::string_view bytes) {
  SeriesEntry entry;
  uint64_t number = 0;
  uint64_t group = 0;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kSeriesNumber) number = field->value;
    if (field->number == kName) entry.name = field->bytes;
    if (field->number == kGroupOf) group = field->value;
    if (field->number == kCounter) entry.counter = field->value != 0;
  }
  if (reader.failed() || entry.name.empty()) return malformed("a series is malformed");
  if (number >= spec_.max_series) return malformed("a series' number is out of range");
  if (group >= groups_.size() || !groups_[group].used) return malformed("a series without a group");
  entry.group = static_cast<uint32_t>(group);
  if (series_.size() <= number) series_.resize(number + 1);
  if (!series_[number].name.empty() || !by_name_.emplace(entry.name, static_cast<uint32_t>(number)).second) {
    return malformed("a series occurs twice");
  }
  series_[number] = std::move(entry);
  return {};
}

Status GroupTable::decode(std::string_view bytes) {
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type != protowire::WireType::kBytes) continue;
    Status read;
    if (field->number == kGroup) read = decode_group(field->bytes);
    if (field->number == kSeries) read = decode_series(field->bytes);
    if (!read) return read;
  }
  if (reader.failed()) return malformed("the groups are cut off");
  for (uint32_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i].used) free_groups_.push_back(i);
  }
  for (uint32_t i = 0; i < series_.size(); ++i) {
    if (series_[i].name.empty()) free_series_.push_back(i);
  }
  return {};
}

}  // namespace monitor::analysis

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "query/evaluator_impl.h"
#include "query/kahan.h"
#include "query/quantile.h"

namespace monitor::query {
namespace {

struct Group {
  Labels labels;
  bool drop_name = false;
  std::vector<size_t> members;  // columns
};

std::vector<Group> group_columns(const Aggregation& aggregation, const Columns& columns) {
  std::vector<Group> groups;
  std::unordered_map<Labels, size_t, LabelsHash> places;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Labels& labels = columns[i].labels;
    Labels of_group =
        aggregation.without ? labels.without(aggregation.labels).without_metric() : labels.keep(aggregation.labels);
    const auto [place, is_new] = places.try_emplace(of_group, groups.size());
    if (is_new) groups.push_back({.labels = std::move(of_group), .drop_name = columns[i].drop_name});
    Group& group = groups[place->second];
    group.drop_name = group.drop_name || columns[i].drop_name;
    group.members.push_back(i);
  }
  return groups;
}

bool selects_series(AggregateOp op) {
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk || op == AggregateOp::kLimitk ||
         op == AggregateOp::kLimitRatio;
}

// Where a series is in a random order of all series, from 0 to 1: the same for every query.
double place_of(const Labels& labels) {
  // FNV-1a, and then SplitMix's finalizer, because the highest bits count.
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  };
  for (const auto& [name, value] : labels.pairs()) {
    add(name);
    add(value);
  }
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return static_cast<double>(hash) / 0x1p64;
}

// A negative ratio selects what the positive rest does not.
bool in_ratio(double ratio, double place) { return ratio >= 0 ? place < ratio : place >= 1 + ratio; }

double least(const std::vector<double>& values, bool greatest) {
  double found = values[0];
  for (const double value : values) {
    if (std::isnan(found) || (greatest ? value > found : value < found)) found = value;
  }
  return found;
}

double variance(const std::vector<double>& values) {
  Variance of;
  for (const double value : values) of.add(value);
  return of.value();
}

// Of at least one value.
double reduce(AggregateOp op, const std::vector<double>& values, double parameter) {
  switch (op) {
    case AggregateOp::kSum: {
      KahanSum sum;
      for (const double value : values) sum.add(value);
      return sum.value();
    }
    case AggregateOp::kAvg: {
      Mean mean;
      for (const double value : values) mean.add(value);
      return mean.value();
    }
    case AggregateOp::kMin:
      return least(values, false);
    case AggregateOp::kMax:
      return least(values, true);
    case AggregateOp::kCount:
      return static_cast<double>(values.size());
    case AggregateOp::kGroup:
      return 1;
    case AggregateOp::kStdvar:
      return variance(values);
    case AggregateOp::kStddev:
      return std::sqrt(variance(values));
    case AggregateOp::kQuantile:
      return quantile(parameter, values);
    default:
      return no_value();
  }
}

Result<Columns> reduce_groups(const Aggregation& aggregation, const Columns& columns, const Scalars& parameter,
                              const Steps& steps, const Hold& hold) {
  Columns result;
  std::vector<double> values;
  for (Group& group : group_columns(aggregation, columns)) {
    if (auto status = hold(group.labels.bytes() + steps.count * sizeof(double)); !status) return status.error();
    Column column{.labels = std::move(group.labels),
                  .drop_name = group.drop_name,
                  .values = std::vector<double>(steps.count, no_value())};
    for (size_t step = 0; step < steps.count; ++step) {
      values.clear();
      for (const size_t member : group.members) {
        if (has_value(columns[member].values[step])) values.push_back(columns[member].values[step]);
      }
      if (!values.empty())
        column.values[step] = reduce(aggregation.op, values, parameter.empty() ? 0 : parameter[step]);
    }
    result.push_back(std::move(column));
  }
  return result;
}

// The members of a group with the k greatest (or least) values at a step, best first. NaN is worse than any value.
std::vector<size_t> best(const Columns& columns, const Group& group, size_t step, size_t k, bool greatest) {
  std::vector<size_t> present;
  for (const size_t member : group.members) {
    if (has_value(columns[member].values[step])) present.push_back(member);
  }
  std::ranges::stable_sort(present, [&](size_t a, size_t b) {
    const double first = columns[a].values[step];
    const double second = columns[b].values[step];
    if (std::isnan(first) || std::isnan(second)) return !std::isnan(first) && std::isnan(second);
    return greatest ? first > second : first < second;
  });
  if (present.size() > k) present.resize(k);
  return present;
}

// The members of a group that the aggregation keeps at a step, in their order in the result.
std::vector<size_t> kept_members(const Aggregation& aggregation, const Columns& columns, const Group& group,
                                 size_t step, double parameter) {
  if (aggregation.op == AggregateOp::kLimitRatio) {
    std::vector<size_t> kept;
    for (const size_t member : group.members) {
      const bool there = has_value(columns[member].values[step]);
      if (there && in_ratio(parameter, place_of(columns[member].labels))) kept.push_back(member);
    }
    return kept;
  }
  if (parameter < 1) return {};
  const size_t most = parameter > static_cast<double>(columns.size()) ? columns.size() : static_cast<size_t>(parameter);
  if (aggregation.op != AggregateOp::kLimitk) {
    return best(columns, group, step, most, aggregation.op == AggregateOp::kTopk);
  }
  std::vector<size_t> kept;
  for (const size_t member : group.members) {
    if (kept.size() < most && has_value(columns[member].values[step])) kept.push_back(member);
  }
  return kept;
}

Result<Columns> select_members(const Aggregation& aggregation, const Columns& columns, const Scalars& parameter,
                               const Steps& steps, const Hold& hold) {
  std::vector<Column> kept(columns.size());
  std::vector<size_t> order;
  std::vector<Group> groups = group_columns(aggregation, columns);
  if (aggregation.op == AggregateOp::kLimitk) {
    // The same series in every query, whatever the order in which the storage gives them.
    for (Group& group : groups) {
      std::ranges::sort(group.members, {},
                        [&columns](size_t member) -> const Labels& { return columns[member].labels; });
    }
  }
  for (size_t step = 0; step < steps.count; ++step) {
    if (std::isnan(parameter[step])) {
      return Error(Code::kInvalidArgument, "the number of topk, bottomk, limitk or limit_ratio is NaN");
    }
    for (const Group& group : groups) {
      for (const size_t member : kept_members(aggregation, columns, group, step, parameter[step])) {
        Column& column = kept[member];
        if (column.values.empty()) {
          if (auto status = hold(columns[member].bytes()); !status) return status.error();
          column = {.labels = columns[member].labels,
                    .drop_name = columns[member].drop_name,
                    .values = std::vector<double>(steps.count, no_value())};
          order.push_back(member);
        }
        column.values[step] = columns[member].values[step];
      }
    }
  }
  Columns result;
  for (const size_t member : order) result.push_back(std::move(kept[member]));
  return result;
}

// As Prometheus writes a value in a label: the shortest digits that give the same value, without an exponent.
std::string label_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  const auto written = [&](std::chars_format format) {
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
  };
  constexpr double kExact = 9007199254740992;  // 2^53: beyond, the fixed form has more digits than necessary
  if (std::abs(value) < kExact) return written(std::chars_format::fixed);
  const std::string shortest = written(std::chars_format::scientific);  // "-1.25e+300"
  const size_t exponent_at = shortest.find('e');
  std::string digits = shortest.substr(0, exponent_at);
  const size_t point = digits.find('.');
  const size_t decimals = point == std::string::npos ? 0 : digits.size() - point - 1;
  if (point != std::string::npos) digits.erase(point, 1);
  const int64_t exponent = parse_i64(std::string_view(shortest).substr(exponent_at + 2)).value_or(0);
  return digits + std::string(static_cast<size_t>(exponent) - std::min(decimals, static_cast<size_t>(exponent)), '0');
}

}  // namespace

Result<Columns> Evaluator::aggregate(const Aggregation& aggregation, const Steps& steps) {
  Scalars parameter;
  if (aggregation.parameter != nullptr && aggregation.op != AggregateOp::kCountValues) {
    auto scalars = scalars_of(*aggregation.parameter, steps);
    if (!scalars) return scalars.error();
    parameter = std::move(*scalars);
    if (aggregation.op == AggregateOp::kQuantile) check_quantiles(parameter, *aggregation.parameter);
    if (aggregation.op == AggregateOp::kLimitRatio) check_ratios(parameter, *aggregation.parameter);
  }
  auto columns = columns_of(*aggregation.inner, steps);
  if (!columns) return columns;
  if (auto status = spend(columns->size() * steps.count, columns->size()); !status) return status.error();
  if (aggregation.op == AggregateOp::kCountValues) {
    const auto* const label = std::get_if<Text>(&aggregation.parameter->node);
    if (label == nullptr || label->value.empty()) {
      return Error(Code::kInvalidArgument, "count_values needs the name of a label");
    }
    return count_values(aggregation, *columns, label->value, steps);
  }
  if (selects_series(aggregation.op)) return select_members(aggregation, *columns, parameter, steps, holder());
  return reduce_groups(aggregation, *columns, parameter, steps, holder());
}

Result<Columns> Evaluator::count_values(const Aggregation& aggregation, const Columns& columns,
                                        const std::string& label, const Steps& steps) {
  Columns result;
  std::unordered_map<Labels, size_t, LabelsHash> places;
  for (const Group& group : group_columns(aggregation, columns)) {
    for (const size_t member : group.members) {
      // Every value is made a text and looked up, which takes longer than any other step of a query.
      if (auto status = spend(0, result.size()); !status) return status.error();
      for (size_t step = 0; step < steps.count; ++step) {
        const double value = columns[member].values[step];
        if (!has_value(value)) continue;
        Labels labels = group.labels;
        labels.set(label, label_text(value));
        const auto [place, is_new] = places.try_emplace(labels, result.size());
        if (is_new) {
          if (auto status = spend(steps.count, result.size()); !status) return status.error();
          if (auto status = hold_column(labels, steps); !status) return status.error();
          result.push_back({.labels = std::move(labels), .values = std::vector<double>(steps.count, no_value())});
        }
        double& count = result[place->second].values[step];
        count = has_value(count) ? count + 1 : 1;
      }
    }
  }
  return result;
}

}  // namespace monitor::query

#include "views/aggregate/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

constexpr std::string_view kKnownStats = "avg, min, max, sum, count, first, last, rate, and pN with N from 0 to 100";

struct NamedStat {
  std::string_view name;
  Stat::Kind kind;
};
constexpr std::array kStats = {NamedStat{"avg", Stat::Kind::kAvg},     NamedStat{"min", Stat::Kind::kMin},
                               NamedStat{"max", Stat::Kind::kMax},     NamedStat{"sum", Stat::Kind::kSum},
                               NamedStat{"count", Stat::Kind::kCount}, NamedStat{"first", Stat::Kind::kFirst},
                               NamedStat{"last", Stat::Kind::kLast},   NamedStat{"rate", Stat::Kind::kRate}};

Result<Stat> parse_stat(std::string_view word) {
  const auto known = std::ranges::find(kStats, word, &NamedStat::name);
  if (known != kStats.end()) return Stat{known->kind, 0, std::string(word)};
  if (word.starts_with('p') && word.size() <= 16) {
    const auto percent = parse_double(word.substr(1));
    if (percent && *percent >= 0 && *percent <= 100)
      return Stat{Stat::Kind::kQuantile, *percent / 100, std::string(word)};
  }
  return Error(Code::kInvalidArgument,
               fmt::format("unknown statistic {}, known are {}", json_quote(word), kKnownStats));
}

Result<Dimension> parse_dimension(std::string_view word) {
  constexpr std::string_view kLabelPrefix = "label:";
  if (word == "agent") return Dimension{Dimension::Kind::kAgent, "agent"};
  if (word == "host") return Dimension{Dimension::Kind::kHost, "host"};
  if (word == "label" || word == "labels") return Dimension{Dimension::Kind::kLabels, "labels"};
  const bool prefixed = word.starts_with(kLabelPrefix);
  if (prefixed) word.remove_prefix(kLabelPrefix.size());
  if (word.empty()) return Error(Code::kInvalidArgument, "an empty name; give agent, host, label, or a label's name");
  return Dimension{Dimension::Kind::kLabel, std::string(word)};
}

}  // namespace

Result<std::vector<Stat>> parse_stats(std::string_view text) {
  std::vector<Stat> stats;
  for (const std::string_view word : split(text, ',')) {
    auto stat = parse_stat(trim(word));
    if (!stat) return stat.error();
    if (std::ranges::any_of(stats, [&](const Stat& one) { return one.name == stat->name; })) {
      return Error(Code::kInvalidArgument, fmt::format("{} is named twice", json_quote(stat->name)));
    }
    stats.push_back(std::move(*stat));
  }
  return stats;
}

Result<std::vector<Dimension>> parse_dimensions(std::string_view text) {
  std::vector<Dimension> dimensions;
  if (trim(text) == "none") return dimensions;
  for (const std::string_view word : split(text, ',')) {
    if (trim(word) == "metric") continue;
    auto dimension = parse_dimension(trim(word));
    if (!dimension) return dimension.error();
    if (std::ranges::any_of(dimensions, [&](const Dimension& one) { return one.name == dimension->name; })) {
      return Error(Code::kInvalidArgument, fmt::format("{} is named twice", json_quote(dimension->name)));
    }
    dimensions.push_back(std::move(*dimension));
  }
  return dimensions;
}

Status check(const AggregateSpec& spec) {
  const auto refuse = [](std::string text) { return Error(Code::kInvalidArgument, std::move(text)); };
  if (spec.width_ns <= 0) return refuse("--window: got 0, expected a positive duration");
  if (spec.slide_ns <= 0) return refuse("--slide: got 0, expected a positive duration");
  if (spec.slide_ns > spec.width_ns) {
    return refuse(fmt::format("--slide: got {}, which is above --window {}; values between the windows would be lost",
                              format_duration(spec.slide_ns), format_duration(spec.width_ns)));
  }
  constexpr int64_t kLongest = int64_t{31} * 24 * 3600 * kNanosPerSecond;
  for (const auto& [option, ns] : {std::pair("--window", spec.width_ns), std::pair("--lateness", spec.lateness_ns),
                                   std::pair("--keep", spec.keep_ns)}) {
    if (ns > kLongest) return refuse(fmt::format("{}: got {}, the limit is 31d", option, format_duration(ns)));
  }
  const int64_t panes = spec.width_ns / spec.pane_ns();
  if (panes > static_cast<int64_t>(AggregateSpec::kMaxPanesOfWindow)) {
    return refuse(
        fmt::format("--slide: {} and --window {} have a common divisor of {}, so a window has {} parts; the "
                    "limit is {}",
                    format_duration(spec.slide_ns), format_duration(spec.width_ns), format_duration(spec.pane_ns()),
                    panes, AggregateSpec::kMaxPanesOfWindow));
  }
  return {};
}

bool AggregateSpec::has(Stat::Kind kind) const {
  return std::ranges::any_of(stats, [kind](const Stat& stat) { return stat.kind == kind; });
}

bool AggregateSpec::has(Dimension::Kind kind) const {
  return std::ranges::any_of(by, [kind](const Dimension& one) { return one.kind == kind; });
}

int64_t AggregateSpec::pane_ns() const { return std::gcd(width_ns, slide_ns); }

std::string AggregateSpec::fingerprint() const {
  std::string text = fmt::format("--window {} --slide {} --metric {} --agent {} --by", format_duration(width_ns),
                                 format_duration(slide_ns), json_quote(metric), json_quote(agent));
  for (const Dimension& one : by) {
    text += one.kind == Dimension::Kind::kLabel ? " label:" : " ";
    text += one.name;
  }
  if (has(Stat::Kind::kQuantile)) text += ", with quantiles";
  if (has(Stat::Kind::kRate)) text += ", with rates";
  return text;
}

int64_t floor_to(int64_t time_ns, int64_t step_ns) {
  const int64_t rest = time_ns % step_ns;
  int64_t start = 0;
  return __builtin_sub_overflow(time_ns, rest < 0 ? rest + step_ns : rest, &start) ? INT64_MIN : start;
}

}  // namespace monitor::analysis

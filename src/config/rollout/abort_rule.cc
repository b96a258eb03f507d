#include "config/rollout/abort_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "query/evaluator.h"
#include "query/parser.h"

namespace monitor::config::rollout {

namespace {

using Named = std::pair<std::string_view, size_t>;

constexpr int64_t kMoment = 1'000;  // any will do
constexpr size_t kMostEvaluations = 100;
constexpr size_t kMostSamples = 10'000;

std::array<Named, 10> named(const Counts& counts) {
  return {{{"members", counts.members},
           {"changed", counts.changed},
           {"applied", counts.applied},
           {"pending", counts.pending},
           {"failed", counts.failed()},
           {"refused", counts.refused},
           {"gone", counts.gone},
           {"restarted", counts.restarted},
           {"quarantined", counts.quarantined},
           {"away", counts.away}}};
}

class CountsSource final : public query::SeriesSource {
 public:
  explicit CountsSource(const Counts& counts) : counts_(named(counts)) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t /*from_ms*/,
                                                  int64_t to_ms) override {
    std::vector<query::StoredSeries> found;
    for (const auto& [name, value] : counts_) {
      query::StoredSeries series;
      series.labels.set(query::kNameLabel, name);
      const bool all = std::all_of(matchers.begin(), matchers.end(), [&](const query::Matcher& one) {
        return one.matches(series.labels.get(one.label()));
      });
      if (!all) continue;
      series.points = {{to_ms, static_cast<double>(value)}};
      found.push_back(std::move(series));
    }
    return found;
  }

 private:
  std::array<Named, 10> counts_;
};

// The first name in a selector that is no count.
std::optional<std::string> unknown_name(const query::Expression& expression) {
  std::optional<std::string> unknown;
  const auto known = named({});
  query::for_each_selector(expression, [&](const query::Selector& selector) {
    const bool any = std::any_of(known.begin(), known.end(), [&](const Named& one) {
      return std::all_of(selector.matchers.begin(), selector.matchers.end(), [&](const query::Matcher& matcher) {
        return matcher.matches(matcher.label() == query::kNameLabel ? one.first : std::string_view());
      });
    });
    if (any || unknown) return;
    unknown = "";
    for (const query::Matcher& matcher : selector.matchers)
      *unknown += (unknown->empty() ? "" : ", ") + matcher.to_string();
  });
  return unknown;
}

}  // namespace

Result<bool> holds(std::string_view text, const Counts& counts) {
  if (text.empty()) return false;
  const auto expression = query::parse(text);
  if (!expression) return Error(Code::kInvalidArgument, expression.error().message());
  if (const auto unknown = unknown_name(**expression)) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("got {}, expected one of members, changed, applied, pending, failed, refused, gone, restarted, "
                    "quarantined, away",
                    query::shorten(*unknown)));
  }
  CountsSource source(counts);
  query::QueryOptions options;
  options.limits.max_steps = kMostEvaluations;
  options.limits.max_samples = kMostSamples;
  const auto result = query::evaluate(**expression, source, {kMoment, kMoment, 1}, options);
  if (!result) return Error(Code::kInvalidArgument, result.error().message());
  if (result->type != query::ValueType::kVector && result->type != query::ValueType::kScalar) {
    return Error(Code::kInvalidArgument, "expected a condition, such as failed > 0");
  }
  return std::any_of(result->series.begin(), result->series.end(), [](const query::ResultSeries& one) {
    return !one.points.empty() && one.points.back().value != 0;
  });
}

Status check_abort_rule(std::string_view text) {
  const auto result = holds(text, {});
  return result ? Status() : Status(result.error());
}

}  // namespace monitor::config::rollout

#include "rules/unit_test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "query/duration.h"
#include "query/json.h"
#include "query/parser.h"
#include "rules/group_evaluation.h"
#include "rules/layered_source.h"
#include "rules/memory_store.h"

namespace monitor::rules {

namespace {

// More evaluations than that are a mistake in a duration.
constexpr int64_t kMostEvaluations = 1'000'000;

struct ShownAlert {
  query::Labels labels;
  std::map<std::string, std::string> annotations;

  auto operator<=>(const ShownAlert&) const = default;
};

std::string braces(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, query::quote(value));
  return "{" + out + "}";
}

std::string indented(std::string text, const std::string& by) {
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) text.insert(at + 1, by);
  return text;
}

std::string shown(const std::vector<ShownAlert>& alerts) {
  if (alerts.empty()) return "[]";
  std::string out = "[";
  for (size_t i = 0; i < alerts.size(); ++i) {
    const std::string one = fmt::format("\nLabels:{}\nAnnotations:{}", braces(alerts[i].labels.pairs()),
                                        braces({alerts[i].annotations.begin(), alerts[i].annotations.end()}));
    out += fmt::format("{}\n{}:{}", i == 0 ? "" : ",", i, indented(one, "  "));
  }
  return indented(out + "\n]", "            ");
}

// As Go's strconv.FormatFloat(value, 'E', -1, 64).
std::string exponent_text(double value) {
  if (!std::isfinite(value)) return query::value_text(value);
  std::array<char, 64> buffer{};
  const auto [end, fault] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string text(buffer.data(), fault == std::errc() ? end : buffer.data());
  std::ranges::replace(text, 'e', 'E');
  return text;
}

using Samples = std::vector<std::pair<query::Labels, double>>;

std::string shown(const Samples& samples) {
  std::string out;
  for (const auto& [labels, value] : samples) {
    out += (out.empty() ? "" : ", ") + braces(labels.pairs()) + " " + exponent_text(value);
  }
  return out.empty() ? "nil" : out;
}

bool equal(double a, double b, bool fuzzy) {
  if (a == b) return true;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return fuzzy && (std::nextafter(a, -kInfinity) == b || std::nextafter(a, kInfinity) == b);
}

class TestRun {
 public:
  TestRun(const UnitTestFile& file, const UnitTest& test, const std::vector<Group>& groups) : file_(file), test_(test) {
    for (const Group& group : groups) groups_.emplace_back(&group, GroupState{});
    // Groups that the order does not name come first.
    std::ranges::stable_sort(groups_, {}, [&file](const auto& one) {
      const auto place = std::ranges::find(file.group_order, one.first->name);
      return place == file.group_order.end() ? 0 : place - file.group_order.begin();
    });
  }

  std::vector<std::string> run(const LoadSamples& load_samples) {
    start_ms_ = test_.start_ms;
    if (!load(load_samples)) return std::move(failures_);
    int64_t last = 0;
    for (const AlertTest& one : test_.alerts) last = std::max(last, one.eval_time_ms);
    for (const ExpressionTest& one : test_.expressions) last = std::max(last, one.eval_time_ms);
    const int64_t step = file_.evaluation_interval_ms;
    if (last / step > kMostEvaluations) {
      return {fmt::format("    eval_time {} needs more than {} evaluations", query::format_duration_ms(last),
                          kMostEvaluations)};
    }
    for (int64_t at = 0; at <= last; at += step) {
      if (!evaluate(at)) return std::move(failures_);
      for (const AlertTest& one : test_.alerts) {
        if (at <= one.eval_time_ms && one.eval_time_ms < at + step) check(one);
      }
    }
    for (const ExpressionTest& one : test_.expressions) check(one);
    return std::move(failures_);
  }

 private:
  bool load(const LoadSamples& load_samples) {
    if (!test_.samples.empty()) {
      auto recorded =
          load_samples ? load_samples(test_.samples)
                       : Result<RecordedSamples>(Error(Code::kUnimplemented, "recorded samples cannot be read here"));
      if (!recorded) {
        failures_.push_back("    samples: " + recorded.error().message());
        return false;
      }
      start_ms_ = recorded->start_ms;
      recorded_ = std::move(recorded->source);
      layered_ = std::make_unique<LayeredSource>(*recorded_, store_);
      source_ = layered_.get();
    }
    for (const InputSeries& series : test_.input) {
      int64_t time = start_ms_;
      for (const auto& value : series.values) {
        if (value) (void)store_.append(series.labels, {time, *value});
        time += test_.interval_ms;
      }
    }
    return true;
  }

  bool evaluate(int64_t at_ms) {
    EvaluationContext context{.source = source_,
                              .at_ms = start_ms_ + at_ms,
                              .external_labels = test_.external_labels,
                              .external_url = test_.external_url};
    bool good = true;
    for (auto& [group, state] : groups_) {
      if (const auto status = evaluate_group(*group, context, 0, clock_, store_, state); !status) {
        failures_.push_back("    " + status.error().message());
        return false;
      }
      for (size_t i = 0; i < group->rules.size(); ++i) {
        if (state.rules[i].health != RuleHealth::kFailed) continue;
        failures_.push_back(fmt::format("    rule: {}, time: {}, err: {}", group->rules[i].name,
                                        query::format_duration_ms(at_ms), state.rules[i].last_error));
        good = false;
      }
    }
    return good;
  }

  void check(const AlertTest& test) {
    std::vector<ShownAlert> got;
    for (const auto& [group, state] : groups_) {
      for (size_t i = 0; i < group->rules.size(); ++i) {
        if (!group->rules[i].alerting || group->rules[i].name != test.alert) continue;
        for (const auto& [labels, active] : state.rules[i].alerts) {
          if (active.alert.state != AlertState::kFiring) continue;
          got.push_back({labels, {active.alert.annotations.begin(), active.alert.annotations.end()}});
        }
      }
    }
    std::vector<ShownAlert> expected;
    for (const ExpectedAlert& one : test.expected) {
      expected.push_back({one.labels, one.annotations});
      expected.back().labels.set("alertname", test.alert);
    }
    std::ranges::sort(got);
    std::ranges::sort(expected);
    if (got == expected) return;
    failures_.push_back(fmt::format("{}    alertname: {}, time: {}, \n        exp:{}, \n        got:{}",
                                    test_.name.empty() ? "" : fmt::format("    name: {},\n", test_.name), test.alert,
                                    query::format_duration_ms(test.eval_time_ms), shown(expected), shown(got)));
  }

  void check(const ExpressionTest& test) {
    const std::string name = fmt::format("    expr: {}, time: {},", query::quote(test.expression),
                                         query::format_duration_ms(test.eval_time_ms));
    const int64_t at = start_ms_ + test.eval_time_ms;
    const auto parsed = query::parse(test.expression);
    auto result = parsed ? query::evaluate(**parsed, *source_, {.start_ms = at, .end_ms = at})
                         : Result<query::QueryResult>(parsed.error());
    if (!result) return failures_.push_back(fmt::format("{} err: {}", name, result.error().message()));
    if (result->type != query::ValueType::kVector && result->type != query::ValueType::kScalar) {
      return failures_.push_back(name + " err: rule result is not a vector or scalar");
    }
    Samples got;
    for (const auto& series : result->series) got.emplace_back(series.labels, series.points.front().value);
    Samples expected;
    for (const ExpectedSample& one : test.expected) {
      const auto labels = query::parse_noted_series(one.labels);
      if (!labels) {
        return failures_.push_back(
            fmt::format("{} err: labels {}: {}", name, query::quote(one.labels), labels.error().message()));
      }
      expected.emplace_back(labels->labels, one.value);
    }
    const auto by_labels = [](const auto& one) { return one.first; };
    std::ranges::sort(got, {}, by_labels);
    std::ranges::sort(expected, {}, by_labels);
    const bool same = std::ranges::equal(expected, got, [this](const auto& a, const auto& b) {
      return a.first == b.first && equal(a.second, b.second, file_.fuzzy_compare);
    });
    if (!same)
      failures_.push_back(fmt::format("{}\n        exp: {}\n        got: {}", name, shown(expected), shown(got)));
  }

  const UnitTestFile& file_;
  const UnitTest& test_;
  const SystemClock clock_;
  MemoryStore store_;
  std::shared_ptr<query::SeriesSource> recorded_;
  std::unique_ptr<LayeredSource> layered_;
  query::SeriesSource* source_ = &store_;  // with the recorded samples, if the test has some
  int64_t start_ms_ = 0;
  std::vector<std::pair<const Group*, GroupState>> groups_;
  std::vector<std::string> failures_;
};

}  // namespace

std::vector<std::string> run_unit_test(const UnitTestFile& file, const UnitTest& test, const std::vector<Group>& groups,
                                       const LoadSamples& load_samples) {
  return TestRun(file, test, groups).run(load_samples);
}

}  // namespace monitor::rules

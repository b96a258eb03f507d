#include "config/rollout/judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "config/rollout/marked_source.h"
#include "config/rollout/shipped.h"
#include "query/evaluator.h"
#include "query/parser.h"

namespace monitor::config::rollout {

namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
constexpr size_t kNamed = 3;
constexpr double kEnough = 0.9;          // of the unchanged agents must have data
constexpr double kNoiseQuantile = 0.99;  // of the differences of unchanged agents
constexpr double kNoiseTimes = 2;
constexpr int64_t kLeastWindowMs = 30'000;  // a shorter time has too few values for a rate

using Changed = std::map<std::string, bool, std::less<>>;
using Values = std::map<std::string, double, std::less<>>;

// The times that a step is judged by.
struct Times {
  int64_t now_ms = 0;     // until when data is read
  int64_t end_ms = 0;     // the end of what is judged
  int64_t before_ms = 0;  // the end of what it is compared with
  int64_t window_ms = 0;
};

std::string replaced(std::string text, std::string_view name, const std::string& value) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

std::string expanded(std::string_view text, const Times& times) {
  const std::string with_window =
      replaced(std::string(text), "$window", fmt::format("{}ms", std::max<int64_t>(times.window_ms, 1)));
  return replaced(with_window, "$before", fmt::format("{}ms", std::max<int64_t>(times.end_ms - times.before_ms, 1)));
}

std::string names(const std::vector<std::string>& agents) {
  std::string text;
  for (size_t i = 0; i < std::min(agents.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + agents[i];
  return agents.size() > kNamed ? text + ", ..." : text;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double one : values) sum += one;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

class OneJudgement {
 public:
  OneJudgement(const std::string& name, query::SeriesSource& data, const Changed& changed, const Times& times)
      : source_(data, changed, times.now_ms), changed_(changed), times_(times) {
    verdict_.judgement = name;
  }

  Verdict make() {
    const auto shipped = shipped_of(verdict_.judgement);
    if (shipped) {
      compare(*shipped);
    } else {
      evaluate_condition();
    }
    return verdict_;
  }

 private:
  void undecided(std::string why) {
    verdict_.outcome = Outcome::kUndecided;
    verdict_.why = std::move(why);
  }
  void bad(std::string why) {
    verdict_.outcome = Outcome::kBad;
    verdict_.why = std::move(why);
  }

  Result<query::QueryResult> evaluate(const std::string& text, int64_t at_ms) {
    const auto expression = query::parse(text);
    if (!expression) return expression.error();
    return query::evaluate(**expression, source_, {at_ms, at_ms, 1}, {.text = text});
  }

  // Agents whose data has not arrived up to the end of what is judged.
  std::vector<std::string> late(bool of_changed) const {
    std::vector<std::string> agents;
    for (const auto& [agent, changed] : changed_) {
      if (changed != of_changed) continue;
      const auto newest = source_.newest_ms().find(agent);
      if (newest == source_.newest_ms().end() || newest->second < times_.end_ms) agents.push_back(agent);
    }
    return agents;
  }

  // Whether the data is complete; else the verdict says what is missing.
  bool arrived() {
    const auto waiting = late(true);
    if (!waiting.empty()) {
      undecided(
          fmt::format("the data of {} has not arrived: {}", counted(waiting.size(), "changed agent"), names(waiting)));
      return false;
    }
    const size_t others = static_cast<size_t>(
        std::count_if(changed_.begin(), changed_.end(), [](const auto& one) { return !one.second; }));
    const auto late_others = late(false);
    if (static_cast<double>(others - late_others.size()) >= kEnough * static_cast<double>(others)) return true;
    undecided(fmt::format("the data of {} of {} unchanged agents has not arrived", late_others.size(), others));
    return false;
  }

  void evaluate_condition() {
    const auto result = evaluate(expanded(verdict_.judgement, times_), times_.end_ms);
    if (!result) return undecided(result.error().message());
    if (result->samples == 0) return undecided("no data");
    // Series without the label "agent" do not say when an agent's data arrives.
    if (!source_.newest_ms().empty()) {
      for (const auto& [agent, newest] : source_.newest_ms()) {
        const auto member = changed_.find(agent);
        if (member == changed_.end() || newest >= times_.end_ms) continue;
        if (member->second) return undecided("the data of " + agent + " has not arrived");
      }
    }
    bool holds = !result->series.empty();
    for (const query::ResultSeries& series : result->series) {
      if (series.points.empty()) continue;
      const double value = series.points.back().value;
      if (!verdict_.now) verdict_.now = value;
      if (value == 0 && result->type != query::ValueType::kString) {
        holds = false;
        verdict_.why = "0 for " + series.labels.to_string();
      }
    }
    verdict_.outcome = holds ? Outcome::kGood : Outcome::kBad;
    if (!holds && verdict_.why.empty()) verdict_.why = "it does not hold";
  }

  std::optional<Values> values_at(const Shipped& shipped, int64_t at_ms) {
    const auto result = evaluate(expanded(shipped.expression, times_), at_ms);
    if (!result) {
      undecided(result.error().message());
      return std::nullopt;
    }
    Values values;
    for (const query::ResultSeries& series : result->series) {
      if (!series.points.empty() && std::isfinite(series.points.back().value)) {
        values[std::string(series.labels.get("agent"))] = series.points.back().value;
      }
    }
    if (shipped.absent_is_zero) {
      for (const auto& [agent, changed] : changed_) values.try_emplace(agent, 0);
    }
    return values;
  }

  struct Pairs {
    std::vector<std::string> agents;
    std::vector<double> now;
    std::vector<double> before;
    std::vector<double> differences;
    size_t missing = 0;
  };
  Pairs pairs_of(bool of_changed, const Values& now, const Values& before) const {
    Pairs pairs;
    for (const auto& [agent, changed] : changed_) {
      if (changed != of_changed) continue;
      const auto a = now.find(agent);
      const auto b = before.find(agent);
      if (a == now.end() || b == before.end()) {
        ++pairs.missing;
        continue;
      }
      pairs.agents.push_back(agent);
      pairs.now.push_back(a->second);
      pairs.before.push_back(b->second);
      pairs.differences.push_back(a->second - b->second);
    }
    return pairs;
  }

  void compare(const Shipped& shipped) {
    if (times_.window_ms < kLeastWindowMs) {
      return undecided(
          fmt::format("--wait is {} ms; this judgement needs at least {} s", times_.window_ms, kLeastWindowMs / 1000));
    }
    const auto now = values_at(shipped, times_.end_ms);
    if (!now) return;
    const auto before = values_at(shipped, times_.before_ms);
    if (!before) return;
    if (!shipped.absent_is_zero && !arrived()) return;
    const Pairs changed = pairs_of(true, *now, *before);
    const Pairs others = pairs_of(false, *now, *before);
    if (changed.agents.empty() || changed.missing > 0) {
      return undecided(fmt::format("{} of {} changed agents have too little data", changed.missing,
                                   changed.missing + changed.agents.size()));
    }
    verdict_.now = mean(changed.now);
    verdict_.before = mean(changed.before);
    if (!others.agents.empty()) {
      verdict_.others_now = mean(others.now);
      verdict_.others_before = mean(others.before);
    }
    decide(shipped, changed, others);
  }

  void decide(const Shipped& shipped, const Pairs& changed, const Pairs& others) {
    const double usual = quantile(others.differences, 0.5);
    std::vector<double> deviations;
    for (const double one : others.differences) deviations.push_back(std::abs(one - usual));
    const double noise = kNoiseTimes * quantile(deviations, kNoiseQuantile);
    std::vector<std::string> outliers;
    double worst_now = 0;
    double worst_before = 0;
    for (size_t i = 0; i < changed.agents.size(); ++i) {
      const double deviation = changed.differences[i] - usual;
      const double size = shipped.both_ways ? std::abs(deviation) : deviation;
      if (size <= shipped.limit_of(changed.before[i]) || size <= noise) continue;
      if (outliers.empty()) {
        worst_now = changed.now[i];
        worst_before = changed.before[i];
      }
      outliers.push_back(changed.agents[i]);
    }
    const std::string fleet = others.agents.empty() ? std::string("no agent is unchanged")
                                                    : fmt::format("the unchanged have {:.4g}, {:.4g} before",
                                                                  *verdict_.others_now, *verdict_.others_before);
    if (!outliers.empty()) {
      return bad(fmt::format("{} of {} changed agents deviate ({}: {:.4g} {} now, {:.4g} before; {})", outliers.size(),
                             changed.agents.size(), names(outliers), worst_now, shipped.unit, worst_before, fleet));
    }
    const double group = mean(changed.differences) - mean(others.differences);
    const double size = shipped.both_ways ? std::abs(group) : group;
    if (size > shipped.limit_of(mean(changed.before))) {
      return bad(fmt::format("the changed have {:.4g} {} on average, {:.4g} before; {}", *verdict_.now, shipped.unit,
                             *verdict_.before, fleet));
    }
    verdict_.outcome = Outcome::kGood;
    verdict_.why =
        fmt::format("{:.4g} {} now, {:.4g} before; {}", *verdict_.now, shipped.unit, *verdict_.before, fleet);
  }

  MarkedSource source_;
  const Changed& changed_;
  const Times& times_;
  Verdict verdict_;
};

}  // namespace

Status check_judgement(std::string_view text) {
  if (text.size() > kMostJudgeBytes) {
    return Error(Code::kInvalidArgument, fmt::format("{} bytes, the limit is {}", text.size(), kMostJudgeBytes));
  }
  if (shipped_of(text)) return {};
  const Times times{.now_ms = 2, .end_ms = 2, .before_ms = 1, .window_ms = 1};
  const auto expression = query::parse(expanded(text, times));
  if (!expression) {
    const auto known = nearest(text, shipped_judgements());
    return Error(Code::kInvalidArgument, fmt::format("{}{}", expression.error().message(),
                                                     known ? "; did you mean " + json_quote(*known) + "?" : ""));
  }
  const query::ValueType type = (*expression)->type;
  if (type == query::ValueType::kVector || type == query::ValueType::kScalar) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("the expression is {}, expected a condition", query::type_name(type)));
}

std::vector<Verdict> DataJudge::judge(const Rollout& rollout, const Sight& sight, int64_t now_ns) {
  std::vector<Verdict> verdicts;
  const auto all_undecided = [&](const std::string& why) {
    verdicts.clear();
    for (const std::string& name : rollout.judges) verdicts.push_back({.judgement = name, .why = why});
    return verdicts;
  };
  if (rollout.data.empty()) return all_undecided("the rollout has no data to be judged by");
  const auto source = open_(rollout.data);
  if (!source) return all_undecided(source.error().message());
  Changed changed;
  for (const Member& member : sight.members) {
    if (member.way == Way::kAway || member.way == Way::kGone) continue;
    changed[member.candidate.agent_id] = member.chosen;
  }
  const Times times{.now_ms = now_ns / kNanosPerMs,
                    .end_ms = (rollout.applied_ns + rollout.wait_ns) / kNanosPerMs,
                    .before_ms = rollout.started_ns / kNanosPerMs,
                    .window_ms = rollout.wait_ns / kNanosPerMs};
  for (const std::string& name : rollout.judges)
    verdicts.push_back(OneJudgement(name, **source, changed, times).make());
  return verdicts;
}

}  // namespace monitor::config::rollout

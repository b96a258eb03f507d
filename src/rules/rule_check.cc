#include "rules/rule_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "query/duration.h"
#include "query/evaluator.h"
#include "query/functions.h"

namespace monitor::rules {

namespace {

using Matchers = std::vector<query::Matcher>;

// A selector of an expression, and how it is used.
struct Use {
  const query::Selector* selector = nullptr;
  int64_t range_ms = 0;  // 0: an instant selector
  bool absent = false;   // within absent(): that it finds nothing is what the rule is for
  std::string function;  // that gets the range
};

void collect(const query::Expression& expression, bool absent, const std::string& function, std::vector<Use>& uses) {
  const auto inner = [&](const query::ExpressionPtr& one) {
    if (one) collect(*one, absent, "", uses);
  };
  if (const auto* const selector = std::get_if<query::Selector>(&expression.node)) {
    uses.push_back({selector, 0, absent, ""});
  } else if (const auto* const range = std::get_if<query::RangeSelector>(&expression.node)) {
    uses.push_back({&range->selector, range->range_ms, absent, function});
  } else if (const auto* const subquery = std::get_if<query::Subquery>(&expression.node)) {
    inner(subquery->inner);
  } else if (const auto* const call = std::get_if<query::Call>(&expression.node)) {
    const std::string name(call->function->name);
    for (const auto& one : call->arguments) collect(*one, absent || name.starts_with("absent"), name, uses);
  } else if (const auto* const aggregation = std::get_if<query::Aggregation>(&expression.node)) {
    inner(aggregation->inner);
    inner(aggregation->parameter);
  } else if (const auto* const binary = std::get_if<query::Binary>(&expression.node)) {
    inner(binary->left);
    inner(binary->right);
  } else if (const auto* const negation = std::get_if<query::Negation>(&expression.node)) {
    inner(negation->inner);
  }
}

std::string name_of(const Matchers& matchers) {
  for (const query::Matcher& one : matchers) {
    if (one.label() == query::kNameLabel && one.kind() == query::Matcher::Kind::kEqual) return one.value();
  }
  return {};
}

// The usual distance of two samples: the median over the series' middle distances.
std::optional<int64_t> interval_of(const std::vector<query::StoredSeries>& series) {
  std::vector<int64_t> distances;
  for (const query::StoredSeries& one : series) {
    if (one.points.size() < 3) continue;
    const size_t middle = one.points.size() / 2;
    distances.push_back(one.points[middle].time_ms - one.points[middle - 1].time_ms);
  }
  if (distances.empty()) return std::nullopt;
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::ranges::nth_element(distances, middle);
  return *middle;
}

class SeriesCheck {
 public:
  SeriesCheck(query::SeriesSource& source, const std::vector<std::string>& recorded, const CheckOptions& options)
      : source_(source), recorded_(recorded.begin(), recorded.end()), options_(options) {
    recorded_.insert({"ALERTS", "ALERTS_FOR_STATE"});
  }

  Status run(const Group& group) {
    for (const Rule& rule : group.rules) {
      rule_ = &rule;
      std::vector<Use> uses;
      collect(*rule.expression, false, "", uses);
      for (const Use& use : uses) {
        if (auto status = check(use); !status) return status;
      }
      const auto value =
          query::evaluate(*rule.expression, source_, {.start_ms = options_.now_ms, .end_ms = options_.now_ms});
      if (!value) add(fmt::format("the expression cannot be evaluated now: {}", value.error().message()));
    }
    return {};
  }

  std::vector<Fault> take() { return std::move(faults_); }

 private:
  void add(const std::string& text) {
    Fault fault{rule_->expression_place, fmt::format("{}: {}", rule_->name, text)};
    const bool known = std::ranges::any_of(faults_, [&](const Fault& one) { return one.text == fault.text; });
    if (!known) faults_.push_back(std::move(fault));
  }

  Result<std::vector<query::StoredSeries>> find(const Matchers& matchers, int64_t range_ms = 0) {
    return source_.select(matchers, options_.now_ms - std::max(options_.window_ms, range_ms), options_.now_ms);
  }

  Status check(const Use& use) {
    const Matchers& matchers = use.selector->matchers;
    const std::string name = name_of(matchers);
    if (recorded_.contains(name)) return {};
    auto found = find(matchers, use.range_ms);
    if (!found) return found.error();
    if (found->empty()) return use.absent ? Status() : explain_nothing(matchers, name);
    const auto interval = interval_of(*found);
    if (!interval) return {};
    const std::string every = query::format_duration_ms(*interval);
    if (use.range_ms > 0 && use.range_ms < 2 * *interval && !use.function.starts_with("absent")) {
      add(fmt::format("{}[{}] holds fewer than two samples: {} has one every {}; use [{}] or more", use.function,
                      query::format_duration_ms(use.range_ms), shown(matchers, name), every,
                      query::format_duration_ms(4 * *interval)));
    }
    constexpr int64_t kLookbackMs = 300'000;
    if (use.range_ms == 0 && *interval > kLookbackMs) {
      add(
          fmt::format("{} has a sample every {}, and a sample counts for 5m: most evaluations find none; use "
                      "last_over_time()",
                      shown(matchers, name), every));
    }
    return {};
  }

  static std::string shown(const Matchers& matchers, const std::string& name) {
    if (!name.empty()) return name;
    std::string text;
    for (const query::Matcher& one : matchers) text += (text.empty() ? "" : ", ") + one.to_string();
    return "{" + text + "}";
  }

  // Says which of the conditions nothing meets.
  Status explain_nothing(const Matchers& matchers, const std::string& name) {
    Matchers only_name;
    Matchers others;
    for (const query::Matcher& one : matchers) (one.label() == query::kNameLabel ? only_name : others).push_back(one);
    const auto of_name = find(only_name);
    if (!of_name) return of_name.error();
    if (of_name->empty()) return explain_unknown_metric(name, matchers);
    for (const query::Matcher& one : others) {
      std::set<std::string> values;
      bool met = false;
      for (const query::StoredSeries& series : *of_name) {
        const std::string value(series.labels.get(one.label()));
        met = met || one.matches(value);
        if (!value.empty()) values.insert(value);
      }
      if (met) continue;
      if (values.empty()) {
        add(fmt::format("no series of {} has the label {}", shown(only_name, name), one.label()));
      } else {
        std::vector<std::string> some(values.begin(), values.end());
        constexpr size_t kSome = 5;
        const bool more = some.size() > kSome;
        if (more) some.resize(kSome);
        add(fmt::format("no series of {} meets {}; it has {}{}", shown(only_name, name), one.to_string(),
                        join(some, ", "), more ? ", ..." : ""));
      }
      return {};
    }
    add(fmt::format("no series of {} meets all conditions together", shown(only_name, name)));
    return {};
  }

  Status explain_unknown_metric(const std::string& name, const Matchers& matchers) {
    if (name.empty()) {
      add(fmt::format("nothing matches {}", shown(matchers, name)));
      return {};
    }
    if (names_.empty()) {
      const auto any = query::Matcher::create(query::Matcher::Kind::kNotEqual, std::string(query::kNameLabel), "");
      const auto all = any ? find({*any}) : Result<std::vector<query::StoredSeries>>(any.error());
      if (!all) return all.error();
      std::set<std::string> names;
      for (const query::StoredSeries& one : *all) names.emplace(one.labels.name());
      names_.assign(names.begin(), names.end());
    }
    const auto similar = nearest(name, names_);
    add(fmt::format("nobody has the metric {} in the last {}{}", name, query::format_duration_ms(options_.window_ms),
                    similar ? fmt::format("; did you mean {}?", *similar) : ""));
    return {};
  }

  query::SeriesSource& source_;
  std::set<std::string> recorded_;
  const CheckOptions& options_;
  const Rule* rule_ = nullptr;
  std::vector<std::string> names_;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> check_rules(const std::vector<Group>& groups, const CheckOptions& options) {
  std::vector<Fault> faults;
  for (const Group& group : groups) {
    const int64_t interval = group.interval_ms > 0 ? group.interval_ms : options.interval_ms;
    std::map<std::string, Place> seen;
    for (size_t i = 0; i < group.rules.size(); ++i) {
      const Rule& rule = group.rules[i];
      std::string identity = (rule.alerting ? "alert " : "record ") + rule.name;
      for (const TemplatedText& one : rule.labels) identity += "\n" + one.name + "=" + one.text();
      const auto [first, added] = seen.emplace(identity, rule.place);
      if (!added) {
        faults.push_back({rule.place, fmt::format("{}: the rule in line {} has the same name and labels", rule.name,
                                                  first->second.line)});
      }
      if (rule.for_ms > 0 && rule.for_ms < interval) {
        faults.push_back({rule.place, fmt::format("{}: for {} is shorter than the interval {}: the alert fires at the "
                                                  "second evaluation",
                                                  rule.name, query::format_duration_ms(rule.for_ms),
                                                  query::format_duration_ms(interval))});
      }
    }
  }
  return faults;
}

Result<std::vector<Fault>> check_against_series(const std::vector<Group>& groups,
                                                const std::vector<std::string>& recorded, query::SeriesSource& source,
                                                const CheckOptions& options) {
  SeriesCheck check(source, recorded, options);
  for (const Group& group : groups) {
    if (auto status = check.run(group); !status) return status.error();
  }
  return check.take();
}

}  // namespace monitor::rules

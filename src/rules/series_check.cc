// check_against_series(): rules compared with the series that exist.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "query/duration.h"
#include "query/evaluator.h"
#include "rules/expression_uses.h"
#include "rules/rule_check.h"

namespace monitor::rules {

namespace {

using Matchers = std::vector<query::Matcher>;
using Found = Result<std::vector<query::StoredSeries>>;

constexpr int64_t kLookbackMs = 300'000;

// Without the jitter of a scheduler: 1001 ms is 1 s.
int64_t without_jitter(int64_t distance_ms) {
  const int64_t whole = (distance_ms + 500) / 1000 * 1000;
  const int64_t off = distance_ms > whole ? distance_ms - whole : whole - distance_ms;
  return off * 20 <= whole ? whole : distance_ms;
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
  return without_jitter(*middle);
}

std::string shown(const Matchers& matchers, const std::string& name) {
  if (!name.empty()) return name;
  std::string text;
  for (const query::Matcher& one : matchers) text += (text.empty() ? "" : ", ") + one.to_string();
  return "{" + text + "}";
}

// The first few of them.
std::string some_of(const std::set<std::string>& all) {
  constexpr size_t kSome = 5;
  std::vector<std::string> some;
  for (const std::string& one : all) {
    if (some.size() == kSome) return join(some, ", ") + ", ...";
    some.push_back(one);
  }
  return join(some, ", ");
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
      const ExpressionUses uses = uses_of(*rule.expression);
      for (const SelectorUse& use : uses.selectors) {
        begin_ = use.begin;
        if (auto status = check(use); !status) return status;
      }
      for (const AgentUse& use : uses.agents) {
        begin_ = use.begin;
        check(use);
      }
      for (const ScoreUse& use : uses.scores) {
        begin_ = use.begin;
        check(use);
      }
      begin_ = 0;
      check_values();
    }
    return {};
  }

  std::vector<Fault> take() { return std::move(faults_); }

 private:
  void add(const std::string& text) {
    Fault fault{place_in_expression(*rule_, options_.text, begin_), fmt::format("{}: {}", rule_->name, text)};
    const bool known = std::ranges::any_of(
        faults_, [&](const Fault& one) { return one.text == fault.text && one.place == fault.place; });
    if (!known) faults_.push_back(std::move(fault));
  }

  // In the window, or in a part of it if it holds too many samples.
  Found find(const Matchers& matchers, int64_t range_ms = 0) {
    constexpr int64_t kLeastMs = 60'000;
    int64_t window = std::max(options_.window_ms, range_ms);
    while (true) {
      auto found = source_.select(matchers, options_.now_ms - window, options_.now_ms);
      if (found || found.error().code() != Code::kResourceExhausted || window < 2 * kLeastMs) return found;
      window /= 2;
    }
  }

  // Evaluates the rule now, and looks whether its templates can be filled in.
  void check_values() {
    const query::QueryTimes now{.start_ms = options_.now_ms, .end_ms = options_.now_ms};
    const auto value = query::evaluate(*rule_->expression, source_, now);
    if (!value) return add(fmt::format("the expression cannot be evaluated now: {}", value.error().message()));
    for (const std::string& one : value->infos) add(one);
    for (const std::string& one : value->warnings) add(one);
    std::set<std::string> wanted;
    for (const auto* const texts : {&rule_->labels, &rule_->annotations}) {
      for (const TemplatedText& one : *texts) wanted.merge(labels_in(one.text()));
    }
    if (wanted.empty()) return;
    const auto all = query::evaluate(without_filters(*rule_->expression), source_, now);
    if (!all || all->series.empty()) return;
    std::set<std::string> labels;
    for (const query::ResultSeries& series : all->series) {
      for (const auto& [name, label] : series.labels.pairs()) {
        if (name != query::kNameLabel) labels.insert(name);
      }
    }
    for (const std::string& name : wanted) {
      if (labels.contains(name)) continue;
      add(fmt::format("a template uses the label {}, which no result has; the results have {}", name,
                      labels.empty() ? "none" : some_of(labels)));
    }
  }

  // Whether any agent, and any state, has what the function asks for. That nothing is known of agents at all is said by
  // the evaluation.
  void check(const AgentUse& use) {
    const auto all = source_.own_series(use.function, {}, options_.now_ms - options_.window_ms, options_.now_ms);
    if (!all) return;
    if (all->empty())
      return add(fmt::format("{}() has had no value in the last {}", use.function,
                             query::format_duration_ms(options_.window_ms)));
    constexpr std::array<const char*, 2> kLabels = {"agent", "state"};
    for (size_t i = 0; i < std::min(use.texts.size(), kLabels.size()); ++i) {
      const auto wanted = query::Matcher::create(query::Matcher::Kind::kRegex, kLabels[i], use.texts[i]);
      if (!wanted) continue;
      std::set<std::string> values;
      bool met = false;
      for (const query::StoredSeries& one : *all) {
        values.emplace(one.labels.get(kLabels[i]));
        met = met || wanted->matches(one.labels.get(kLabels[i]));
      }
      if (met) continue;
      add(fmt::format("{}() has no {} that matches \"{}\"; it has {}", use.function, kLabels[i], use.texts[i],
                      some_of(values)));
    }
  }

  // Whether any series that it selects has a score. That there is no series is said of its selector.
  void check(const ScoreUse& use) {
    const Matchers matchers = use.selector == nullptr ? Matchers() : use.selector->matchers;
    const int64_t now_ms = options_.now_ms - (use.selector == nullptr ? 0 : use.selector->shift.offset_ms);
    const auto scores = source_.own_series("unusual", matchers, now_ms - kLookbackMs, now_ms);
    if (!scores || !scores->empty()) return;
    const auto series = source_.select(matchers, now_ms - kLookbackMs, now_ms);
    if (!series || series->empty()) return;
    add("unusual() has no value yet: a series has a score once 24 hours of the last week have data of it");
  }

  Status check(const SelectorUse& use) {
    const Matchers& matchers = use.selector->matchers;
    const std::string name = metric_of(matchers);
    if (recorded_.contains(name)) return {};
    auto found = find(matchers, use.range_ms + use.selector->shift.offset_ms);
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
    if (use.range_ms == 0 && *interval > kLookbackMs) {
      add(
          fmt::format("{} has a sample every {}, and a sample counts for 5m: most evaluations find none; use "
                      "last_over_time()",
                      shown(matchers, name), every));
    }
    return {};
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
      if (explain_label(one, *of_name, shown(only_name, name))) return {};
    }
    add(fmt::format("no series of {} meets all conditions together", shown(only_name, name)));
    return {};
  }

  // Whether no series of the metric meets the condition.
  bool explain_label(const query::Matcher& condition, const std::vector<query::StoredSeries>& series,
                     const std::string& metric) {
    std::set<std::string> values;
    std::set<std::string> labels;
    for (const query::StoredSeries& one : series) {
      const std::string value(one.labels.get(condition.label()));
      if (condition.matches(value)) return false;
      if (!value.empty()) values.insert(value);
      for (const auto& [name, text] : one.labels.pairs()) {
        if (name != query::kNameLabel) labels.insert(name);
      }
    }
    if (!values.empty()) {
      add(fmt::format("no series of {} meets {}; it has {}", metric, condition.to_string(), some_of(values)));
      return true;
    }
    const std::vector<std::string> candidates(labels.begin(), labels.end());
    const auto similar = nearest(condition.label(), candidates);
    add(fmt::format("no series of {} has the label {}; {}", metric, condition.label(),
                    similar ? fmt::format("did you mean {}?", *similar) : "it has " + some_of(labels)));
    return true;
  }

  Status explain_unknown_metric(const std::string& name, const Matchers& matchers) {
    if (name.empty()) {
      add(fmt::format("nothing matches {}", shown(matchers, name)));
      return {};
    }
    if (names_.empty()) {
      if (auto status = read_names(); !status) return status;
    }
    std::string hint = options_.hint ? options_.hint(name) : "";
    if (hint.empty()) {
      const auto similar = nearest(name, names_);
      if (similar) hint = fmt::format("did you mean {}?", *similar);
    }
    add(fmt::format("nobody has the metric {} in the last {}{}{}", name, query::format_duration_ms(options_.window_ms),
                    hint.empty() ? "" : "; ", hint));
    return {};
  }

  // Of all series, in both spellings. The newest values suffice.
  Status read_names() {
    std::set<std::string> names;
    for (const auto kind : {query::Matcher::Kind::kNotEqual, query::Matcher::Kind::kRegex}) {
      // A condition on the name that only the spelling of Prometheus can meet makes the history use it.
      const bool mapped = kind == query::Matcher::Kind::kRegex;
      const auto any = query::Matcher::create(kind, std::string(query::kNameLabel), mapped ? "[^.]*_[^.]*" : "");
      if (!any) return any.error();
      auto all = find({*any});
      if (!all) return all.error();
      for (const query::StoredSeries& one : *all) names.emplace(one.labels.name());
    }
    names_.assign(names.begin(), names.end());
    return {};
  }

  query::SeriesSource& source_;
  std::set<std::string> recorded_;
  const CheckOptions& options_;
  const Rule* rule_ = nullptr;
  size_t begin_ = 0;  // of the part of the rule's expression that is looked at
  std::vector<std::string> names_;
  std::vector<Fault> faults_;
};

}  // namespace

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

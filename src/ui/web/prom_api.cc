#include "ui/web/prom_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "query/format.h"
#include "query/json.h"
#include "query/labels.h"
#include "query/parser.h"
#include "rules/layered_source.h"
#include "ui/web/prom_reply.h"
#include "ui/web/rule_filter.h"
#include "views/history/series_labels.h"
#include "views/history/series_list.h"
#include "views/history/series_source.h"
#include "views/unusual/scored_source.h"

namespace monitor::analysis::web {

namespace {

// What clients may expect: they choose what to ask for by it.
constexpr std::string_view kApiVersion = "3.5.0";
constexpr const char* kTruncated = "results truncated due to limit";
constexpr int64_t kNanosPerMs = 1'000'000;

// "1:5: text" becomes "1:5: parse error: text", as Prometheus says it.
std::string parse_error(const std::string& text) {
  const size_t second = text.find(':', text.find(':') + 1);
  const bool placed = second != std::string::npos && text.find_first_not_of("0123456789:") > second;
  return placed ? text.substr(0, second) + ": parse error:" + text.substr(second + 1) : text;
}

Error bad_query(const std::string& why) {
  return Error(Code::kInvalidArgument, fmt::format("invalid parameter \"query\": {}", why));
}

// The series that rules have written, likewise.
Status list_results(rules::ResultReader& results, const std::vector<std::vector<query::Matcher>>& selectors,
                    const std::function<bool(const query::Labels&)>& visit) {
  const auto known = results.series();
  if (!known) return known.error();
  for (const auto& series : *known) {
    const query::Labels& labels = series.second;
    const bool wanted = selectors.empty() || std::ranges::any_of(selectors, [&labels](const auto& matchers) {
                          return history::matches(matchers, labels);
                        });
    if (wanted && !visit(labels)) break;
  }
  return {};
}

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

std::string stats_json(const query::QueryResult& result, int64_t evaluated_ns, int64_t waited_ns) {
  return fmt::format(
      R"({{"timings":{{"evalTotalTime":{0},"resultSortTime":0,"queryPreparationTime":0,"innerEvalTime":{0},)"
      R"("execQueueTime":{1},"execTotalTime":{2}}},"samples":{{"totalQueryableSamples":{3},"peakSamples":{3}}}}})",
      json_number(seconds(evaluated_ns)), json_number(seconds(waited_ns)),
      json_number(seconds(evaluated_ns + waited_ns)), result.samples);
}

}  // namespace

struct PromApi::Question {
  std::string text;
  query::QueryTimes times;
  bool range = false;
  bool stats = false;
  size_t limit = 0;  // series; 0: none
  int64_t lookback_ms = 0;
};

PromApi::PromApi(EventLoop& loop, const PromOptions& options, const std::string& history_path, std::string version,
                 telemetry::Registry& registry)
    : loop_(loop),
      options_(options),
      version_(std::move(version)),
      pool_(loop, {.history_path = history_path, .at_once = options.at_once}, prom_failure, registry) {}

void PromApi::handle(const Call& call, Answer answer) {
  const auto parameters = PromParameters::read(call.request);
  if (!parameters) {
    call.reply(prom_bad_data(parameters.error()));
    return;
  }
  (this->*answer)(call, *parameters);
}

void PromApi::query(const Call& call, const PromParameters& parameters) {
  const auto time = parameters.time_ms("time");
  if (!time) {
    call.reply(prom_bad_data(time.error()));
    return;
  }
  const int64_t at = time->value_or(loop_.clock().wall_ns() / kNanosPerMs);
  submit(call, parameters, {.start_ms = at, .end_ms = at}, false);
}

void PromApi::query_range(const Call& call, const PromParameters& parameters) {
  const auto times = parameters.range();
  if (!times) {
    call.reply(prom_bad_data(times.error()));
    return;
  }
  submit(call, parameters, *times, true);
}

void PromApi::submit(const Call& call, const PromParameters& parameters, const query::QueryTimes& times, bool range) {
  const auto limit = parameters.count("limit");
  const auto lookback = parameters.duration_ms("lookback_delta");
  const auto timeout = parameters.duration_ms("timeout");
  if (!limit || !lookback || !timeout) {
    call.reply(prom_bad_data(!limit ? limit.error() : !lookback ? lookback.error() : timeout.error()));
    return;
  }
  auto question = std::make_shared<Question>();
  question->text = parameters.first("query");
  question->times = times;
  question->range = range;
  question->stats = parameters.has("stats");
  question->limit = *limit;
  question->lookback_ms = lookback->value_or(0);
  int64_t timeout_ns = options_.timeout_ns;
  if (*timeout) timeout_ns = std::clamp(**timeout, int64_t{0}, options_.timeout_ns / kNanosPerMs) * kNanosPerMs;
  pool_.submit(call.responder, call.request.address_group, timeout_ns,
               [this, question](const QueryPool::Run& run) { return evaluate(*question, run); });
}

// On a thread of the pool.
Reply PromApi::evaluate(const Question& question, const QueryPool::Run& run) const {
  // Here and not on the loop: regular expressions take long to compile.
  const auto expression = query::parse(question.text);
  if (!expression) return prom_bad_data(bad_query(parse_error(expression.error().message())));
  const query::ValueType type = (*expression)->type;
  if (question.range && type != query::ValueType::kScalar && type != query::ValueType::kVector) {
    return prom_bad_data(
        bad_query(fmt::format("invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                              type == query::ValueType::kString ? "string" : "range vector")));
  }
  query::QueryOptions options;
  if (question.lookback_ms > 0) options.lookback_ms = question.lookback_ms;
  options.limits.max_steps = PromParameters::kMostSteps + 1;  // a step more than distances between them
  options.limits.max_samples = options_.max_samples;
  options.limits.max_bytes = options_.max_bytes;
  options.limits.check = run.check;
  options.text = question.text;
  history::HistorySource stored(run.reader, {.max_points = options_.max_samples, .check = run.check}, run.facts);
  rules::LayeredSource layered(stored, run.results);
  unusual::ScoredSource source(
      layered,
      {.reader = &run.reader, .board = options_.scores, .check = run.check, .max_points = options_.max_samples});
  const int64_t start_ns = loop_.clock().mono_ns();
  auto result = query::evaluate(**expression, source, question.times, options);
  if (!result) return prom_failure(result.error());
  std::vector<std::string> warnings = std::move(result->warnings);
  const bool list =
      question.range || result->type == query::ValueType::kVector || result->type == query::ValueType::kMatrix;
  if (list && question.limit > 0 && result->series.size() > question.limit) {
    result->series.resize(question.limit);
    warnings.emplace_back(kTruncated);
  }
  std::string data;
  if (Status written = query::append_json(*result, question.times, question.range, options_.max_reply_bytes, data);
      !written) {
    return prom_failure(written.error());
  }
  if (question.stats) {
    data.pop_back();
    data += ",\"stats\":" + stats_json(*result, loop_.clock().mono_ns() - start_ns, run.waited_ns) + "}";
  }
  return prom_success(data, warnings, result->infos);
}

void PromApi::list_texts(const Call& call, const PromParameters& parameters, bool both_spellings, Take take) {
  const auto start = parameters.time_ms("start");
  const auto end = parameters.time_ms("end");
  const auto limit = parameters.count("limit");
  if (!start || !end || !limit) {
    call.reply(prom_bad_data(!start ? start.error() : !end ? end.error() : limit.error()));
    return;
  }
  history::SeriesListRequest request{.both_spellings = both_spellings};
  if (*start) request.from_ms = **start;
  const size_t most = *limit == 0 ? options_.max_listed : std::min(*limit, options_.max_listed);
  pool_.submit(call.responder, call.request.address_group, options_.timeout_ns,
               [parameters, request, most, take = std::move(take)](const QueryPool::Run& run) mutable {
                 auto selectors = parameters.selectors();
                 if (!selectors) return prom_bad_data(selectors.error());
                 request.selectors = std::move(*selectors);
                 request.check = run.check;
                 std::set<std::string> found;
                 const auto visit = [&](const query::Labels& labels) {
                   take(labels, found);
                   // A list that is longer by one shows that something was left out.
                   return found.size() <= most;
                 };
                 Status listed = history::list_series(run.reader, request, visit);
                 if (listed) listed = list_results(run.results, request.selectors, visit);
                 if (!listed) return prom_failure(listed.error());
                 std::string out;
                 size_t count = 0;
                 for (const std::string& one : found) {
                   if (count++ == most) break;
                   out += (out.empty() ? "" : ",") + one;
                 }
                 const bool cut = found.size() > most;
                 return prom_success("[" + out + "]",
                                     cut ? std::vector<std::string>{kTruncated} : std::vector<std::string>());
               });
}

void PromApi::labels(const Call& call, const PromParameters& parameters) {
  list_texts(call, parameters, true, [](const query::Labels& labels, std::set<std::string>& found) {
    for (const auto& [name, value] : labels.pairs()) found.insert(json_quote(name));
  });
}

void PromApi::label_values(const Call& call, const PromParameters& parameters) {
  const std::string name = unescape_label_name(call.rest);
  if (name.empty() || !valid_utf8(name)) {
    call.reply(prom_error("bad_data", fmt::format("invalid label name: {}", json_quote(query::shorten(name)))));
    return;
  }
  list_texts(call, parameters, true, [name](const query::Labels& labels, std::set<std::string>& found) {
    const std::string_view value = labels.get(name);
    if (!value.empty()) found.insert(json_quote(value));
  });
}

void PromApi::series(const Call& call, const PromParameters& parameters) {
  if (parameters.all("match[]").empty()) {
    call.reply(prom_error("bad_data", "no match[] parameter provided"));
    return;
  }
  list_texts(call, parameters, false, [](const query::Labels& labels, std::set<std::string>& found) {
    found.insert(query::labels_json(labels));
  });
}

void PromApi::metadata(const Call& call, const PromParameters& parameters) {
  const auto limit = parameters.count("limit");
  if (!limit) {
    call.reply(prom_bad_data(limit.error()));
    return;
  }
  call.reply(prom_success(metadata_json(parameters.first("metric"), *limit)));
}

std::vector<rules::GroupStatus> PromApi::groups() const {
  return options_.rules == nullptr ? std::vector<rules::GroupStatus>() : options_.rules->groups();
}

void PromApi::rules(const Call& call, const PromParameters& parameters) {
  const auto filter = read_rule_filter(parameters);
  if (!filter) {
    call.reply(prom_bad_data(filter.error()));
    return;
  }
  const auto found = rules_json(groups(), *filter);
  call.reply(found ? prom_success(*found) : prom_bad_data(found.error()));
}

void PromApi::alerts(const Call& call, const PromParameters& /*parameters*/) {
  call.reply(prom_success(alerts_json(groups())));
}

// There are none, but a query that is not valid is wrong all the same.
void PromApi::exemplars(const Call& call, const PromParameters& parameters) {
  const auto start = parameters.time_ms("start");
  const auto end = parameters.time_ms("end");
  if (!start || !end) {
    call.reply(prom_bad_data(start ? end.error() : start.error()));
    return;
  }
  with_expression(call, parameters, [](const query::Expression& /*expression*/) { return std::string("[]"); });
}

void PromApi::with_expression(const Call& call, const PromParameters& parameters,
                              std::function<std::string(const query::Expression&)> answer) {
  pool_.submit(call.responder, call.request.address_group, options_.timeout_ns,
               [text = parameters.first("query"), answer = std::move(answer)](const QueryPool::Run& /*run*/) {
                 const auto expression = query::parse(text);
                 return expression ? prom_success(answer(**expression))
                                   : prom_bad_data(bad_query(parse_error(expression.error().message())));
               });
}

void PromApi::format_query(const Call& call, const PromParameters& parameters) {
  with_expression(call, parameters,
                  [](const query::Expression& expression) { return json_quote(query::format_expression(expression)); });
}

// Those that clients look at.
void PromApi::flags(const Call& call, const PromParameters& /*parameters*/) {
  call.reply(prom_success(fmt::format(
      R"({{"query.lookback-delta":"5m","query.timeout":"{}","query.max-concurrency":"{}","query.max-samples":"{}"}})",
      format_duration(options_.timeout_ns), options_.at_once, options_.max_samples)));
}

void PromApi::build_info(const Call& call, const PromParameters& /*parameters*/) {
  call.reply(prom_success(
      fmt::format(R"({{"version":"{}","revision":"","branch":"","buildUser":{},"buildDate":"","goVersion":""}})",
                  kApiVersion, json_quote("monitor-analysis " + version_))));
}

}  // namespace monitor::analysis::web

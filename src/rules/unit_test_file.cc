#include "rules/unit_test_file.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "query/duration.h"
#include "rules/yaml_fields.h"

namespace monitor::rules {

namespace {

constexpr size_t kMostSamples = 20'000'000;  // of all series of a test

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  UnitTestFile run() {
    YamlDocument document = parse_yaml(text_);
    file_.faults = std::move(document.faults);
    if (!file_.faults.empty()) return std::move(file_);
    YamlFields top(document.root, "the file", file_.faults);
    file_.rule_files = texts_of(top, "rule_files");
    if (const auto ms = top.duration_ms("evaluation_interval"); ms && *ms > 0) file_.evaluation_interval_ms = *ms;
    file_.group_order = texts_of(top, "group_eval_order");
    std::set<std::string> seen;
    for (const std::string& name : file_.group_order) {
      if (!seen.insert(name).second) {
        top.fault(top.place_of("group_eval_order"),
                  fmt::format("group name repeated in evaluation order: {}", sanitize_utf8(name)));
      }
    }
    file_.fuzzy_compare = top.boolean("fuzzy_compare").value_or(false);
    for (const YamlPtr& node : top.list("tests")) test(node);
    top.refuse_unknown();
    return std::move(file_);
  }

 private:
  std::vector<std::string> texts_of(YamlFields& fields, std::string_view key) {
    std::vector<std::string> texts;
    for (const YamlPtr& node : fields.list(key)) {
      if (node->kind == YamlNode::Kind::kScalar) {
        texts.push_back(node->text);
      } else {
        fields.fault(node->place, fmt::format("{}: got {}, expected a text", key, node->kind_name()));
      }
    }
    return texts;
  }

  void test(const YamlPtr& node) {
    YamlFields fields(node, "a test", file_.faults);
    if (!fields.is_map()) return;
    UnitTest test;
    test.name = fields.text("name").value_or("");
    test.interval_ms = fields.duration_ms("interval").value_or(file_.evaluation_interval_ms);
    if (test.interval_ms <= 0) fields.fault(fields.place_of("interval"), "interval: expected more than 0s");
    samples_ = 0;
    for (const YamlPtr& one : fields.list("input_series")) series(one, test);
    test.samples = fields.text("samples").value_or("");
    for (const YamlPtr& one : fields.list("alert_rule_test")) alert_test(one, test);
    for (const YamlPtr& one : fields.list("promql_expr_test")) expression_test(one, test);
    for (const auto& one : fields.texts("external_labels")) test.external_labels.set(one.key, one.value);
    test.external_url = fields.text("external_url").value_or("");
    start(fields, test);
    fields.refuse_unknown();
    file_.tests.push_back(std::move(test));
  }

  static void start(YamlFields& fields, UnitTest& test) {
    const auto text = fields.text("start_timestamp");
    if (!text) return;
    const auto at = parse_rfc3339(*text);
    const auto seconds = parse_double(*text);
    constexpr double kMost = 1e11;
    if (at) {
      test.start_ms = *at / 1'000'000;
    } else if (seconds && *seconds >= 0 && *seconds < kMost) {
      test.start_ms = static_cast<int64_t>(*seconds * 1000);
    } else {
      fields.fault(fields.place_of("start_timestamp"), "start_timestamp: expected a time (RFC 3339) or seconds");
    }
  }

  void series(const YamlPtr& node, UnitTest& test) {
    YamlFields fields(node, "a series", file_.faults);
    if (!fields.is_map()) return;
    const std::string name = fields.text("series").value_or("");
    const std::string values = fields.text("values").value_or("");
    InputSeries series;
    const auto noted = query::parse_noted_series(name);
    if (!noted || !trim(noted->rest).empty()) {
      fields.fault(
          fields.place_of("series"),
          fmt::format("series: {}", noted ? "expected a series such as up{job=\"api\"}" : noted.error().message()));
    } else {
      series.labels = noted->labels;
    }
    auto parsed = query::parse_samples(values);
    if (!parsed) {
      fields.fault(fields.place_of("values"), "values: " + parsed.error().message());
    } else {
      samples_ += parsed->size();
      series.values = std::move(*parsed);
    }
    if (samples_ > kMostSamples) {
      fields.fault(fields.place(), fmt::format("the series of a test have more than {} samples", kMostSamples));
      return;
    }
    fields.refuse_unknown();
    test.input.push_back(std::move(series));
  }

  void alert_test(const YamlPtr& node, UnitTest& test) {
    YamlFields fields(node, "a test of an alert", file_.faults);
    if (!fields.is_map()) return;
    AlertTest one;
    one.eval_time_ms = fields.duration_ms("eval_time").value_or(0);
    one.alert = fields.text("alertname").value_or("");
    if (one.alert.empty()) fields.fault(fields.place(), "alertname: a test of an alert must have it");
    for (const YamlPtr& expected : fields.list("exp_alerts")) {
      YamlFields of(expected, "an expected alert", file_.faults);
      ExpectedAlert alert;
      for (const auto& label : of.texts("exp_labels")) alert.labels.set(label.key, label.value);
      for (const auto& text : of.texts("exp_annotations")) alert.annotations[text.key] = text.value;
      of.refuse_unknown();
      one.expected.push_back(std::move(alert));
    }
    fields.refuse_unknown();
    test.alerts.push_back(std::move(one));
  }

  void expression_test(const YamlPtr& node, UnitTest& test) {
    YamlFields fields(node, "a test of an expression", file_.faults);
    if (!fields.is_map()) return;
    ExpressionTest one;
    one.expression = fields.text("expr").value_or("");
    one.eval_time_ms = fields.duration_ms("eval_time").value_or(0);
    for (const YamlPtr& expected : fields.list("exp_samples")) {
      YamlFields of(expected, "an expected sample", file_.faults);
      ExpectedSample sample;
      sample.labels = of.text("labels").value_or("");
      const auto text = of.text("value");
      const auto value = text ? query::parse_value(*text) : std::optional<double>(0);
      if (!value) of.fault(of.place_of("value"), fmt::format("value: got {}, expected a number", json_quote(*text)));
      sample.value = value.value_or(0);
      if (of.take("histogram")) of.fault(of.place_of("histogram"), "histogram: native histograms are not supported");
      of.refuse_unknown();
      one.expected.push_back(std::move(sample));
    }
    fields.refuse_unknown();
    test.expressions.push_back(std::move(one));
  }

  std::string_view text_;
  UnitTestFile file_;
  size_t samples_ = 0;
};

}  // namespace

UnitTestFile parse_unit_tests(std::string_view text) { return Reader(text).run(); }

}  // namespace monitor::rules
